/**
 * What a call will do before it does anything: the targets of the exchange's route in the order
 * of its strategy, and the error where none can be called. Asking changes nothing, so the call
 * stage and explain ask the same.
 */
import { assert } from '../../kernel/assert.ts';
import type { Random } from '../../kernel/random.ts';
import { expectedInputTokens, expectedNanousd } from '../accounting/estimate.ts';
import { GatewayError } from '../model/errors.ts';
import type { Route } from '../model/route.ts';
import type { Target } from '../model/target.ts';
import type { Bulkheads } from '../resilience/bulkhead.ts';
import type { PolicyStack } from '../resilience/policy-stack.ts';
import { type Asked, RequestFacts } from '../routing/facts.ts';
import type { LatencyFigures } from '../routing/latency-book.ts';
import { type OrderDeps, planRoute, type RoutePlan, soonestRetryMs } from '../routing/order.ts';
import type { TargetFigures } from '../routing/strategies/strategy.ts';

export interface PlanDeps {
  readonly policies: Pick<PolicyStack, 'availability'>;
  readonly bulkheads: Pick<Bulkheads, 'running'>;
  readonly latency: LatencyFigures;
  readonly random: Random;
}

export type Planner = (asked: Asked & { readonly route: Route | null }) => RoutePlan;

export function createPlanner(deps: PlanDeps): Planner {
  const order: OrderDeps = {
    random: deps.random,
    figures: figuresOf(deps),
    availability: (target: Target) => deps.policies.availability(target),
  };
  return (asked) => {
    assert(asked.route !== null, 'route comes before call');
    return planRoute(asked.route, factsOf(asked), order);
  };
}

export function factsOf(asked: Asked): RequestFacts {
  return new RequestFacts(asked, expectedInputTokens(asked.request));
}

/** Why nothing was tried: thrown where a plan has no target. */
export function nothingAvailable({ rejected }: RoutePlan): GatewayError {
  const retryAfterMs = soonestRetryMs(rejected);
  const isFull = rejected.length > 0 && rejected.every(({ reason }) => reason === 'bulkhead_full');
  const code = isFull ? 'overloaded' : 'no_target_available';
  return new GatewayError(code, retryAfterMs === null ? {} : { retryAfterMs });
}

/** What strategies go by, as it stands now. */
export function figuresOf({ bulkheads, latency }: PlanDeps): TargetFigures {
  return {
    expectedMs: (target, stream) => latency.expectedMs(target, stream),
    waiting: (target, stream) => latency.waiting(target, stream),
    load: ({ provider, maxConcurrency }) => bulkheads.running(provider) / maxConcurrency,
    expectedNanousd: (target, { request }) => expectedNanousd(request, target),
  };
}
