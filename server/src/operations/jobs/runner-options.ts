/**
 * What a runner of background jobs is given, and what it is to the rest.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import type { JobFigures, JobPayload, JobQueue } from '../ports/jobs.ts';
import type { Recurrence } from './recurrence.ts';

export interface JobKind {
  /** A word for it, such as `bodies.erase`; jobs name it. */
  readonly kind: string;
  /** There is always one such job, due at these instants; null: only those that are enqueued. */
  readonly every: Recurrence | null;
  /**
   * Does it. May be done again after a crash in the middle. Throws the signal's reason when
   * that aborts before the end.
   */
  run(payload: JobPayload, signal: AbortSignal): Promise<void>;
}

export type JobOutcome = 'done' | 'failed' | 'dead' | 'handed_back' | 'lost';

export interface JobRunnerDeps {
  readonly queue: JobQueue;
  readonly kinds: readonly JobKind[];
  /** Of this process and of no other, ever. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onEnd?: (kind: string, outcome: JobOutcome) => void;
  readonly settings?: Partial<JobRunnerSettings>;
}

export interface JobRunnerSettings {
  readonly concurrencyMax: number;
  /** How long after the start the queue is looked at first. */
  readonly firstMs: number;
  readonly pollMs: number;
  /** How long a dead process's jobs wait for another. */
  readonly leaseMs: number;
  /** How long stopping waits for jobs to end by themselves. */
  readonly graceMs: number;
  /** Before the second attempt; twice as long before each one after. */
  readonly backOffMs: number;
  readonly backOffMaxMs: number;
}

export interface JobRunner {
  start(): void;
  /** Looks at the queue at once: something was enqueued. */
  wake(): void;
  /** As was seen last; null before the first look. */
  figures(): JobFigures | null;
  /** Resolves when nothing runs here any more, or will not end. Never rejects. */
  stop(): Promise<void>;
}

export const USUAL_SETTINGS: JobRunnerSettings = {
  concurrencyMax: 4,
  firstMs: 5000,
  pollMs: 2000,
  leaseMs: 60_000,
  graceMs: 2000,
  backOffMs: 5000,
  backOffMaxMs: 3_600_000,
};
