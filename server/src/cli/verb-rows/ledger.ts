/**
 * The verbs about what was asked for and what it cost.
 */
import type { OptionSpec, Rows } from '../verb.ts';
import { BEFORE, LIMIT, TENANT } from './options.ts';

const FILTERS: readonly OptionSpec[] = [
  TENANT,
  { flags: '--model <name>', text: 'model' },
  { flags: '--provider <name>', text: 'provider' },
  { flags: '--key <id>', text: 'key' },
  { flags: '--outcome <outcome>', text: 'outcome' },
  { flags: '--since <time>', text: 'since' },
  { flags: '--until <time>', text: 'until' },
];

export const LEDGER_VERBS = {
  usage: {
    args: [],
    options: [{ flags: '--by <dimensions>', text: 'by' }, ...FILTERS, LIMIT],
    examples: [
      'esclusa usage --since 7d',
      'esclusa usage --by tenant,day --since 2026-11-01 --until 2026-12-01 --json',
    ],
    load: () => import('../verbs/usage.ts'),
  },
  'requests list': {
    args: [],
    options: [...FILTERS, LIMIT, BEFORE],
    examples: ['esclusa requests list --since 24h --outcome failed'],
    load: () => import('../verbs/requests-list.ts'),
  },
  'requests show': {
    args: [{ name: '<id>', text: 'requestId' }],
    options: [],
    examples: ['esclusa requests show req_01JD0000000000000000000000'],
    load: () => import('../verbs/requests-show.ts'),
  },
} satisfies Rows;
