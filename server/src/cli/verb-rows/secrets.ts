/**
 * The verbs about secrets of the installation.
 */
import type { Rows } from '../verb.ts';

export const SECRET_VERBS = {
  'secrets generate': {
    args: [],
    options: [],
    examples: ['esclusa secrets generate'],
    load: () => import('../verbs/secrets-generate.ts'),
  },
  'secrets rotate': {
    args: [],
    options: [],
    examples: ['esclusa secrets rotate'],
    load: () => import('../verbs/secrets-rotate.ts'),
  },
  'secrets adopt': {
    args: [],
    options: [],
    examples: ['esclusa secrets adopt'],
    load: () => import('../verbs/secrets-adopt.ts'),
  },
} satisfies Rows;
