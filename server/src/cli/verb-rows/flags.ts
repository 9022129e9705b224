/**
 * The verbs about feature flags.
 */
import type { Rows } from '../verb.ts';

export const FLAG_VERBS = {
  'flags list': {
    args: [],
    options: [],
    examples: ['esclusa flags list', 'esclusa flags list --json'],
    load: () => import('../verbs/flags-list.ts'),
  },
  'flags set': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [
      { flags: '--on', text: 'on' },
      { flags: '--off', text: 'off' },
      { flags: '--percentage <number>', text: 'percentage' },
      { flags: '--by <unit>', text: 'flagBy' },
      { flags: '--tenants <slugs>', text: 'flagTenants' },
    ],
    examples: ['esclusa flags set llm_cache --off', 'esclusa flags set smart_next --percentage 10'],
    load: () => import('../verbs/flags-set.ts'),
  },
  'flags rollout': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [
      { flags: '--steps <percentages>', text: 'steps' },
      { flags: '--soak <seconds>', text: 'soak' },
      { flags: '--samples <count>', text: 'samples' },
      { flags: '--cancel', text: 'cancel' },
    ],
    examples: [
      'esclusa flags rollout smart_next --steps 10,50,100 --soak 3600 --samples 200',
      'esclusa flags rollout smart_next --cancel',
    ],
    load: () => import('../verbs/flags-rollout.ts'),
  },
  'flags remove': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [],
    examples: ['esclusa flags remove smart_next'],
    load: () => import('../verbs/flags-remove.ts'),
  },
} satisfies Rows;
