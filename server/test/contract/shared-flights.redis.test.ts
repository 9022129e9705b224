/**
 * Shared flights on a real Redis: the contract, and what only Redis can do: freeze, vanish, and
 * forget. Each process has a store of its own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { RedisFailure } from '../../src/stores/redis/failure.ts';
import { entryKeyOf } from '../../src/stores/redis/keys.ts';
import { createRedisSharedFlights } from '../../src/stores/redis/shared-flights.ts';
import type { RedisStore } from '../../src/stores/redis/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { until } from '../support/until.ts';
import { sharedFlightsSuite } from './shared-flights.suite.ts';

const TIMES = { leaseMs: 900, keepMs: 2000, pollMs: 200 };
const NEVER = new AbortController().signal;

type Owner = Parameters<typeof startRedis>[0];

async function processOn(owner: Owner, redis: TestRedis, maxLogBytes?: number, times = TIMES) {
  const { store, counted } = await openTestStore(owner, redis.address);
  const flights = createRedisSharedFlights({
    ...{ store, clock: systemClock, random: systemRandom, times },
    ...(maxLogBytes === undefined ? {} : { maxLogBytes }),
  });
  return { flights, store, counted, kill: () => store.close() };
}

sharedFlightsSuite('redis', async (owner, maxLogBytes) => {
  const redis = await startRedis(owner);
  return {
    process: () => processOn(owner, redis, maxLogBytes),
    put: async (tenant, key) => void (await redis.cli('set', entryKeyOf(tenant, key), 'x')),
  };
});

test('redis: nothing is left of a flight that nobody followed', async (t) => {
  const redis = await startRedis(t);
  const { flights } = await processOn(t, redis);
  const entrance = await flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'lead');

  await entrance.log.release();

  assert.equal(await redis.cli('dbsize'), '0');
});

test('redis: everything of a flight that was followed is gone soon after it', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await processOn(t, redis), await processOn(t, redis)];
  const led = await a.flights.enter('t', 'k', true);
  const followed = await b.flights.enter('t', 'k', true);
  assert.ok(led.kind === 'lead' && followed.kind === 'follow');
  await led.log.append({ kind: 'end', terminal: null });
  assert.ok((await followed.feed.next(NEVER)) !== null);
  followed.feed.close();

  await until('the log is gone', async () => (await redis.cli('dbsize')) === '0');
});

test('redis: a Redis that freezes lets followers go and leaves newcomers alone', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address, { hotMs: 100, backgroundMs: 500 });
  const flights = createRedisSharedFlights({
    ...{ store, clock: systemClock, random: systemRandom, times: TIMES },
  });
  const other = await processOn(t, redis);
  const led = await other.flights.enter('t', 'k', true);
  const entrance = await until('a follower', async () => {
    const one = await flights.enter('t', 'k', true);
    return one.kind === 'follow' ? one : null;
  });
  assert.equal(led.kind, 'lead');
  const waiting = entrance.feed.next(NEVER);

  redis.freeze();
  t.after(() => redis.thaw());

  const startedMs = performance.now();
  assert.equal((await flights.enter('t', 'new', true)).kind, 'alone');
  assert.ok(performance.now() - startedMs < 500, 'a newcomer does not wait');
  assert.equal(await waiting, null);
});

test('redis: nobody waits for a call of its own that was given up before it began', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  let isImpatient = true;
  const impatient: Pick<RedisStore, 'hot' | 'background' | 'subscribe'> = {
    subscribe: (channel, listener) => store.subscribe(channel, listener),
    async hot(op, run) {
      const answer = await store.hot(op, run);
      if (isImpatient) throw new RedisFailure('timeout', op, 'it arrived, and its answer did not');
      return answer;
    },
    background: (op, run, options) =>
      isImpatient
        ? Promise.reject(new RedisFailure('breaker_open', op, 'nothing is sent'))
        : store.background(op, run, options),
  };
  const flights = createRedisSharedFlights({
    ...{ store: impatient, clock: systemClock, random: systemRandom },
    times: { ...TIMES, leaseMs: 60_000 },
  });

  assert.equal((await flights.enter('t', 'k', true)).kind, 'alone');
  assert.equal(await redis.cli('dbsize'), '1', 'its lease was left behind');
  isImpatient = false;

  assert.equal((await flights.enter('t', 'k', true)).kind, 'alone');
  await until('the lease is gone', async () => (await redis.cli('dbsize')) === '0');
  assert.equal((await flights.enter('t', 'k', true)).kind, 'lead');
});

test('redis: a leader whose Redis lost its lease stops writing, and says so', async (t) => {
  const redis = await startRedis(t);
  const { flights } = await processOn(t, redis);
  const entrance = await flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'lead');
  await redis.cli('flushall');

  assert.equal(await entrance.log.append({ kind: 'end', terminal: null }), false);
  assert.equal(entrance.log.watched().aborted, true);
  assert.equal((await flights.enter('t', 'k', true)).kind, 'lead');
});

test('redis: a leader that writes nothing keeps its lease', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await processOn(t, redis), await processOn(t, redis)];
  assert.equal((await a.flights.enter('t', 'k', true)).kind, 'lead');
  const startedMs = performance.now();

  await until('two leases have passed', async () => {
    const entrance = await b.flights.enter('t', 'k', true);
    assert.equal(entrance.kind, 'follow');
    return performance.now() - startedMs > 2 * TIMES.leaseMs;
  });
});

test('redis: what was written lives as long as its flight, however silent that is', async (t) => {
  const redis = await startRedis(t);
  const short = { ...TIMES, keepMs: 1200 };
  const start = () => processOn(t, redis, undefined, short);
  const [a, b, c] = [await start(), await start(), await start()];
  const led = await a.flights.enter('t', 'k', true);
  const first = await b.flights.enter('t', 'k', true);
  assert.ok(led.kind === 'lead' && first.kind === 'follow');
  const piece = { kind: 'piece', bytes: Buffer.from('x'), sequence: null } as const;
  assert.equal(await led.log.append(piece), true);
  assert.deepEqual(await first.feed.next(NEVER), [piece]);
  const sinceMs = performance.now();
  await until('it was silent for long', () => performance.now() - sinceMs > 2 * short.keepMs);

  const late = await c.flights.enter('t', 'k', true);

  assert.ok(late.kind === 'follow');
  assert.deepEqual(await late.feed.next(NEVER), [piece]);
});

test('redis: what another version wrote is not understood, and ends the following', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await processOn(t, redis), await processOn(t, redis)];
  await a.flights.enter('t', 'k', true);
  const entrance = await b.flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'follow');
  const lease = entryKeyOf('t', 'k').replace(/e$/, 'f');
  const token = await redis.cli('hget', lease, 't');

  await redis.cli('xadd', lease.replace(/f$/, `l.${token}`), '1-0', 'd', '?');

  assert.equal(await entrance.feed.next(NEVER), null);
});

test('redis: a follower that waits for news leaves with its signal at once', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await processOn(t, redis), await processOn(t, redis)];
  await a.flights.enter('t', 'k', true);
  const entrance = await b.flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'follow');
  const abort = new AbortController();
  const waiting = entrance.feed.next(abort.signal);
  await until('it has read', () => (b.counted.get('flight_read') ?? 0) > 0);

  abort.abort(new Error('left'));

  await assert.rejects(waiting, { message: 'left' });
});

test('redis: records that wait while the lease is lost are not taken either', async (t) => {
  const redis = await startRedis(t);
  const { flights } = await processOn(t, redis);
  const entrance = await flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'lead');
  const { log } = entrance;
  await redis.cli('flushall');
  const bytes = Buffer.from('x');

  const first = log.append({ kind: 'piece', bytes, sequence: null });
  const last = log.append({ kind: 'end', terminal: null });

  assert.equal(await first, true);
  assert.equal(await last, false);
  assert.equal(await log.append({ kind: 'piece', bytes, sequence: null }), false);
  assert.equal(await log.release(), true);
});

test('redis: news of a flight that is over concerns nobody', async (t) => {
  const redis = await startRedis(t);
  const { flights } = await processOn(t, redis);
  const own = await until('its channel', async () => {
    const channels = await redis.cli('pubsub', 'channels');
    return channels.split('\n').find((name) => name.startsWith('esclusa:flights:'));
  });

  assert.equal(await redis.cli('publish', own, 'nobody'), '1');

  assert.equal((await flights.enter('t', 'k', true)).kind, 'lead');
});

test('redis: a leader whose Redis is gone asks again, and learns what it lost', async (t) => {
  const redis = await startRedis(t);
  const { flights, counted } = await processOn(t, redis);
  const entrance = await flights.enter('t', 'k', true);
  assert.ok(entrance.kind === 'lead');
  const watched = entrance.log.watched();

  await redis.kill();
  await until('it asked in vain', () =>
    [...counted.keys()].some((name) => name.startsWith('flight_renew:')),
  );
  assert.equal(watched.aborted, false);
  await redis.restart();

  await until('it is told', () => watched.aborted);
});
