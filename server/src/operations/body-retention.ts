/**
 * Erases prompts and answers once they are old enough: soon after the start and then every hour,
 * in small batches with a pause behind each, so that nobody who writes waits long.
 *
 * It goes on while none are kept any more: what was kept before still has its age. One pass
 * that fails is tried again with the next.
 */
import type { BodyStore } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { Log } from '../kernel/log.ts';

interface BodyRetentionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly bodies: Pick<BodyStore, 'eraseBefore'>;
  /** What they are, in the log. */
  readonly what?: string;
  /** Of the configuration in force. */
  readonly retentionDays: () => number;
}

const USUALLY = 'prompts and answers';
const DAY_MS = 86_400_000;
const FIRST_MS = 60_000;
const INTERVAL_MS = 3_600_000;
const PAUSE_MS = 50;
/** Each is at most a few mebibytes to overwrite. */
const BATCH_MAX = 20;

/** `stop` resolves when no pass runs any more. */
export function startBodyRetention(deps: BodyRetentionDeps): { stop(): Promise<void> } {
  const abort = new AbortController();
  const ended = passes(deps, abort.signal);
  return {
    stop() {
      abort.abort();
      return ended;
    },
  };
}

/** Never rejects. */
async function passes(deps: BodyRetentionDeps, signal: AbortSignal): Promise<void> {
  const pause = (delayMs: number) => sleep(deps.clock, delayMs, signal).catch(() => undefined);
  await pause(FIRST_MS);
  while (!signal.aborted) {
    try {
      await eraseDue(deps, pause, signal);
    } catch (error) {
      deps.log.warn(`old ${deps.what ?? USUALLY} are not erased yet`, { error });
    }
    await pause(INTERVAL_MS);
  }
}

async function eraseDue(
  { clock, log, bodies, retentionDays, what = USUALLY }: BodyRetentionDeps,
  pause: (delayMs: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const createdBeforeMs = clock.wallMs() - retentionDays() * DAY_MS;
  let erased = 0;
  for (let batch = BATCH_MAX; batch === BATCH_MAX && !signal.aborted; ) {
    batch = await bodies.eraseBefore(createdBeforeMs, BATCH_MAX);
    erased += batch;
    await pause(PAUSE_MS);
  }
  if (erased > 0) log.info(`old ${what} were erased`, { exchanges: erased });
}
