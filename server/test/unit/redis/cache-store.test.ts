/**
 * The shared cache on a real Redis beyond the contract: what it says when Redis is gone, what
 * other processes hear of purges with and without a push, and what it forgets.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CacheEntry } from '../../../src/gateway/ports/cache-store.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { createRedisCacheStore } from '../../../src/stores/redis/cache-store.ts';
import { followGenerations } from '../../../src/stores/redis/generations.ts';
import { generationKeyOf, PURGES_KEY, REMOVALS_KEY } from '../../../src/stores/redis/keys.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { createSweeper } from '../../../src/stores/redis/sweep.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

function entry(generation: string, keepUntilMs = Date.now() + 60_000): CacheEntry {
  return {
    ...{ dialect: 'openai', contentType: 'application/json', bytes: Buffer.from('{}') },
    ...{ terminal: null, usage: null, finishReasons: ['stop'], provider: 'p', providerModel: 'm' },
    ...{ generation, storedAtMs: Date.now(), freshUntilMs: keepUntilMs, keepUntilMs },
  };
}

async function open(t: TestContext, redis: TestRedis) {
  const { store } = await openTestStore(t, redis.address);
  const told: string[] = [];
  const figures = {
    lookedUp: (_tenant: string, found: boolean) => void told.push(found ? 'hit' : 'miss'),
    stored: () => void told.push('stored'),
    failed: () => void told.push('failed'),
  };
  const base = { redis: store, clock: systemClock, random: systemRandom, log: silentLog };
  const cache = createRedisCacheStore({ ...base, figures });
  const silent = createRedisCacheStore(base);
  const purged: (string | null)[] = [];
  cache.onPurge((tenant) => void purged.push(tenant));
  t.after(() => {
    cache.close();
    silent.close();
  });
  return { cache, silent, store, told, purged };
}

test('a Redis that is gone is a miss, no write, a purge that says so, and counted', async (t) => {
  const redis = await startRedis(t);
  const { cache, silent, told } = await open(t, redis);
  await cache.get('t', 'k');
  await cache.set('t', 'k', entry(cache.generation('t') ?? ''));
  assert.notEqual(await cache.get('t', 'k'), null);
  assert.deepEqual(told, ['miss', 'stored', 'hit']);
  const kept = entry(cache.generation('t') ?? '');

  await redis.kill();

  assert.equal(await cache.get('t', 'k'), null);
  await cache.set('t', 'other', kept);
  assert.equal(await silent.get('t', 'k'), null);
  await silent.set('t', 'k', kept);
  assert.deepEqual(told.slice(3), ['failed', 'failed']);
  await assert.rejects(cache.purge('t'), { code: 'shared_store_unavailable' });
  await assert.rejects(cache.remove('t', { model: 'p/m' }), { code: 'shared_store_unavailable' });
});

test('what is over, or of another generation, is not written', async (t) => {
  const redis = await startRedis(t);
  const { cache, silent } = await open(t, redis);
  await cache.get('t', 'k');

  await cache.set('t', 'k', entry(cache.generation('t') ?? '', Date.now() - 1));
  await cache.set('t', 'k', entry('another'));
  await silent.set('t', 'unknown', entry('g'));

  assert.equal(await cache.get('t', 'k'), null);
  assert.equal(await cache.get('t', 'unknown'), null);
  assert.equal(await redis.cli('--scan', '--pattern', '*:e').then((out) => out.length > 0), true);
});

test('a purge and a removal of one process are heard by another', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await open(t, redis), await open(t, redis)];
  await a.cache.get('t', 'k');
  await a.cache.set('t', 'k', entry(a.cache.generation('t') ?? ''));
  await b.cache.get('t', 'k');

  assert.equal(await a.cache.remove('t', { model: 'p/m' }), 1);
  await until('the removal is heard', () => b.purged.includes(null));
  await a.cache.purge('t');

  await until('the purge is heard', () => b.purged.includes('t'));
  assert.equal(b.cache.generation('t'), a.cache.generation('t'));
});

test('purges and removals that no push told of are heard of all the same', async (t) => {
  const redis = await startRedis(t);
  const { cache, purged } = await open(t, redis);
  await cache.get('t', 'k');
  await cache.get('gone', 'k');
  const before = cache.generation('t');

  await redis.cli('set', generationKeyOf('t'), 'another');
  await redis.cli('del', generationKeyOf('gone'));
  await redis.cli('set', PURGES_KEY, 'x');
  await redis.cli('set', REMOVALS_KEY, 'y');

  await until('both are heard', () => purged.includes('t') && purged.includes(null));
  assert.notEqual(before, 'another');
  assert.equal(cache.generation('t'), 'another');
  assert.equal(cache.generation('gone'), null);
});

test('what is known runs out where Redis cannot be asked, and comes back with it', async (t) => {
  const redis = await startRedis(t);
  const { cache } = await open(t, redis);
  await cache.get('t', 'k');
  const before = cache.generation('t');
  assert.notEqual(before, null);

  await redis.kill();
  await until('nothing is known', () => cache.generation('t') === null);
  await redis.restart();

  await until('it is known again', async () => {
    await cache.get('t', 'k');
    return cache.generation('t') !== null;
  });
  // Redis forgot everything: what was stored before must not match again.
  assert.notEqual(cache.generation('t'), before);
});

test('two processes that make the first generation agree on one', async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await open(t, redis), await open(t, redis)];

  await Promise.all([a.cache.get('t', 'k'), b.cache.get('t', 'k'), a.silent.get('t', 'k')]);

  assert.ok(a.cache.generation('t') !== null);
  assert.equal(b.cache.generation('t'), a.cache.generation('t'));
  assert.equal(a.silent.generation('t'), a.cache.generation('t'));
});

test('generations of so many tenants are known, and nothing is asked after the end', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const clock = createManualClock();
  const generations = followGenerations({
    ...{ redis: store, clock, random: systemRandom, changed: () => undefined },
    maxTenants: 2,
  });
  for (const tenant of ['a', 'b', 'c']) await generations.learn(tenant, null);
  assert.equal(generations.of('a'), null);
  assert.notEqual(generations.of('c'), null);

  clock.advance(1000); // the question is under way
  generations.close();

  const asked = store.background('after', (client) => client.ping());
  assert.equal(await asked, 'PONG');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.pendingTimers(), 0);
});

test('a purge that could not be read is asked for again', async (t) => {
  const redis = await startRedis(t);
  const { store, counted } = await openTestStore(t, redis.address);
  const clock = createManualClock();
  const changed: (string | null)[] = [];
  const generations = followGenerations({
    ...{ redis: store, clock, random: systemRandom },
    changed: (tenant) => void changed.push(tenant),
  });
  t.after(() => generations.close());
  await generations.learn('t', null);
  await redis.cli('del', generationKeyOf('t'));
  await redis.cli('lpush', generationKeyOf('t'), 'of another kind');
  await redis.cli('set', PURGES_KEY, 'x');

  clock.advance(1000);
  await until('it was refused', () => counted.has('cache_generations:command_failed'));
  await redis.cli('del', generationKeyOf('t'));
  await redis.cli('set', generationKeyOf('t'), 'another');
  await until('it waits for its next question', () => clock.pendingTimers() === 1);
  clock.advance(1000);

  await until('it is heard', () => changed.includes('t'));
  assert.equal(generations.of('t'), 'another');
});

/** The store, with something that happens while an answer of this operation is on its way. */
function meanwhile(store: RedisStore, operation: string, happens: () => Promise<unknown>) {
  const after = async <T>(op: string, answer: Promise<T>): Promise<T> => {
    const value = await answer;
    if (op === operation) await happens();
    return value;
  };
  return Object.assign(Object.create(store) as RedisStore, {
    hot: ((op, run) => after(op, store.hot(op, run))) as RedisStore['hot'],
    background: ((op, run, how) =>
      after(op, store.background(op, run, how))) as RedisStore['background'],
    subscribe: store.subscribe.bind(store),
    onResubscribed: store.onResubscribed.bind(store),
    onReturn: store.onReturn.bind(store),
  });
}

test('a lookup that was on its way while its tenant was purged finds nothing', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const base = { clock: systemClock, random: systemRandom, log: silentLog };
  const purge = { now: () => Promise.resolve() };
  const slow = meanwhile(store, 'cache_get', () => purge.now());
  const cache = createRedisCacheStore({ ...base, redis: slow });
  t.after(() => cache.close());
  await cache.get('t', 'k');
  const before = cache.generation('t');
  await cache.set('t', 'k', entry(before ?? ''));
  purge.now = () => cache.purge('t').then(() => undefined);

  assert.equal(await cache.get('t', 'k'), null);

  purge.now = () => Promise.resolve();
  assert.notEqual(cache.generation('t'), before);
  assert.equal(await cache.get('t', 'k'), null);
});

test('a question that crossed another answer is asked again, whichever was later', async (t) => {
  const redis = await startRedis(t);
  const { store, counted } = await openTestStore(t, redis.address);
  const clock = createManualClock();
  const lookup = { ends: async () => undefined as unknown };
  const crossed = meanwhile(store, 'cache_generations', () => lookup.ends());
  const generations = followGenerations({
    ...{ redis: crossed, clock, random: systemRandom, changed: () => undefined },
  });
  t.after(() => generations.close());
  await generations.learn('t', 'first');
  const questions = () => counted.get('cache_purges') ?? 0;
  const askNow = async () => {
    const before = questions();
    await until('it waits for its next question', () => clock.pendingTimers() === 1);
    clock.advance(1000);
    await until('it was asked', () => questions() > before);
    await until('it waits for the next one', () => clock.pendingTimers() === 1);
  };
  await askNow();
  for (const older of ['first', 'other']) {
    await redis.cli('set', generationKeyOf('t'), `after ${older}`);
    await redis.cli('set', PURGES_KEY, `after ${older}`);
    const known = generations.of('t');
    lookup.ends = () => generations.learn('t', older, known);
    await askNow();
    lookup.ends = async () => undefined;

    await askNow();

    assert.equal(generations.of('t'), `after ${older}`);
  }
});

test('what many purges leave is removed in turn, and no more than so many wait', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const lines: string[] = [];
  const log = { ...silentLog, debug: (line: string) => void lines.push(line) };
  const sweeper = createSweeper({ redis: store, log, generation: () => 'now' });

  for (let n = 0; n < 1500; n += 1) sweeper.leave(`t${n}`);

  await until('the last that waits is done', () => lines.length >= 1000);
  assert.ok(lines.length <= 1001, `${lines.length} were swept`);
});

test('a sweep that fails leaves the rest to its time, and the next one runs', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const lines: string[] = [];
  const log = { ...silentLog, debug: (line: string) => void lines.push(line) };
  const sweeper = createSweeper({ redis: store, log, generation: () => null });
  await redis.kill();
  sweeper.leave('t');
  await until('it failed', () => lines.some((line) => line.includes('by itself')));
  await redis.restart();
  await until('it is up', () => store.state().kind === 'up');

  sweeper.leave('t');

  await until('it is done', () => lines.some((line) => line.startsWith('Removed')));
});
