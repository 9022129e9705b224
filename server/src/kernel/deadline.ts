/**
 * Waiting that always ends: a point on the monotonic clock by which work must be done, and a
 * sleep that an AbortSignal interrupts at once.
 */
import type { Clock } from './clock.ts';

export interface Deadline {
  /** Milliseconds left; zero or less when it has passed. */
  remainingMs(): number;
}

export function deadlineIn(clock: Clock, durationMs: number): Deadline {
  const endMs = clock.monotonicMs() + durationMs;
  return { remainingMs: () => endMs - clock.monotonicMs() };
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
