/**
 * The cache stage: a stored answer, the answer of an identical call in flight, or a miss whose
 * answer others may then share.
 *
 * 1. The key contains the tenant and the route's set of targets; callers cannot widen it.
 * 2. Of N identical cacheable exchanges in flight, one goes on; it pays, the others are JOIN.
 * 3. When everything behind it failed and a stale entry is left, that is the answer, and the
 *    answer says so.
 *
 * Streams pass. `caching/policy` decides what may be looked up and stored.
 */
import { assert } from '../../kernel/assert.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { CacheKeys } from '../caching/key.ts';
import { ageSeconds, entryOf, freshness, planCache } from '../caching/policy.ts';
import { answerOf } from '../caching/replay.ts';
import { concernsLeaderOnly, type SingleFlight } from '../caching/single-flight.ts';
import type { Found, Tiers } from '../caching/tiers.ts';
import type { Answer, PlainAnswer } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { CacheStatus } from '../model/ledger-entry.ts';
import { mayFailOver } from '../resilience/policy-stack.ts';
import type { Handler, Stage } from './stage.ts';

export interface CacheDeps {
  readonly store: Tiers;
  readonly keys: CacheKeys;
  readonly flights: SingleFlight<SharedAnswer>;
  readonly clock: Clock;
  readonly random: Random;
}

/** What joiners are given: the answer, and who gave it. */
export interface SharedAnswer {
  readonly answer: Answer;
  readonly provider: string | null;
  readonly providerModel: string | null;
}

export function cache(deps: CacheDeps): Stage {
  return {
    name: 'cache',
    codes: ['cache_only_miss'],
    wrap: (next) => async (exchange) => {
      const { request, route, principal } = exchange;
      assert(route !== null && principal !== null, 'route and principal come before cache');
      const plan = planCache(request, route.cache);
      if (plan.kind === 'bypass') {
        setCache(exchange, 'BYPASS', null, null, plan.detail);
        return next(exchange);
      }
      const key = deps.keys.keyOf(principal.tenant, route, request);
      const near = plan.lookup ? deps.store.near(principal.tenant, key) : null;
      const found = near ?? (plan.lookup ? await deps.store.far(principal.tenant, key) : null);
      const state = found && freshness(plan, found.entry, deps.clock.wallMs());
      if (found !== null && state === 'fresh') return stored(deps, exchange, found, 'HIT', null);
      if (request.cacheControl.onlyIfCached) throw new GatewayError('cache_only_miss');
      try {
        return await fly(deps, exchange, next, key);
      } catch (thrown) {
        const error = asGatewayError(thrown);
        if (found === null || state !== 'stale' || !mayFailOver(error)) throw thrown;
        if (exchange.abort.signal.aborted) throw thrown;
        return stored(deps, exchange, found, 'STALE', error.code);
      }
    },
  };
}

/** Leads or joins the one call for this key; a joiner takes over where only the leader fell. */
async function fly(
  deps: CacheDeps,
  exchange: Exchange,
  next: Handler,
  key: string,
): Promise<Answer> {
  for (;;) {
    const flight = deps.flights.join(key, exchange.abort.signal, (work) =>
      lead(deps, exchange, next, key, work),
    );
    try {
      const shared = await flight.answer;
      if (flight.role === 'joiner') {
        setCache(exchange, 'JOIN');
        exchange.provider = shared.provider;
        exchange.providerModel = shared.providerModel;
      }
      return shared.answer;
    } catch (thrown) {
      const mayLead = flight.role === 'joiner' && !exchange.abort.signal.aborted;
      if (!mayLead || !concernsLeaderOnly(thrown)) throw thrown;
    }
  }
}

async function lead(
  deps: CacheDeps,
  exchange: Exchange,
  next: Handler,
  key: string,
  work: AbortController,
): Promise<SharedAnswer> {
  setCache(exchange, 'MISS');
  exchange.work = work;
  const generation = deps.store.generation(exchange.principal?.tenant ?? '');
  const answer = await next(exchange);
  if (answer.kind === 'plain') store(deps, exchange, key, answer, generation);
  return { answer, provider: exchange.provider, providerModel: exchange.providerModel };
}

function store(
  deps: CacheDeps,
  exchange: Exchange,
  key: string,
  answer: PlainAnswer,
  generation: string,
): void {
  const { principal, route, provider, providerModel } = exchange;
  if (principal === null || route === null || provider === null) return;
  const { operation } = exchange.request;
  const { cache: policy } = route;
  const from = { provider, providerModel: providerModel ?? '', generation, policy, operation };
  const entry = entryOf({ ...answer, terminal: null }, from, deps.clock.wallMs(), deps.random);
  if (entry !== null) void deps.store.set(principal.tenant, key, entry);
}

function stored(
  deps: CacheDeps,
  exchange: Exchange,
  { entry, tier }: Found,
  status: 'HIT' | 'STALE',
  detail: string | null,
): Answer {
  setCache(exchange, status, tier, ageSeconds(entry, deps.clock.wallMs()), detail);
  exchange.provider = entry.provider;
  exchange.providerModel = entry.providerModel;
  return answerOf(entry);
}

function setCache(
  exchange: Exchange,
  status: CacheStatus,
  tier: string | null = null,
  age: number | null = null,
  detail: string | null = null,
): void {
  exchange.cache = { status, tier, ageSeconds: age, detail };
}
