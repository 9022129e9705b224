/**
 * The public face of operations.
 */
export { generateEntries } from './demonstration/generate.ts';
export { type Application, demonstrationPlan, type SeedPlan } from './demonstration/plan.ts';
export { createJobRunner } from './jobs/runner.ts';
export type { JobKind } from './jobs/runner-options.ts';
export type { BucketVerdict } from './ports/bucket-probe.ts';
export type { JobQueue, JobRecord } from './ports/jobs.ts';
export { type BucketWatch, watchBucket } from './startup/bucket-watch.ts';
export {
  fail,
  pass,
  type StartupCheck,
  type Verdict,
  warning,
} from './startup/check.ts';
export { StartupValidationError } from './startup/error.ts';
export { SKIPPED, STARTING, summaryOf, validateStart } from './startup/validate.ts';
