/** A clock moved by hand: timers fire, in order, inside `advance`. */
import type { Clock } from '../../../src/kernel/clock.ts';

interface Pending {
  readonly atMs: number;
  readonly fire: () => void;
}

export interface ManualClock extends Clock {
  advance(durationMs: number): void;
  /** Time passes unnoticed; then the timers that were due fire, all late. */
  standStill(durationMs: number): void;
  pendingTimers(): number;
}

export function createManualClock(): ManualClock {
  let nowMs = 0;
  const pending = new Set<Pending>();
  return {
    wallMs: () => 1_700_000_000_000 + nowMs,
    monotonicMs: () => nowMs,
    setTimer(delayMs, fire) {
      const timer = { atMs: nowMs + delayMs, fire };
      pending.add(timer);
      return { cancel: () => pending.delete(timer) };
    },
    advance(durationMs) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const due = [...pending].filter((timer) => timer.atMs <= endMs);
        const next = due.sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        pending.delete(next);
        nowMs = next.atMs;
        next.fire();
      }
      nowMs = endMs;
    },
    standStill(durationMs) {
      nowMs += durationMs;
      for (const timer of [...pending].filter(({ atMs }) => atMs <= nowMs)) {
        pending.delete(timer);
        timer.fire();
      }
    },
    pendingTimers: () => pending.size,
  };
}
