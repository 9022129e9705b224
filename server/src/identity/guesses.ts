/**
 * Counts credentials that nobody has, by the address they come from: whoever tries many is told
 * to wait. Half of the gateway's authenticator.
 *
 * 1. A credential that is good is never counted and never refused here, whatever else comes from
 *    its address: many people can stand behind one.
 * 2. At most `ADDRESSES_MAX` addresses are kept, the eldest making room; a minute forgets them.
 *
 * It counts in this process alone: a key has 256 random bits, so that what this spares is the
 * log and the machine, not the keys. Passwords are behind `people/throttle.ts`.
 */
import type { Clock } from '../kernel/clock.ts';

const GUESSES_PER_MINUTE = 50;
const MINUTE_MS = 60_000;
const ADDRESSES_MAX = 10_000;

export interface Guesses {
  /** Counts one. Milliseconds to wait where there were too many; null: it is one of the first. */
  count(address: string | null): number | null;
}

export function createGuesses(clock: Pick<Clock, 'monotonicMs'>): Guesses {
  const seen = new Map<string, { count: number; readonly sinceMs: number }>();
  return {
    count(address) {
      if (address === null) return null;
      const nowMs = clock.monotonicMs();
      const known = seen.get(address);
      if (known !== undefined && nowMs - known.sinceMs < MINUTE_MS) {
        known.count += 1;
        return known.count > GUESSES_PER_MINUTE ? known.sinceMs + MINUTE_MS - nowMs : null;
      }
      seen.delete(address);
      if (seen.size >= ADDRESSES_MAX) {
        const [eldest] = seen.keys();
        if (eldest !== undefined) seen.delete(eldest);
      }
      seen.set(address, { count: 1, sinceMs: nowMs });
      return null;
    },
  };
}
