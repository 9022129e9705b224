/**
 * A row of the ledger that another process wrote a moment ago: it reaches the database behind
 * that process's journal. Whoever received the answer must find its row, so what is missing is
 * looked up again for a while before it is called missing.
 *
 * The same wait whether the row is absent or out of the caller's reach: time tells nothing.
 */
import type { Clock } from '../../kernel/clock.ts';

export interface Patience {
  readonly clock: Clock;
  /** How long a row of another process may be on its way; 0 where there is none. */
  readonly lagMs: number;
  /** Nobody waits any more. */
  readonly isGone: () => boolean;
}

const STEP_MS = 50;

export async function findLate<Row>(
  find: () => Promise<Row | null>,
  { clock, lagMs, isGone }: Patience,
): Promise<Row | null> {
  const endMs = clock.monotonicMs() + lagMs;
  for (;;) {
    const found = await find();
    const leftMs = endMs - clock.monotonicMs();
    if (found !== null || leftMs <= 0 || isGone()) return found;
    await pause(clock, Math.min(STEP_MS, leftMs));
  }
}

function pause(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(durationMs, resolve));
}
