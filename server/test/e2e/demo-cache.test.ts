/**
 * Goal: demonstrations D1 and D2 as they are written: what one process was told another gives,
 * each tenant its own; answers are forgotten when their time is over or their tenant says so,
 * and long ones are kept small. Method: three real processes, as three programs and as three
 * workers of one, over a real Redis, with the built-in mock.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { ARRANGEMENTS, type Arrangement, ask, startThree } from '../support/three-processes.ts';
import { until } from '../support/until.ts';
import type { WorkerLine } from '../support/worker-lines.ts';

// A busy machine must not be taken for a slow Redis.
const PATIENT = { redis: { command_ms: 1000 } };
const TTL_MS = 2000;

async function start(t: TestContext, how: Arrangement, cache: object = {}) {
  const redis = await startRedis(t);
  const lines = await startThree(t, how, redis, { ...PATIENT, cache });
  return { redis, lines };
}

async function entries(redis: TestRedis): Promise<string[]> {
  const found = await redis.cli('--scan', '--pattern', 'esclusa:c:*:e');
  return found.split('\n').filter((name) => name !== '');
}

/** An answer is stored behind its end. */
function untilStored(redis: TestRedis, count: number): Promise<string[]> {
  return until(`${count} answers are stored`, async () => {
    const found = await entries(redis);
    return found.length >= count ? found : null;
  });
}

async function stats(line: WorkerLine, tenant: string) {
  const { status, body } = await line.ask('GET', `/cache/stats?tenant=${tenant}`);
  assert.equal(status, 200);
  return body.cache;
}

/** Makes a tenant and a key of it that all three know. */
async function strangerKey(lines: readonly WorkerLine[], slug: string): Promise<string> {
  const [first] = lines as [WorkerLine];
  await first.ask('POST', '/api/v1/tenants', { slug, name: slug });
  const { body } = await first.ask('POST', '/api/v1/keys', { name: 'stranger', tenant: slug });
  await until('all know the key', async () => {
    const all = await Promise.all(
      lines.map((line) => line.ask('GET', '/v1/models', undefined, body.key)),
    );
    return all.every(({ status }) => status === 200);
  });
  return body.key;
}

for (const how of ARRANGEMENTS) {
  describe(how, { timeout: 120_000 }, () => {
    test('D1: a miss at one is a hit at another, and a miss for another tenant', async (t) => {
      const { redis, lines } = await start(t, how);
      const [first, second, third] = lines;
      const key = await strangerKey(lines, 'stranger');
      const before = await stats(first, 'default');

      const miss = await ask(first, 'What is a lock?');
      await untilStored(redis, 1);
      const hit = await ask(second, 'What is a lock?');
      const other = await ask(third, 'What is a lock?');
      const strange = await ask(third, 'What is a lock?', { key });

      assert.deepEqual([miss.status, hit.status, strange.status], [200, 200, 200]);
      assert.deepEqual([miss.cache, hit.cache, other.cache], ['MISS', 'HIT', 'HIT']);
      assert.equal(strange.cache, 'MISS');
      const named = [miss, hit, other].map(({ headers }) => headers['x-esclusa-worker']);
      assert.equal(new Set(named).size, 3, `three workers answered: ${named}`);
      assert.match(String(hit.headers['cache-status']), /redis/);
      assert.equal(hit.text, miss.text);
      for (const line of lines) {
        await until('the figures grow, whoever is asked', async () => {
          const { hits, misses, scope } = await stats(line, 'default');
          return scope === 'shared' && hits === before.hits + 2 && misses === before.misses + 1;
        });
      }
    });

    test('D2: after its two seconds an answer is a miss, at every process', async (t) => {
      const { lines } = await start(t, how, { ttl_seconds: TTL_MS / 1000 });
      const [first, second, third] = lines;
      let sinceMs = 0;
      let text = '';
      // On a busy machine two seconds may be over before the second has been asked.
      await until('a hit at another while it is fresh', async () => {
        sinceMs = performance.now();
        text = `fleeting ${sinceMs}`;
        assert.equal((await ask(first, text)).cache, 'MISS');
        return (await ask(second, text)).cache === 'HIT';
      });

      await until('it is a miss', async () => (await ask(third, text)).cache === 'MISS');

      const keptMs = performance.now() - sinceMs;
      // Up to a tenth early, so that what was stored together is not renewed together.
      assert.ok(keptMs >= TTL_MS * 0.9, `it was kept ${keptMs} ms`);
      assert.ok(keptMs < TTL_MS + 3000, `it was kept ${keptMs} ms`);
    });

    test('D2: a purge forgets one tenant at all processes, and no figures', async (t) => {
      const { redis, lines } = await start(t, how);
      const [first, second, third] = lines;
      const key = await strangerKey(lines, 'stranger');
      await ask(first, 'kept');
      await ask(first, 'kept', { key });
      await untilStored(redis, 2);
      for (const line of lines) {
        assert.equal((await ask(line, 'kept')).cache, 'HIT');
        assert.equal((await ask(line, 'kept', { key })).cache, 'HIT');
      }
      const counted = await until('all hits are counted', async () => {
        const figures = await stats(second, 'default');
        return figures.hits === 3 ? figures : null;
      });

      const purge = await second.ask('DELETE', '/api/v1/cache?tenant=default');
      assert.deepEqual([purge.status, purge.body.tenant], [200, 'default']);
      await until(
        'nobody has it any more',
        async () => (await ask(third, 'kept')).cache === 'MISS',
        2000,
      );

      for (const line of lines) assert.equal((await ask(line, 'kept', { key })).cache, 'HIT');
      const later = await stats(first, 'default');
      assert.ok(later.hits >= counted.hits && later.misses >= counted.misses);
    });

    test('D2: an answer above 2 KB is stored in less than 60 % of its JSON', async (t) => {
      const { redis, lines } = await start(t, how);
      const [first, second] = lines;

      const long = await ask(first, 'at length', { model: 'mock:tokens=2000' });
      const [name = ''] = await untilStored(redis, 1);
      const storedBytes = Number(await redis.cli('strlen', name));
      const given = await ask(second, 'at length', { model: 'mock:tokens=2000' });

      const plainBytes = Buffer.byteLength(long.text);
      t.diagnostic(`${storedBytes} of ${plainBytes} bytes`);
      assert.ok(plainBytes > 2048, `${plainBytes} bytes`);
      assert.ok(storedBytes < plainBytes * 0.6, `${storedBytes} of ${plainBytes} bytes`);
      assert.deepEqual([given.cache, given.text], ['HIT', long.text]);
    });
  });
}
