/**
 * In which order the targets of a route are tried, and which are left out for now and why: the
 * one answer for requests and for explaining a route.
 *
 * Invariant: every target of the route is in exactly one of the two lists, unless the client
 * declines fallback: then only the first is tried, and the others are in neither. A target that
 * cannot be called now is rejected rather than tried last: a weight goes over to the others.
 * Where that leaves none, the soonest of those that are only to be avoided is the last resort.
 */
import type { Random } from '../../kernel/random.ts';
import { type Availability, isLastResort, type UnavailableReason } from '../model/availability.ts';
import type { Route, RouteStrategy } from '../model/route.ts';
import type { Target } from '../model/target.ts';
import type { RequestFacts } from './facts.ts';
import { cost } from './strategies/cost.ts';
import { latency } from './strategies/latency.ts';
import { leastBusy } from './strategies/least-busy.ts';
import type { Strategy, TargetFigures } from './strategies/strategy.ts';
import { weighted } from './strategies/weighted.ts';

export interface Rejection {
  readonly target: Target;
  readonly reason: UnavailableReason;
  /** Milliseconds after which trying it is worth it. */
  readonly retryAfterMs: number;
}

export interface RoutePlan {
  /** To be tried in this order. */
  readonly targets: readonly Target[];
  readonly rejected: readonly Rejection[];
}

export interface OrderDeps {
  readonly random: Random;
  readonly figures: TargetFigures;
  readonly availability: (target: Target) => Availability;
}

const STRATEGIES: Readonly<Record<RouteStrategy, Strategy>> = {
  fallback: ({ targets }) => targets,
  weighted,
  latency,
  cost,
  'least-busy': leastBusy,
};

const NONE: readonly Rejection[] = [];

export function planRoute(route: Route, facts: RequestFacts, deps: OrderDeps): RoutePlan {
  const targets: Target[] = [];
  let rejected = NONE;
  for (const target of route.targets) {
    const state = deps.availability(target);
    if (state.kind === 'available') {
      targets.push(target);
    } else {
      const { reason, retryAfterMs } = state;
      rejected = [...rejected, { target, reason, retryAfterMs }];
    }
  }
  const [out] = rejected;
  if (out !== undefined && isTheOnlyOne(out, route, facts)) return withLastResort([out]);
  if (targets.length === 0) return withLastResort(rejected);
  if (targets.length === 1) return { targets, rejected };
  const { random, figures } = deps;
  const { name, sticky, strategy } = route;
  const order = STRATEGIES[strategy]({ targets, name, sticky, facts, random, figures });
  return { targets: facts.declinesFallback ? order.slice(0, 1) : order, rejected };
}

/** Where the configuration alone says who is first, no other is that while it is left out. */
function isTheOnlyOne({ target }: Rejection, { strategy, targets }: Route, facts: RequestFacts) {
  return strategy === 'fallback' && target === targets[0] && facts.declinesFallback;
}

function withLastResort(rejected: readonly Rejection[]): RoutePlan {
  const avoidable = rejected.filter(({ reason }) => isLastResort(reason));
  const [soonest] = avoidable.toSorted((a, b) => a.retryAfterMs - b.retryAfterMs);
  if (soonest === undefined) return { targets: [], rejected };
  return { targets: [soonest.target], rejected: rejected.filter((one) => one !== soonest) };
}

/** Milliseconds until the first of the rejected can be tried; null when none was rejected. */
export function soonestRetryMs(rejected: readonly Rejection[]): number | null {
  let soonest: number | null = null;
  for (const { retryAfterMs } of rejected) soonest = Math.min(soonest ?? Infinity, retryAfterMs);
  return soonest;
}
