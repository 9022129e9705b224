/**
 * The verbs about limits and budgets of keys and people, and about what is spent of budgets.
 */
import type { limitsEn } from '../messages/limits.ts';
import type { Verb } from '../verb.ts';
import { ALLOWANCES, TENANT } from './options.ts';

export const LIMIT_VERBS: Readonly<Record<keyof (typeof limitsEn)['verbs'], Verb>> = {
  'keys limits': {
    args: [{ name: '<id>', text: 'keyId' }],
    options: ALLOWANCES,
    examples: [
      'esclusa keys limits key_01JD0000000000000000000000',
      'esclusa keys limits key_01JD0000000000000000000000 --concurrency 4 --budget 20/month',
      'esclusa keys limits key_01JD0000000000000000000000 --budget none',
    ],
    load: () => import('../verbs/keys-limits.ts'),
  },
  'users limits': {
    args: [{ name: '<user>', text: 'user' }],
    options: ALLOWANCES,
    examples: [
      'esclusa users limits ana@uni.example',
      'esclusa users limits ana --requests-per-minute 20 --budget 5/month',
    ],
    load: () => import('../verbs/users-limits.ts'),
  },
  budgets: {
    args: [],
    options: [TENANT],
    examples: ['esclusa budgets', 'esclusa budgets --tenant valle-claro --json'],
    load: () => import('../verbs/budgets.ts'),
  },
};
