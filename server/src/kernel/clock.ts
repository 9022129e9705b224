/**
 * Time as the rest of the program sees it: a wall clock for dates that people and other
 * systems read, a monotonic clock for every duration, and timers.
 *
 * Invariants: durations are only ever differences of `monotonicMs`; a timer never keeps the
 * process alive. Tests inject a clock moved by hand; only this file talks to the real one.
 */

export interface Timer {
  /** Stops the timer; harmless when it has already fired. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; never subtract two of them. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin, with fractions. Never goes back. */
  monotonicMs(): number;
  /** Calls `fire` once after at least `delayMs` milliseconds. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** Largest delay Node's timers take; a longer one would fire at once. */
const TIMER_MAX_MS = 2_147_483_647;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(delayMs, TIMER_MAX_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
