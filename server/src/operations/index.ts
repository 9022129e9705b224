/**
 * The public face of operations.
 */
export { generateEntries } from './demonstration/generate.ts';
export { type Application, demonstrationPlan, type SeedPlan } from './demonstration/plan.ts';
export {
  createFlagEngine,
  type FlagSubject,
} from './flags/engine.ts';
export { createFlagUseCases, type FlagUseCases, type FlagView } from './flags/flags.ts';
export { defaultOf, type KnownFlagName, knownFlag } from './flags/known.ts';
export { type RolloutEvent, startRollouts } from './flags/rollout-runner.ts';
export { createFlagSnapshot, type FlagSnapshot } from './flags/snapshot.ts';
export { createJobRunner } from './jobs/runner.ts';
export type { JobKind } from './jobs/runner-options.ts';
export type { ArmFiguresReader } from './ports/arm-figures.ts';
export type { BucketVerdict } from './ports/bucket-probe.ts';
export type { JobBook, JobPage, JobRecord } from './ports/jobs.ts';
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
