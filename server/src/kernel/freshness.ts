/**
 * Keeps something in memory equal to the database: read at the start, after every local
 * change, when storage signals one, and by polling.
 *
 * Invariants: a reading that was asked for begins after it was asked for, however many are
 * running; a failed one keeps what is held and is told once, as is its end.
 */
import type { Clock, Timer } from './clock.ts';
import { coalesce } from './coalesce.ts';
import type { Log } from './log.ts';

const DEFAULT_POLL_MS = 1000;
/** Polls that may fail to come back before something unknown might just not have been seen. */
const POLLS_UNTIL_DOUBT = 3;

export interface FreshnessOptions {
  /** For the log: `API keys`. */
  readonly what: string;
  readonly read: () => Promise<void>;
  /** How many are held, for the log. */
  readonly size: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two polls; 1000. */
  readonly pollMs?: number | undefined;
}

export interface Freshness {
  /** Resolves after the first try, also a failed one; then keeps polling. */
  start(): Promise<void>;
  /** Resolves when done and never rejects. */
  refresh(): Promise<void>;
  /** Milliseconds since the last reading that succeeded; infinite before the first. */
  ageMs(): number;
  /** False after a failed reading, until the next that succeeds. */
  isCurrent(): boolean;
  /** Whether what is not held is certainly not there. */
  isCertain(): boolean;
  stop(): void;
}

export function createFreshness(options: FreshnessOptions): Freshness {
  const { what, read, size, clock, log, pollMs = DEFAULT_POLL_MS } = options;
  let readAtMs: number | null = null;
  let isCurrent = false;
  let timer: Timer | null = null;
  let isStopped = false;

  const refresh = coalesce(async () => {
    const startedMs = clock.monotonicMs();
    try {
      await read();
      // The first time is what everyone expects; afterwards it is the end of an outage.
      const level = readAtMs === null ? 'debug' : 'info';
      if (!isCurrent) log[level](`${what} are up to date`, { count: size() });
      readAtMs = startedMs;
      isCurrent = true;
    } catch (error) {
      if (isCurrent || readAtMs === null) log.warn(`${what} could not be refreshed`, { error });
      isCurrent = false;
    }
  });

  function poll(): void {
    if (isStopped) return;
    timer = clock.setTimer(pollMs, () => {
      refresh().then(poll, poll);
    });
  }

  function ageMs(): number {
    return readAtMs === null ? Number.POSITIVE_INFINITY : clock.monotonicMs() - readAtMs;
  }

  return {
    refresh,
    ageMs,
    isCurrent: () => isCurrent,
    isCertain: () => isCurrent && ageMs() <= pollMs * POLLS_UNTIL_DOUBT,
    async start() {
      await refresh();
      poll();
    },
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}
