/**
 * Waiting for an answer for so long and no longer, told apart from this process standing still:
 * when the event loop was held up, the answer may lie unread in its socket.
 *
 * 1. The promise settles within the limit, plus the time by which the timer itself was late,
 *    granted once: so long the answer could not have been read.
 * 2. A late outcome of the work is swallowed: no unhandled rejection.
 * 3. A wait that ends although the loop stood still says `stalled`: nothing against the server.
 */
import type { Clock } from './clock.ts';

/** A timer later than this was held up by more than its own coarseness. */
const LATE_MS = 5;

export class OutOfPatience extends Error {
  /** This process stood still while it waited. */
  readonly stalled: boolean;

  constructor(limitMs: number, stalled: boolean) {
    super(`no answer within ${Math.round(limitMs)} ms`);
    this.name = 'OutOfPatience';
    this.stalled = stalled;
  }
}

/** Settles as `work` does, or rejects with `OutOfPatience`. */
export function waitFor<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer = arm(limitMs, false);

    function arm(delayMs: number, stalled: boolean) {
      const dueMs = clock.monotonicMs() + delayMs;
      return clock.setTimer(delayMs, () => {
        const lateMs = clock.monotonicMs() - dueMs;
        if (lateMs > LATE_MS && !stalled) timer = arm(Math.min(lateMs, limitMs), true);
        else reject(new OutOfPatience(limitMs, lateMs > LATE_MS));
      });
    }

    work.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
