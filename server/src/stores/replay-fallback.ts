/**
 * Kept answers in common, and in this process alone while that is not possible: then the same
 * request at two processes runs twice, and answers say that this is degraded.
 */
import type { ReplayStore } from '../gateway/ports/replay-store.ts';
import type { Clock } from '../kernel/clock.ts';

export interface ReplayFallback extends ReplayStore {
  /** Whether a request was judged alone within the last second. */
  isDegraded(): boolean;
}

const DEGRADED_MS = 1000;

/** `inCommon` rejects where it cannot tell. */
export function createReplayFallback(
  inCommon: ReplayStore,
  alone: ReplayStore,
  clock: Clock,
): ReplayFallback {
  let aloneAtMs = Number.NEGATIVE_INFINITY;
  const isDegraded = (): boolean => clock.monotonicMs() - aloneAtMs < DEGRADED_MS;
  return {
    isDegraded,
    async claim(place, fingerprint) {
      try {
        return await inCommon.claim(place, fingerprint);
      } catch {
        aloneAtMs = clock.monotonicMs();
        return alone.claim(place, fingerprint);
      }
    },
    async forget(tenant) {
      await alone.forget(tenant);
      await inCommon.forget(tenant);
    },
    ended: (place, signal) => (isDegraded() ? alone : inCommon).ended(place, signal),
  };
}
