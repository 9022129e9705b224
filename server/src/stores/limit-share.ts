/**
 * Limits counted in common, and by each process for itself while that is not possible: then a
 * process grants its share, the limit divided by the processes known to live, at least 1.
 *
 * A request is decided by one of the two stores and gives back to the same. Together the
 * shares never exceed a limit that is at least the number of processes; what was granted
 * in common before the outage is not known to them.
 */
import type { Limits } from '../gateway/model/principal.ts';
import type { LimitDecision, LimitScope, LimitStore } from '../gateway/ports/limit-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Counter } from '../kernel/meter.ts';

export interface LimitShareOptions {
  /** Rejects where it cannot decide. */
  readonly inCommon: {
    take(...asked: Parameters<LimitStore['take']>): Promise<LimitDecision>;
  };
  readonly alone: LimitStore;
  /** Processes that share the limits; at least 1. */
  readonly processes: () => number;
  readonly clock: Clock;
  /** Counts decisions that were taken alone. */
  readonly decidedAlone: Counter;
}

export interface LimitShare extends LimitStore {
  /** Whether decisions were taken alone within the last second. */
  isDegraded(): boolean;
}

const DEGRADED_MS = 1000;

export function createLimitShare(options: LimitShareOptions): LimitShare {
  const { inCommon, alone, processes, clock, decidedAlone } = options;
  let aloneAtMs = Number.NEGATIVE_INFINITY;

  function takeAlone(
    scopes: readonly LimitScope[],
    tokens: number,
    tenant: string,
  ): Promise<LimitDecision> | LimitDecision {
    aloneAtMs = clock.monotonicMs();
    decidedAlone.add(1);
    const shares = scopes.map(({ id, limits }) => ({ id, limits: share(limits, processes()) }));
    return alone.take(shares, tokens, tenant);
  }

  function take(
    scopes: readonly LimitScope[],
    tokens: number,
    tenant: string,
  ): Promise<LimitDecision> {
    return inCommon.take(scopes, tokens, tenant).catch(() => takeAlone(scopes, tokens, tenant));
  }

  return { take, isDegraded: () => clock.monotonicMs() - aloneAtMs < DEGRADED_MS };
}

function share(limits: Limits, processes: number): Limits {
  return Object.fromEntries(
    Object.entries(limits).map(([kind, limit]) => [kind, partOf(limit, processes)]),
  );
}

/** Nothing stays nothing. */
function partOf(limit: number, processes: number): number {
  return limit === 0 ? 0 : Math.max(1, Math.floor(limit / Math.max(1, processes)));
}
