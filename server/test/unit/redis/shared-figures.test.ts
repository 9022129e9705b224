/** Figures of several processes: summed, never counted twice, and not piled up by the dead. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createCacheBook } from '../../../src/stores/cache-book.ts';
import { shareFigures } from '../../../src/stores/redis/shared-figures.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

/** Durations moved by hand; timers are real. */
function movableClock() {
  let aheadMs = 0;
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    advance: (durationMs: number) => {
      aheadMs += durationMs;
    },
  };
}

async function open(t: TestContext, processes = ['a', 'b']) {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const all = processes.map((process) => {
    const clock = movableClock();
    const book = createCacheBook({ clock, process });
    const figures = shareFigures({ redis: store, book, clock });
    t.after(() => figures.close());
    return { book, figures, clock };
  });
  const [a, b] = all;
  assert.ok(a && b);
  return { redis, store, a, b };
}

test('what processes counted is summed, for each tenant and for all', async (t) => {
  const { a, b } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  a.book.ended('other', 'MISS', null);
  b.book.ended('t', 'HIT', 'redis');
  b.book.stored('t', 1000, 400);
  await Promise.all([a.figures.flush(), b.figures.flush()]);
  const counts = await a.figures.read('t');
  assert.deepEqual([counts.hits, counts.memory_hits, counts.memory_misses], [2, 1, 1]);
  assert.deepEqual([counts.redis_plain_bytes, counts.redis_kept_bytes], [1000, 400]);
  const together = await b.figures.read(null);
  assert.deepEqual([together.hits, together.misses], [2, 1]);
});

test('writing again counts nothing twice, and fills a Redis that was emptied', async (t) => {
  const { redis, a } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  for (let n = 0; n < 5; n += 1) assert.equal((await a.figures.read('t')).hits, 1);
  await redis.cli('flushall');
  assert.equal((await a.figures.read('t')).hits, 1);
});

test('a reset begins anew for every process, and later counts are all there', async (t) => {
  const { a, b } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  b.book.ended('t', 'MISS', null);
  await b.figures.flush();
  await a.figures.reset('t');
  assert.equal((await b.figures.read('t')).misses, 0);
  b.book.ended('t', 'MISS', null);
  await b.figures.flush();
  const counts = await a.figures.read('t');
  assert.deepEqual([counts.hits, counts.misses], [0, 1]);
});

test('pages of the dead are folded into one, and change no sum', async (t) => {
  const { redis, store, a } = await open(t);
  for (let n = 0; n < 500; n += 1) {
    await store.background('set', (client) =>
      client.hset('esclusa:stats:t', { [`dead${n}|hits`]: 2, [`dead${n}|at`]: 1 }),
    );
  }
  a.book.ended('t', 'HIT', 'memory');
  assert.equal((await a.figures.read('t')).hits, 1001);
  assert.equal(await redis.cli('hget', 'esclusa:stats:t', 'gone|hits'), '1000');
  assert.ok(Number(await redis.cli('hlen', 'esclusa:stats:t')) < 40);
  assert.equal((await a.figures.read('t')).hits, 1001);
});

test('a process that was away goes on with a new page and only what is new', async (t) => {
  const { redis, a } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  await a.figures.read('t');
  a.clock.advance(3_600_000);
  a.book.ended('t', 'HIT', 'memory');
  assert.equal((await a.figures.read('t')).hits, 2);
  const fields = (await redis.cli('hkeys', 'esclusa:stats:t')).split('\n');
  assert.equal(fields.filter((field) => field.endsWith('|hits')).length, 2);
});

test('all tenants together begin anew with a reset of their own', async (t) => {
  const { a } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  assert.equal((await a.figures.read(null)).hits, 1);

  await a.figures.reset(null);

  assert.equal((await a.figures.read(null)).hits, 0);
  assert.equal((await a.figures.read('t')).hits, 1);
  assert.equal((await a.figures.read('nobody')).hits, 0);
});

test('figures are written by themselves, also those counted while Redis was away', async (t) => {
  const { redis, store, a, b } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  await until('they are there', async () => (await b.figures.read('t')).hits === 1);

  await redis.kill();
  await until('it is gone', () => store.state().kind !== 'up');
  a.book.ended('t', 'HIT', 'memory');
  await a.figures.flush();
  await redis.restart();

  await until('they are there too', async () => {
    const counts = await b.figures.read('t').catch(() => null);
    return counts?.hits === 2;
  });
});

test('a write that fails is made again, and after the end none is', async (t) => {
  const { redis, a, b } = await open(t);
  a.book.ended('t', 'HIT', 'memory');
  // Writes are refused while the connection stands.
  await redis.cli('config', 'set', 'maxmemory', '1');
  await a.figures.flush();
  await redis.cli('config', 'set', 'maxmemory', '0');

  await a.figures.flush();

  assert.equal((await b.figures.read('t')).hits, 1);
});

test('more tenants than are remembered as written are written all the same', async (t) => {
  const { store, b } = await open(t);
  const clock = createManualClock();
  const book = createCacheBook({ clock, process: 'c' });
  const figures = shareFigures({ redis: store, book, clock, maxWritten: 2 });
  for (const tenant of ['t', 'u', 'v']) book.ended(tenant, 'HIT', 'memory');

  await figures.flush();
  book.ended('t', 'HIT', 'memory');
  clock.advance(2000); // it writes by itself, and is closed meanwhile
  figures.close();

  await until('all is there', async () => (await b.figures.read('t')).hits === 2);
  assert.equal((await b.figures.read('v')).hits, 1);
  assert.equal((await b.figures.read(null)).hits, 4);
  assert.equal(clock.pendingTimers(), 0);
});
