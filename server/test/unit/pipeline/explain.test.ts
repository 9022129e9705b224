/**
 * Goal: explain says what a call then does, and asking changes nothing. Method: the stages route
 * and call as they are, over providers in memory, after a random history of calls; clock and die
 * are in the test's hands, so that explain and call see the same. A failure prints its seed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createCacheKeys } from '../../../src/gateway/caching/key.ts';
import type { Condition } from '../../../src/gateway/model/condition.ts';
import { asGatewayError, GatewayError } from '../../../src/gateway/model/errors.ts';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import type { Budget } from '../../../src/gateway/model/principal.ts';
import type { RouteStrategy } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { call } from '../../../src/gateway/pipeline/call.ts';
import { createExplain } from '../../../src/gateway/pipeline/explain.ts';
import { route } from '../../../src/gateway/pipeline/route.ts';
import { compose } from '../../../src/gateway/pipeline/stage.ts';
import type { Provider } from '../../../src/gateway/ports/provider.ts';
import type { Routes } from '../../../src/gateway/ports/routes.ts';
import type { UpstreamResponse } from '../../../src/gateway/ports/upstream.ts';
import { createBreakerRegistry } from '../../../src/gateway/resilience/breaker-registry.ts';
import { createBulkheads } from '../../../src/gateway/resilience/bulkhead.ts';
import { createFirstTokenBook } from '../../../src/gateway/resilience/first-token-budget.ts';
import { createKeyRotation } from '../../../src/gateway/resilience/key-rotation.ts';
import { createPolicyStack } from '../../../src/gateway/resilience/policy-stack.ts';
import { createRetryBudgets } from '../../../src/gateway/resilience/retry.ts';
import { createLatencyBook } from '../../../src/gateway/routing/latency-book.ts';
import { createRoutes } from '../../../src/gateway/routing/routes.ts';
import { answerCodecs, placePrompt } from '../../../src/http/index.ts';
import { noFaults } from '../../../src/kernel/fault.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Random } from '../../../src/kernel/random.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createSeededRandom } from '../../support/seeded-random.ts';
import { chatRequest, exchangeOf, NO_CACHE, PRINCIPAL, plainAnswer, TARGET } from './fakes.ts';

const CACHE = { ...NO_CACHE, enabled: true, ttlSeconds: 60, maxEntryBytes: 1000 };
const HEAD = { status: 200, headers: {} };
const BUDGET: Budget = { limitNanousd: 1, period: 'total' };

interface Behaviour {
  readonly tookMs: number;
  readonly fails: boolean;
}

interface Plan {
  readonly strategy: RouteStrategy;
  readonly sticky: boolean;
  readonly targets: readonly Partial<Target>[];
  readonly session: string | null;
  readonly isBudgeted: boolean;
  readonly history: readonly (readonly Behaviour[])[];
  readonly seed: number;
}

function targetsOf(plan: Plan): readonly Target[] {
  return plan.targets.map((changes, at) => {
    const provider = `p${at}`;
    return { ...TARGET, ...changes, id: `${provider}/m`, provider, model: 'm' };
  });
}

function routesOf({ strategy, sticky }: Plan, targets: readonly Target[]): Routes {
  const fast = { name: 'fast', strategy, targets, cache: CACHE };
  const label = { kind: 'metadata', name: 'session' } as const;
  return createRoutes({
    generation: 4,
    aliases: [sticky ? { ...fast, sticky: label } : fast],
    names: new Map([['role/router', 'fast']]),
    direct: () => undefined,
    short: () => undefined,
    directCache: CACHE,
    providerIdentity: (name) => name,
    listings: [],
  });
}

function setUp(plan: Plan) {
  const clock = createManualClock();
  const targets = targetsOf(plan);
  let die = createSeededRandom(plan.seed);
  let behaviours: readonly Behaviour[] = [];
  const random: Random = { float: () => die.float(), bytes: (length) => die.bytes(length) };
  const routes = routesOf(plan, targets);
  const breakers = createBreakerRegistry({ clock });
  const bulkheads = createBulkheads();
  const retryBudgets = createRetryBudgets(clock);
  const firstTokens = createFirstTokenBook();
  const policies = createPolicyStack({
    ...{ clock, random, breakers, bulkheads, retryBudgets, firstTokens },
  });
  const latency = createLatencyBook(clock, () => 10_000);
  const features = { isOn: () => true };
  const placed = { features, placePrompt, routes: () => routes };
  const deps = { clock, random, policies, bulkheads, latency, ...placed };
  const keyRotation = createKeyRotation(clock, { refused: () => undefined });
  const providerOf = (name: string): Provider =>
    inMemory(() => {
      const { tookMs, fails } = behaviours[Number(name.slice(1))] ?? { tookMs: 5, fails: false };
      clock.advance(tookMs);
      if (fails) throw new GatewayError('upstream_unavailable');
    });
  const handle = compose(
    [
      route(placed),
      call({
        ...{ ...deps, keyRotation, codecs: answerCodecs },
        providers: () => ({ get: providerOf }),
        passesTrace: () => true,
      }),
    ],
    noFaults,
  );
  return {
    explain: createExplain({ ...deps, keys: createCacheKeys(new Uint8Array(32)) }),
    /** Runs one exchange; every target behaves as told, in the order of the file. */
    async run(told: readonly Behaviour[]): Promise<{ tried: string[]; error: string | null }> {
      behaviours = told;
      const exchange = exchangeFor(plan, clock.monotonicMs());
      let error: string | null = null;
      try {
        await handle(exchange);
      } catch (thrown) {
        error = asGatewayError(thrown).code;
      }
      return { tried: exchange.attempts.map(({ target }) => target.id), error };
    },
    roll(seed: number) {
      die = createSeededRandom(seed);
    },
    /** Everything that asking could have changed. */
    state: () =>
      JSON.stringify([
        breakers.snapshot(),
        targets.map((target) => [
          latency.expectedMs(target, false),
          latency.waiting(target, false),
          bulkheads.running(target.provider),
          policies.availability(target),
        ]),
        clock.pendingTimers(),
      ]),
  };
}

function inMemory(send: () => void): Provider {
  const body = {
    collect: async () => Buffer.from('{}'),
    cancel: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('{}');
    },
  };
  return {
    adapter: {
      dialect: 'openai',
      encode: () => ({ method: 'POST', path: '/', headers: {}, body: null }),
      decodeAnswer: () => plainAnswer(),
      createStreamDecoder: () => assert.fail('no streams here'),
      decodeError: () => assert.fail('no answers that are errors here'),
      probe: () => assert.fail('nobody probes'),
    },
    upstream: {
      async send(): Promise<UpstreamResponse> {
        send();
        return { ...HEAD, body };
      },
    },
  };
}

function exchangeFor({ session, isBudgeted }: Plan, startedMs = 0): Exchange {
  const messages = [{ role: 'user', content: 'hola' }];
  const body: JsonObject = { messages, ...(session !== null && { metadata: { session } }) };
  const exchange = exchangeOf(chatRequest({ body }), startedMs);
  exchange.principal = { ...PRINCIPAL, budget: isBudgeted ? BUDGET : null };
  return exchange;
}

const price = (picousd: number) => ({
  ...{ id: `price_${picousd}`, inputPicousd: picousd, cachedInputPicousd: picousd },
  outputPicousd: picousd,
});

const behaviour = fc.record({ tookMs: fc.integer({ min: 1, max: 3000 }), fails: fc.boolean() });

const when = fc.constantFrom<Condition>(
  {},
  { metadata: { session: ['a', 'b'] } },
  { maxInputTokens: 1 },
  { stream: false },
);

const target = fc.record({
  weight: fc.nat(5),
  price: fc.option(fc.nat(3).map(price)),
  when: fc.array(when, { maxLength: 2 }),
  maxConcurrency: fc.constantFrom(0, 5, 10),
  breaker: fc.constantFrom(TARGET.breaker, {
    ...TARGET.breaker,
    ...{ failureThreshold: 1, minimumCalls: 1 },
  }),
});

const plans: fc.Arbitrary<Plan> = fc.record({
  strategy: fc.constantFrom<RouteStrategy>('fallback', 'weighted', 'latency', 'cost', 'least-busy'),
  sticky: fc.boolean(),
  targets: fc.array(target, { minLength: 1, maxLength: 5 }),
  session: fc.option(fc.constantFrom('a', 'b', 'c')),
  isBudgeted: fc.boolean(),
  history: fc.array(fc.array(behaviour, { minLength: 5, maxLength: 5 }), { maxLength: 12 }),
  seed: fc.integer(),
});

const ALL_FAIL = Array.from({ length: 5 }, () => ({ tookMs: 5, fails: true }));

describe('explain', () => {
  it('names the targets that a call then tries, in order, or the error it ends with', async () => {
    let called = 0;
    let refused = 0;
    const property = fc.asyncProperty(plans, async (plan) => {
      const { explain, run, roll } = setUp(plan);
      for (const told of plan.history) await run(told);

      roll(plan.seed);
      const { targets, refusal } = explain(exchangeFor(plan));
      roll(plan.seed);
      const { tried, error } = await run(ALL_FAIL);

      assert.deepEqual(
        tried,
        targets.map(({ target: { id } }) => id),
      );
      if (tried.length > 0) called += 1;
      else refused += 1;
      // What a budget cannot cover is refused by a stage that is not here.
      if (refusal !== null && refusal.code !== 'price_unknown') assert.equal(error, refusal.code);
      else if (tried.length > 0) assert.equal(error, 'upstream_unavailable');
    });

    await fc.assert(property, { numRuns: 1000 });

    assert.ok(called > 300 && refused > 30, `${called} were called, ${refused} refused`);
  });

  it('changes nothing, however often it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { explain, run, state } = setUp(plan);
        for (const told of plan.history) await run(told);
        const before = state();

        for (let i = 0; i < 5; i += 1) explain(exchangeFor(plan));

        assert.equal(state(), before);
      }),
      { numRuns: 200 },
    );
  });

  it('puts every target in exactly one of the two lists', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { explain, run } = setUp(plan);
        for (const told of plan.history) await run(told);

        const { targets, rejected } = explain(exchangeFor(plan));

        const ids = [...targets, ...rejected].map((one) => one.target.id);
        assert.deepEqual(
          ids.toSorted(),
          targetsOf(plan).map(({ id }) => id),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('an explanation', () => {
  const plan: Plan = {
    ...{ strategy: 'weighted', sticky: true, session: 'a', isBudgeted: false, history: [] },
    targets: [{ weight: 9 }, { weight: 1, price: null }],
    seed: 1,
  };

  it('says whether a label or a draw decided', () => {
    const reasons = (changes: Partial<Plan>) => {
      const changed = { ...plan, ...changes };
      const { targets, stickyValue } = setUp(changed).explain(exchangeFor(changed));
      return [stickyValue, ...targets.map(({ reason }) => reason)];
    };

    assert.deepEqual(reasons({}), ['a', 'sticky', 'sticky']);
    assert.deepEqual(reasons({ session: null }), [null, 'drawn', 'drawn']);
    assert.deepEqual(reasons({ sticky: false }), [null, 'drawn', 'drawn']);
    assert.deepEqual(reasons({ isBudgeted: true }), ['a', 'only']);
    assert.deepEqual(reasons({ strategy: 'least-busy' }), ['a', 'load', 'load']);
  });

  it('names a budget that no price covers, and a name that leads nowhere', () => {
    const unpriced = { ...plan, targets: [{ price: null }], isBudgeted: true };
    const { explain } = setUp(unpriced);
    const exchange = exchangeFor(unpriced);

    assert.equal(explain(exchange).refusal?.code, 'price_unknown');
    assert.equal(explain(exchange).reserveNanousd, null);
    exchange.request = { ...exchange.request, model: 'nobody' };
    assert.deepEqual(
      [explain(exchange).refusal?.code, explain(exchange).route],
      ['model_not_found', null],
    );
  });

  it('shows the targets behind a name that the key may not use', () => {
    const exchange = exchangeFor(plan);
    exchange.principal = { ...PRINCIPAL, models: ['other'] };

    const { refusal, targets } = setUp(plan).explain(exchange);

    assert.deepEqual([refusal?.code, targets.length], ['model_not_allowed', 2]);
  });

  it('gives one key under a role and its alias, and none where the cache is passed', () => {
    const { explain } = setUp(plan);
    const exchange = exchangeFor(plan);
    const keyOf = (model: string, temperature: number | null) => {
      const { cache } = explain({
        ...{ headers: [], principal: exchange.principal },
        request: { ...exchange.request, model, temperature },
      });
      return cache?.key ?? null;
    };

    assert.match(String(keyOf('fast', 0)), /^[\w-]{43}$/);
    assert.equal(keyOf('role/router', 0), keyOf('fast', 0));
    assert.equal(keyOf('fast', 1), null);
  });
});
