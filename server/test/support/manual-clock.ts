/** A clock moved by hand: timers fire, in order, inside `advance`. */
import type { Clock } from '../../src/kernel/clock.ts';

interface Pending {
  readonly atMs: number;
  readonly fire: () => void;
}

export interface ManualClock extends Clock {
  /** Moves both clocks. */
  advance(durationMs: number): void;
  /** Sets the wall clock, forward or back; durations do not notice. */
  setWallMs(wallMs: number): void;
  /** Time passes unnoticed; then the timers that were due fire, all late. */
  standStill(durationMs: number): void;
  pendingTimers(): number;
}

export function createManualClock(startWallMs = 1_700_000_000_000): ManualClock {
  let nowMs = 0;
  let wallOffsetMs = startWallMs;
  const pending = new Set<Pending>();
  return {
    wallMs: () => wallOffsetMs + nowMs,
    monotonicMs: () => nowMs,
    setWallMs: (wallMs) => {
      wallOffsetMs = wallMs - nowMs;
    },
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
