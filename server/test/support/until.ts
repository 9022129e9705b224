/**
 * Waiting for something to become true, with a deadline instead of a sleep: the test goes on
 * as soon as it can, and fails with a sentence when it cannot.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';

const POLL_MS = 5;

export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await (deadlineMs < POLL_MS ? setImmediate() : setTimeout(POLL_MS));
  }
}
