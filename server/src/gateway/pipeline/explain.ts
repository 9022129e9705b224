/**
 * What would become of a request, without doing it: the same functions as the stages route,
 * cache, reserve and call, asked in their order and going on where a stage would refuse.
 *
 * Nothing is looked up in the cache, counted, reserved, recorded or sent: of the breakers, the
 * latency book and the places it only reads. A draw is one of many, the next draws again.
 */
import {
  expectedInputTokens,
  expectedNanousd,
  expectedOutputTokens,
  upperBoundNanousd,
} from '../accounting/estimate.ts';
import type { CacheKeys } from '../caching/key.ts';
import { planCache } from '../caching/policy.ts';
import type { GatewayError } from '../model/errors.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Route } from '../model/route.ts';
import type { Target } from '../model/target.ts';
import type { Routes } from '../ports/routes.ts';
import type { Asked } from '../routing/facts.ts';
import type { RoutePlan } from '../routing/order.ts';
import { stickyValue } from '../routing/strategies/sticky.ts';
import type {
  ExplainedCache,
  ExplainedRejection,
  ExplainedTarget,
  Explanation,
  OrderReason,
} from './explanation.ts';
import { createPlanner, factsOf, figuresOf, nothingAvailable, type PlanDeps } from './plan-call.ts';
import { priceUnknown } from './reserve.ts';
import { notAllowed, notFound, place, type RouteDeps } from './route.ts';

export interface ExplainDeps extends PlanDeps, RouteDeps {
  /** null where the secret of keys is not known. */
  readonly keys: CacheKeys | null;
}

export type Explain = (asked: Asked) => Explanation;

export function createExplain(deps: ExplainDeps): Explain {
  const planCall = createPlanner(deps);
  return (given) => {
    const routes = deps.routes();
    const found = routes.resolve(given.request.model);
    const forbidden = notAllowed(given, found);
    if (found === undefined) return nowhere(routes, given, forbidden ?? notFound(given));
    const { selection, placed: route, asked, refusal } = place(deps, routes, given, found);
    const facts = factsOf(asked);
    const plan = planCall({ ...asked, route });
    const bound = upperBoundNanousd(asked.request, route.targets);
    return {
      ...nowhere(routes, asked, null),
      refusal:
        forbidden ??
        refusal ??
        (facts.isBudgeted && bound === null ? priceUnknown(asked.request.model) : null) ??
        (plan.targets.length === 0 ? nothingAvailable(plan) : null),
      route,
      stickyValue: route.sticky === undefined ? null : stickyValue(route.sticky, facts),
      reserveNanousd: bound,
      targets: plan.targets.map((target) => ({
        ...figuresFor(deps, asked.request, target),
        reason: reasonOf(deps, asked, route, plan),
      })),
      rejected: [
        ...selection.unfit.map((one) => ({ ...one, retryAfterMs: null })),
        ...plan.rejected.map((one) => ({ ...one, detail: null })),
        ...declined(route, plan),
      ],
      cache: cacheOf(deps, asked, route),
    };
  };
}

/** Targets that a client's header leaves out. */
function declined({ targets }: Route, plan: RoutePlan): readonly ExplainedRejection[] {
  const listed = new Set([...plan.targets, ...plan.rejected.map(({ target }) => target)]);
  return targets
    .filter((target) => !listed.has(target))
    .map((target) => ({ target, reason: 'fallback_declined', detail: null, retryAfterMs: null }));
}

function nowhere(
  { generation }: Routes,
  { request }: Asked,
  refusal: GatewayError | null,
): Explanation {
  return {
    ...{ refusal, generation, route: null, stickyValue: null, reserveNanousd: null, cache: null },
    inputTokens: expectedInputTokens(request),
    outputTokens: expectedOutputTokens(request),
    targets: [],
    rejected: [],
  };
}

function figuresFor(
  deps: PlanDeps,
  request: InferenceRequest,
  target: Target,
): Omit<ExplainedTarget, 'reason'> {
  const figures = figuresOf(deps);
  return {
    target,
    expectedNanousd: expectedNanousd(request, target),
    upperBoundNanousd: upperBoundNanousd(request, [target]),
    expectedMs: figures.expectedMs(target, request.stream),
    waiting: figures.waiting(target, request.stream),
    load: figures.load(target),
  };
}

function reasonOf(
  { policies }: PlanDeps,
  asked: Asked,
  { strategy, sticky }: Route,
  { targets: [first, second] }: RoutePlan,
): OrderReason {
  if (first !== undefined && second === undefined) {
    return policies.availability(first).kind === 'available' ? 'only' : 'last_resort';
  }
  switch (strategy) {
    case 'weighted': {
      const value = sticky === undefined ? null : stickyValue(sticky, factsOf(asked));
      return value === null ? 'drawn' : 'sticky';
    }
    case 'fallback':
      return 'listed';
    case 'least-busy':
      return 'load';
    default:
      return strategy;
  }
}

function cacheOf({ keys }: ExplainDeps, asked: Asked, route: Route): ExplainedCache {
  const plan = planCache(asked.request, route.cache, asked.principal?.cacheUse ?? 'default');
  const tenant = asked.principal?.tenant ?? null;
  const key =
    plan.kind === 'bypass' || keys === null || tenant === null
      ? null
      : keys.keyOf(tenant, route, asked.request);
  return { plan, policy: route.cache, key };
}
