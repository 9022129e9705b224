/**
 * Goal: whatever overtakes whatever on the way to Redis, and whatever is lost there, no place
 * stays taken that nobody holds and no correction is lost or counted twice. Method: the store
 * over a real Redis, with a background lane that the test lets pass or fail.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LimitLease } from '../../../src/gateway/model/holds.ts';
import type { Limits } from '../../../src/gateway/model/principal.ts';
import { RedisFailure } from '../../../src/stores/redis/failure.ts';
import { createRedisLimitStore } from '../../../src/stores/redis/limit-store.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis, counted } = await openTestStore(owner, server.address);

/** A store whose background commands wait for the test. */
function withLane() {
  const held: (() => void)[] = [];
  const lane = { isHeld: false, isBroken: false, held };
  const background: RedisStore['background'] = async (op, run, options) => {
    if (lane.isHeld) await new Promise<void>((pass) => held.push(pass));
    if (lane.isBroken) throw new RedisFailure('breaker_open', op, 'not sent');
    return redis.background(op, run, options);
  };
  const through = new Proxy(redis, {
    get(target, name) {
      if (name === 'background') return background;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { lane, through };
}

let opened = 0;
/** A store with a tenant of its own, for which no time passes. */
function open(store: RedisStore = redis) {
  opened += 1;
  const tenant = `tenant-${opened}`;
  const clock = createManualClock();
  const limits = createRedisLimitStore({
    ...{ redis: store, clock, nowMs: () => 1_000_000 },
    name: `lease-${opened}`,
  });
  test.after(() => limits.close());
  const take = (each: Limits, tokens = 0, scope = 'key:a') =>
    limits.take([{ id: scope, limits: each }], tokens, tenant);
  return {
    ...{ limits, take, tenant },
    async granted(each: Limits, tokens = 0, scope = 'key:a'): Promise<LimitLease> {
      const decision = await take(each, tokens, scope);
      return decision.kind === 'granted' ? decision.lease : assert.fail(decision.reason);
    },
    places: async () => Number(await server.cli('zcard', `esclusa:places1:{t:${tenant}}:key:a`)),
    async remaining(tokensPerMinute: number, scope = 'key:a') {
      const { state } = await take({ tokensPerMinute }, 0, scope);
      return state.tokens?.remaining;
    },
  };
}

test('a place that is given back while its renewal is under way is free', async () => {
  const { lane, through } = withLane();
  const { limits, granted, places } = open(through);
  const lease = await granted({ concurrency: 1 });
  lane.isHeld = true;
  const renewing = limits.renew();
  await until('the renewal is under way', () => lane.held.length === 1);

  lease.release();
  await granted({ concurrency: 1 }); // tells the end, on its way past the renewal
  lane.isHeld = false;
  for (const pass of lane.held) pass();
  await renewing;
  await limits.settled();

  assert.equal(await places(), 1, 'the second one');
});

test('a place that is given back before its renewal is sent is free', async () => {
  const { limits, granted, places } = open();
  const lease = await granted({ concurrency: 1 });

  const renewing = limits.renew();
  lease.release();
  await renewing;
  await limits.settled();

  assert.equal(await places(), 0);
});

test('whatever overtakes whatever, all places are free and all tokens counted', async () => {
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom('take', 'take', 'correct', 'release', 'renew', 'hold', 'pass'),
      fc.nat(9),
      fc.nat(500),
    ),
    { minLength: 4, maxLength: 24 },
  );
  const seen = { overtaken: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { lane, through } = withLane();
      const { limits, granted, places, remaining } = open(through);
      const each = { concurrency: 1000, tokensPerMinute: 10_000 };
      const leases: { readonly lease: LimitLease; actual: number }[] = [];
      const renewals: Promise<void>[] = [];
      for (const [kind, pick, amount] of all) {
        const one = leases[pick % Math.max(1, leases.length)];
        if (kind === 'take') {
          const lease = await granted(each, 5);
          leases.push({ lease, actual: 5 });
        } else if (kind === 'correct' && one !== undefined) {
          one.actual = amount;
          one.lease.correctTokens(amount);
          if (lane.held.length > 0) seen.overtaken += 1;
        } else if (kind === 'release') {
          if (lane.held.length > 0) seen.overtaken += 1;
          one?.lease.release();
        } else if (kind === 'renew') renewals.push(limits.renew());
        else if (kind === 'hold') lane.isHeld = true;
        else if (kind === 'pass') lane.held.shift()?.();
        await new Promise(setImmediate);
      }
      for (const { lease } of leases) lease.release();
      await new Promise(setImmediate);
      lane.isHeld = false;
      for (const pass of lane.held) pass();
      await Promise.all(renewals);
      await limits.settled();
      assert.equal(await places(), 0);
      const used = leases.reduce((sum, { actual }) => sum + actual, 0);
      assert.equal(await remaining(each.tokensPerMinute), each.tokensPerMinute - used);
      limits.close();
    }),
    { numRuns: 80 },
  );
  assert.ok(seen.overtaken > 10, `${seen.overtaken} overtaken`);
});

test('what could not be told before it was sent is told with what comes next', async () => {
  const { lane, through } = withLane();
  const { limits, granted, places, remaining } = open(through);
  const lease = await granted({ concurrency: 1, tokensPerMinute: 1000 }, 10);
  lane.isBroken = true;
  lease.correctTokens(300);
  await limits.settled();

  lane.isBroken = false;
  lease.release();
  await limits.settled();

  assert.equal(await places(), 0);
  assert.equal(await remaining(1000), 700);
});

test('a correction that goes with what Redis refuses is counted, once', async () => {
  const { limits, take, granted, remaining } = open();
  const { lease } = { lease: await granted({ tokensPerMinute: 1000 }, 100) };
  await server.cli('lpush', `esclusa:use1:{t:tenant-${opened}}:key:broken`, 'x');

  lease.correctTokens(250);
  await assert.rejects(take({ tokensPerMinute: 1000 }, 1, 'key:broken'), {
    kind: 'command_failed',
  });
  await limits.settled();

  assert.equal(await remaining(1000), 750);
});

test('a request that took more tokens than can be owed makes no other count twice', async () => {
  const { limits, take, granted, remaining, tenant } = open();
  const other = await granted({ tokensPerMinute: 1000 }, 100, 'key:other');
  const lease = await granted({ tokensPerMinute: 1000 }, 1);

  other.correctTokens(300);
  lease.correctTokens(Number.MAX_SAFE_INTEGER);
  await limits.settled();

  assert.equal(await remaining(1000, 'key:other'), 700);
  assert.equal((await take({ tokensPerMinute: 1000 }, 1)).kind, 'refused');
  const lifeMs = Number(await server.cli('pttl', `esclusa:use1:{t:${tenant}}:key:a`));
  assert.ok(lifeMs > 86_400_000 && lifeMs <= 366 * 86_400_000, `${lifeMs}`);
});

test('what has nothing to say says nothing, not to the breaker either', async () => {
  const { limits, granted } = open();
  const amended = () => counted.get('limits.amend') ?? 0;
  const before = amended();

  const lease = await granted({ requestsPerMinute: 5 }, 10);
  lease.correctTokens(500);
  lease.release();
  const same = await granted({ tokensPerMinute: 500 }, 10);
  same.correctTokens(10);
  same.release();
  await limits.settled();

  assert.equal(amended(), before);
});

test('a place that was taken when nobody waited for the answer any more is free', async () => {
  const impatient = await openTestStore(owner, server.address, {
    ...{ hotMs: 60, breakerSettings: { failureThreshold: 1000, minimumCalls: 1000 } },
  });
  const { limits, take, granted, places } = open(impatient.store);
  (await granted({ concurrency: 1000 })).release();
  await limits.settled();

  server.freeze();
  await assert.rejects(take({ concurrency: 1 }), { kind: 'timeout' });
  server.thaw();
  await limits.settled();

  assert.equal(await places(), 0);
});
