/**
 * Kept answers in common, and in this process alone while that is not possible: then the same
 * request at two processes runs twice, and answers say that this is degraded.
 *
 * 1. What runs, and what could not be kept in common, is known in this process too: at one and
 *    the same process a request runs once, whenever the common store goes or returns.
 * 2. Who has seen a request run elsewhere never runs it because nobody can tell any more.
 */
import type { ReplayClaim, ReplayStore } from '../gateway/ports/replay-store.ts';
import type { Clock } from '../kernel/clock.ts';

export interface ReplayFallback extends ReplayStore {
  /** Whether a request was judged alone within the last second. */
  isDegraded(): boolean;
}

const DEGRADED_MS = 1000;

/** `inCommon` rejects where it cannot tell; `alone` never does. */
export function createReplayFallback(
  inCommon: ReplayStore,
  alone: ReplayStore,
  clock: Clock,
): ReplayFallback {
  let aloneAtMs = Number.NEGATIVE_INFINITY;
  return {
    isDegraded: () => clock.monotonicMs() - aloneAtMs < DEGRADED_MS,
    async claim(place, fingerprint, again = false) {
      let shared: ReplayClaim | null = null;
      let failure: unknown = null;
      try {
        const found = await inCommon.claim(place, fingerprint, again);
        if (found.kind !== 'claimed') return found;
        shared = found.claim;
      } catch (thrown) {
        aloneAtMs = clock.monotonicMs();
        failure = thrown;
      }
      const own = await alone.claim(place, fingerprint);
      if (own.kind !== 'claimed') {
        shared?.release();
        return own;
      }
      if (shared !== null) return { kind: 'claimed', claim: both(shared, own.claim) };
      if (!again) return own;
      own.claim.release();
      throw failure;
    },
    async forget(tenant) {
      await alone.forget(tenant);
      await inCommon.forget(tenant);
    },
    ended: (place, signal) => inCommon.ended(place, signal),
  };
}

function both(shared: ReplayClaim, own: ReplayClaim): ReplayClaim {
  return {
    async keep(answer) {
      const isKept = await shared.keep(answer);
      if (!isKept) return own.keep(answer);
      own.release();
      return true;
    },
    release() {
      shared.release();
      own.release();
    },
  };
}
