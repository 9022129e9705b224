/**
 * Erases prompts and answers, or rows of the ledger, once they are old enough: every hour by
 * whichever process takes the job, in small batches with a pause behind each, so that nobody
 * who writes waits long.
 *
 * It goes on while none are kept any more: what was kept before still has its age.
 */
import type { BodyStore } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { Log } from '../kernel/log.ts';
import type { JobKind } from './jobs/runner-options.ts';

interface BodyRetentionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly bodies: Pick<BodyStore, 'eraseBefore'>;
  /** What they are, in the log and in the job's name. */
  readonly what: 'bodies' | 'responses' | 'exchanges';
  /** Of the configuration in force; zero: they are kept. */
  readonly retentionDays: () => number;
  /** How many at once; of bodies each is at most a few mebibytes to overwrite. */
  readonly batchMax?: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PAUSE_MS = 50;
const BATCH_MAX = 20;

export function bodyRetention(deps: BodyRetentionDeps): JobKind {
  return {
    kind: `${deps.what}.erase`,
    every: { everyMs: HOUR_MS },
    run: (_payload, signal) => eraseDue(deps, signal),
  };
}

async function eraseDue(
  { clock, log, bodies, retentionDays, what, batchMax = BATCH_MAX }: BodyRetentionDeps,
  signal: AbortSignal,
): Promise<void> {
  const days = retentionDays();
  if (days === 0) return;
  const createdBeforeMs = clock.wallMs() - days * DAY_MS;
  let erased = 0;
  for (let batch = batchMax; batch >= batchMax; ) {
    signal.throwIfAborted();
    batch = await bodies.eraseBefore(createdBeforeMs, batchMax);
    erased += batch;
    if (batch >= batchMax) await sleep(clock, PAUSE_MS, signal);
  }
  if (erased > 0) log.info(`old ${what} were erased`, { exchanges: erased });
}
