/**
 * The verbs about background jobs.
 */
import type { Rows } from '../verb.ts';
import { BEFORE, LIMIT, YES } from './options.ts';

export const JOB_VERBS = {
  'jobs list': {
    args: [],
    options: [{ flags: '--state <state>', text: 'jobState' }, LIMIT, BEFORE],
    examples: ['esclusa jobs list --state dead', 'esclusa jobs list --json'],
    load: () => import('../verbs/jobs-list.ts'),
  },
  'jobs retry': {
    args: [{ name: '<id>', text: 'jobId' }],
    options: [],
    examples: ['esclusa jobs retry job_01JD0000000000000000000000'],
    load: () => import('../verbs/jobs-retry.ts'),
  },
  'jobs remove': {
    args: [{ name: '<id>', text: 'jobId' }],
    options: [YES],
    examples: ['esclusa jobs remove job_01JD0000000000000000000000 --yes'],
    load: () => import('../verbs/jobs-remove.ts'),
  },
} satisfies Rows;
