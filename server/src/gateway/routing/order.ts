/**
 * In which order the targets of a route are tried, and which are left out and why: the one
 * answer for requests and for explaining a route.
 *
 * Invariant: every target of the route is in exactly one of the two lists. A target that
 * cannot be called now is rejected rather than tried last: a weight goes over to the others.
 */
import type { Random } from '../../kernel/random.ts';
import type { Availability, UnavailableReason } from '../model/availability.ts';
import type { Route } from '../model/route.ts';
import type { Target } from '../model/target.ts';

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

const NONE: readonly Rejection[] = [];

export function planRoute(
  route: Route,
  random: Random,
  availability: (target: Target) => Availability,
): RoutePlan {
  const targets: Target[] = [];
  let rejected = NONE;
  for (const target of route.targets) {
    const state = availability(target);
    if (state.kind === 'available') {
      targets.push(target);
    } else {
      const { reason, retryAfterMs } = state;
      rejected = [...rejected, { target, reason, retryAfterMs }];
    }
  }
  if (route.strategy === 'weighted' && targets.length > 1) drawFirst(targets, random);
  return { targets, rejected };
}

/** Milliseconds until the first of the rejected can be tried; null when none was rejected. */
export function soonestRetryMs(rejected: readonly Rejection[]): number | null {
  let soonest: number | null = null;
  for (const { retryAfterMs } of rejected) soonest = Math.min(soonest ?? Infinity, retryAfterMs);
  return soonest;
}

/** Draws the first target by weight; the others follow, the heaviest first. */
function drawFirst(targets: Target[], random: Random): void {
  targets.sort((a, b) => b.weight - a.weight);
  let total = 0;
  for (const target of targets) total += target.weight;
  let left = random.float() * total;
  const drawn = targets.findIndex((target) => {
    left -= target.weight;
    return left < 0;
  });
  if (drawn > 0) targets.unshift(...targets.splice(drawn, 1));
}
