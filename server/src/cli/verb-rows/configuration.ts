/**
 * The verbs about the configuration and the models it offers.
 */
import type { Rows } from '../verb.ts';

export const CONFIGURATION_VERBS = {
  'config check': {
    args: [],
    options: [],
    examples: ['esclusa config check --config ./esclusa.yaml'],
    load: () => import('../verbs/config-check.ts'),
  },
  'config show': {
    args: [],
    options: [],
    examples: ['esclusa config show', 'esclusa config show --json'],
    load: () => import('../verbs/config-show.ts'),
  },
  'config schema': {
    args: [],
    options: [],
    examples: ['esclusa config schema > esclusa.schema.json'],
    load: () => import('../verbs/config-schema.ts'),
  },
  'models list': {
    args: [],
    options: [],
    examples: ['esclusa models list', 'esclusa models list --config ./esclusa.yaml --json'],
    load: () => import('../verbs/models-list.ts'),
  },
  'models refresh': {
    args: [],
    options: [
      { flags: '--from <file>', text: 'from' },
      { flags: '--apply', text: 'apply' },
    ],
    examples: [
      'esclusa models refresh --from ./prices.json',
      'esclusa models refresh --from ./prices.json --apply',
    ],
    load: () => import('../verbs/models-refresh.ts'),
  },
} satisfies Rows;
