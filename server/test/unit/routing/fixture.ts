/**
 * Targets, requests and figures to route with, everything a test does not speak of filled in.
 */

import type { Availability, UnavailableReason } from '../../../src/gateway/model/availability.ts';
import type { StickyBy } from '../../../src/gateway/model/condition.ts';
import type { Principal } from '../../../src/gateway/model/principal.ts';
import type { InferenceRequest } from '../../../src/gateway/model/request.ts';
import type { Route, RouteStrategy } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { RequestFacts } from '../../../src/gateway/routing/facts.ts';
import { type OrderDeps, planRoute, type RoutePlan } from '../../../src/gateway/routing/order.ts';
import type { TargetFigures } from '../../../src/gateway/routing/strategies/strategy.ts';
import type { Random } from '../../../src/kernel/random.ts';
import { chatRequest, NO_CACHE, PRINCIPAL, TARGET } from '../pipeline/fakes.ts';

const CACHE = { ...NO_CACHE, enabled: false, ttlSeconds: 0, maxEntryBytes: 0 };

export function targetOf(id: string, changes: Partial<Target> = {}): Target {
  return { ...TARGET, id, ...changes };
}

export function routeOf(
  strategy: RouteStrategy,
  targets: readonly Target[],
  sticky?: StickyBy,
): Route {
  const route = { name: 'r', strategy, targets, targetSet: '', cache: CACHE };
  return sticky === undefined ? route : { ...route, sticky };
}

/** Targets by their weights. */
export function weighing(weights: Readonly<Record<string, number>>): readonly Target[] {
  return Object.entries(weights).map(([id, weight]) => targetOf(id, { weight }));
}

export interface FactsChanges {
  readonly request?: Partial<InferenceRequest>;
  readonly body?: InferenceRequest['body'];
  readonly principal?: Partial<Principal>;
  readonly headers?: readonly string[];
  readonly inputTokens?: number;
}

export function factsOf(changes: FactsChanges = {}): RequestFacts {
  const { request = {}, body, principal = {}, headers = [], inputTokens = 10 } = changes;
  return new RequestFacts(
    {
      request: chatRequest({ ...request, ...(body !== undefined && { body }) }),
      principal: { ...PRINCIPAL, ...principal },
      headers,
    },
    inputTokens,
  );
}

/** A die that shows these numbers in turn, and the last of them from then on. */
export function rolling(...values: readonly number[]): Random {
  let at = 0;
  return {
    float() {
      const value = values[Math.min(at, values.length - 1)] ?? 0;
      at += 1;
      return value;
    },
    bytes: (length) => new Uint8Array(length),
  };
}

export interface Figures {
  readonly ms?: Readonly<Record<string, number>>;
  readonly waiting?: Readonly<Record<string, number>>;
  readonly load?: Readonly<Record<string, number>>;
  readonly nanousd?: Readonly<Record<string, number>>;
}

function figuresOf({ ms, waiting, load, nanousd }: Figures): TargetFigures {
  return {
    expectedMs: ({ id }) => ms?.[id] ?? null,
    waiting: ({ id }) => waiting?.[id] ?? 0,
    load: ({ id }) => load?.[id] ?? 0,
    expectedNanousd: ({ id }) => nanousd?.[id] ?? null,
  };
}

export interface PlanChanges extends Figures {
  readonly random?: Random;
  readonly facts?: RequestFacts;
  /** Milliseconds until the target can be called again. */
  readonly down?: Readonly<Record<string, number>>;
  /** Why, where it is not an open breaker. */
  readonly reasons?: Readonly<Record<string, UnavailableReason>>;
}

export function planOf(route: Route, changes: PlanChanges = {}): RoutePlan {
  const { random = rolling(0), facts = factsOf(), down = {}, reasons = {} } = changes;
  const deps: OrderDeps = {
    random,
    figures: figuresOf(changes),
    availability: ({ id }): Availability =>
      down[id] === undefined
        ? { kind: 'available' }
        : {
            kind: 'unavailable',
            reason: reasons[id] ?? 'breaker_open',
            retryAfterMs: down[id],
          },
  };
  return planRoute(route, facts, deps);
}

/** The names of the targets in their order, run together. */
export function orderOf(route: Route, changes: PlanChanges = {}): string {
  return planOf(route, changes)
    .targets.map(({ id }) => id)
    .join('');
}
