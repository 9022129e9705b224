/**
 * The cache stage: a stored answer, the answer of an identical call in flight, here or in
 * another process, or a miss whose answer others may then share. Streams are answers like
 * others.
 *
 * 1. The key contains the tenant and the route's set of targets; callers cannot widen it.
 * 2. Of N identical cacheable exchanges in flight, one goes on; it pays, the others are JOIN.
 * 3. A stale entry is given at once while it may be renewed behind the answer, and when
 *    everything behind the stage failed; the answer says so.
 *
 * What may be looked up and stored is decided in `caching/policy`; the call that is shared is
 * flown in `fly`.
 */
import { assert } from '../../kernel/assert.ts';
import type { CacheKeys } from '../caching/key.ts';
import { type CachePlan, freshness, planCache } from '../caching/policy.ts';
import type { Found } from '../caching/tiers.ts';
import type { Answer } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import { mayFailOver } from '../resilience/policy-stack.ts';
import type { CacheCall } from './flight-source.ts';
import { fly } from './fly.ts';
import { giveStored } from './give-stored.ts';
import { createRevalidate, type RevalidateDeps } from './revalidate.ts';
import type { Handler, Stage } from './stage.ts';

export interface CacheDeps extends RevalidateDeps {
  readonly keys: CacheKeys;
}

type Plan = Extract<CachePlan, { kind: 'use' }>;

/** `booked` observes and settles an exchange that the stage makes itself. */
export function cache(deps: CacheDeps, booked: (handler: Handler) => Handler): Stage {
  const revalidate = createRevalidate(deps, booked);

  /** What pleases: it is fresh, or is renewed behind the answer. */
  function given(call: CacheCall, found: Found): Answer {
    const { exchange } = call;
    if (found.entry.freshUntilMs > deps.clock.wallMs())
      return giveStored(deps.clock, exchange, found, 'HIT');
    revalidate(call);
    return giveStored(deps.clock, exchange, found, 'STALE', 'revalidating');
  }

  async function onlyStored(call: CacheCall): Promise<Answer> {
    const found = call.lookup ? await deps.store.far(call.tenant, call.key) : null;
    if (found !== null && call.pleases(found)) return given(call, found);
    const detail = 'only-if-cached';
    call.exchange.cache = { status: 'MISS', tier: null, ageSeconds: null, detail };
    throw new GatewayError('cache_only_miss');
  }

  return {
    name: 'cache',
    codes: ['cache_only_miss', 'shared_call_lost'],
    wrap: (next) => async (exchange) => {
      const { request, route, principal } = exchange;
      assert(route !== null && principal !== null, 'route and principal come before cache');
      const plan = planCache(request, route.cache, principal.cacheUse);
      if (plan.kind === 'bypass') {
        exchange.cache = { status: 'BYPASS', tier: null, ageSeconds: null, detail: plan.detail };
        return next(exchange);
      }
      const call = callOf(deps, exchange, next, plan);
      const near = plan.lookup ? deps.store.near(call.tenant, call.key) : null;
      if (near !== null && call.pleases(near)) return given(call, near);
      if (request.cacheControl.onlyIfCached) return onlyStored(call);
      try {
        const flown = await fly(deps, call);
        return flown.kind === 'answer' ? flown.answer : given(call, flown.found);
      } catch (thrown) {
        return standIn(deps, call, plan, thrown);
      }
    },
  };
}

function callOf(deps: CacheDeps, exchange: Exchange, next: Handler, plan: Plan): CacheCall {
  const { request, route, principal } = exchange;
  assert(route !== null && principal !== null, 'route and principal come before cache');
  const { tenant } = principal;
  const key = deps.keys.keyOf(tenant, route, request);
  exchange.cacheKey = key;
  const pleases = ({ entry }: Found): boolean => {
    const state = freshness(plan, entry, deps.clock.wallMs());
    return state === 'fresh' || state === 'renewable';
  };
  return { exchange, next, tenant, key, lookup: plan.lookup, pleases };
}

/** A stale answer where every target is down, or silent to the end; else what was thrown. */
async function standIn(
  deps: CacheDeps,
  { exchange, tenant, key }: CacheCall,
  plan: Plan,
  thrown: unknown,
): Promise<Answer> {
  const error = asGatewayError(thrown);
  const isDown = mayFailOver(error) || error.code === 'deadline_exceeded';
  if (!plan.lookup || !isDown || exchange.abort.signal.aborted) throw thrown;
  const found = deps.store.near(tenant, key) ?? (await deps.store.far(tenant, key));
  if (found === null) throw thrown;
  if (freshness(plan, found.entry, deps.clock.wallMs()) === 'unusable') throw thrown;
  return giveStored(deps.clock, exchange, found, 'STALE', error.code);
}
