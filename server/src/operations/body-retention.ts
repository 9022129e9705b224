/**
 * Erases prompts and answers once they are old enough: every hour by whichever process takes
 * the job, in small batches with a pause behind each, so that nobody who writes waits long.
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
  readonly what: 'bodies' | 'responses';
  /** Of the configuration in force. */
  readonly retentionDays: () => number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PAUSE_MS = 50;
/** Each is at most a few mebibytes to overwrite. */
const BATCH_MAX = 20;

export function bodyRetention(deps: BodyRetentionDeps): JobKind {
  return {
    kind: `${deps.what}.erase`,
    every: { everyMs: HOUR_MS },
    run: (_payload, signal) => eraseDue(deps, signal),
  };
}

async function eraseDue(
  { clock, log, bodies, retentionDays, what }: BodyRetentionDeps,
  signal: AbortSignal,
): Promise<void> {
  const createdBeforeMs = clock.wallMs() - retentionDays() * DAY_MS;
  let erased = 0;
  for (let batch = BATCH_MAX; batch === BATCH_MAX; ) {
    signal.throwIfAborted();
    batch = await bodies.eraseBefore(createdBeforeMs, BATCH_MAX);
    erased += batch;
    if (batch === BATCH_MAX) await sleep(clock, PAUSE_MS, signal);
  }
  if (erased > 0) log.info(`old ${what} were erased`, { exchanges: erased });
}
