/**
 * The cache that processes share, seen from outside: hits across processes, tenants apart,
 * purges, statistics that survive them, and what is stored.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const stops: (() => Promise<void>)[] = [];
let redis: TestRedis;
let first: TestGateway;
let second: TestGateway;

before(async () => {
  redis = await startRedis({ after: (stop) => void stops.push(stop) });
  // Keys of the cache come from the secret that processes of one installation share.
  const secret = { ESCLUSA_MASTER_SECRET: 'one-secret-for-both-of-these-processes' };
  const env = { ...secret, REDIS_URL: redis.url, LLM_CACHE_BACKEND: 'redis' };
  [first, second] = await Promise.all([startGateway({ env }), startGateway({ env })]);
  for (const gateway of [first, second]) {
    await until('it found its Redis', async () => {
      const { body } = await gateway.api('GET', '/health/ready');
      return body.status === 'ready';
    });
  }
});

after(async () => {
  await first.close();
  await second.close();
  for (const stop of stops) await stop();
});

const question = (content: string, model = 'mock') => ({
  ...{ model, temperature: 0 },
  messages: [{ role: 'user', content }],
});

async function ask(gateway: TestGateway, content: string, key?: string) {
  const answer = await gateway.chat(question(content), key);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return { text, cache: answer.headers.get('x-cache'), from: answer.headers.get('cache-status') };
}

const entries = async () =>
  (await redis.cli('--scan', '--pattern', '*:e')).split('\n').filter(Boolean);

/** An answer is written behind its end. */
const stored = (count: number) =>
  until('it is stored', async () => (await entries()).length >= count);

async function stats(gateway: TestGateway, tenant = '?tenant=default') {
  const { body, status } = await gateway.api('GET', `/cache/stats${tenant}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.cache;
}

test('one process gives what another was told, and each tenant its own', async () => {
  await first.api('POST', '/api/v1/tenants', { slug: 'neighbour', name: 'Neighbour' });
  const { secret } = await first.key({ tenant: 'neighbour' });
  const told = await ask(first, 'shared');
  assert.equal(told.cache, 'MISS');
  await stored(1);
  const given = await ask(second, 'shared');
  assert.equal(given.cache, 'HIT');
  assert.match(given.from ?? '', /redis/);
  assert.equal(given.text, told.text);
  assert.equal((await ask(second, 'shared')).from?.includes('memory'), true);
  assert.equal((await ask(first, 'shared', secret)).cache, 'MISS');
});

test('a purge by one process holds in the other and keeps the figures', async () => {
  await ask(first, 'to be purged');
  await ask(second, 'to be purged');
  const before = await stats(first);
  const { status, body } = await first.api('DELETE', '/api/v1/cache');
  assert.deepEqual([status, body.tenant], [200, 'default']);
  await until(
    'the other process noticed',
    async () => {
      const { cache } = await ask(second, 'to be purged');
      return cache === 'MISS';
    },
    2500,
  );
  await until('the figures of both are kept', async () => {
    const later = await stats(first);
    assert.ok(later.hits >= before.hits && later.misses >= before.misses);
    return later.hits > before.hits;
  });
});

test('both processes tell the same figures, and they add up', async () => {
  // Reading writes what a process counted since it last did.
  await stats(second);
  const { status } = await first.api('DELETE', '/api/v1/cache/stats?tenant=default');
  assert.equal(status, 200);
  const zero = await stats(second);
  assert.deepEqual([zero.hits, zero.misses, zero.hit_rate], [0, 0, 0]);
  const text = 'counted '.repeat(600);
  await ask(first, text);
  await until('it is stored', async () => (await stats(first)).tiers.redis.sets === 1);
  for (let n = 0; n < 3; n += 1) await ask(second, text);
  const own = await until('the flush', async () => {
    const figures = await stats(first);
    return figures.hits === 3 ? figures : null;
  });
  assert.equal(own.scope, 'shared');
  assert.deepEqual(
    [own.misses, own.total_requests, own.hit_rate, own.hit_rate_percent],
    [1, 4, 0.75, 75],
  );
  assert.deepEqual([own.tiers.memory.hits, own.tiers.redis.hits], [2, 1]);
  const { body } = await second.api('GET', '/cache/stats');
  assert.equal(body.cache.tenant, null);
  assert.ok(body.cache.hits >= 3);
  const { hits, misses, sets, errors } = body.cache.tiers.redis;
  for (const process of [first, second]) {
    const { stats: healths } = (await process.api('GET', '/api/v1/health')).body.checks.redis_cache;
    const { hit_rate: _rate, hit_rate_percent: _percent, ...told } = healths;
    assert.deepEqual(told, { hits, misses, sets, errors, total_requests: hits + misses });
  }
});

test('a Redis that was emptied is filled with the figures again', async () => {
  await ask(first, 'figures');
  const before = await stats(first);
  await redis.cli('flushall');
  await ask(first, 'figures again');
  const after = await until('they are back', async () => {
    const figures = await stats(first);
    return figures.misses > 0 ? figures : null;
  });
  assert.ok(after.hits + after.misses > 0 && before.hits + before.misses > 0);
});

test('single answers go by who gave them, and a long one is kept small', async () => {
  await first.api('DELETE', '/api/v1/cache');
  const long = await ask(first, `Repeat: ${'a long answer '.repeat(400)}`);
  const names = await until('it is stored', async () => {
    const found = await entries();
    return found.length > 0 ? found : null;
  });
  assert.ok(long.text.length > 0);
  const none = await first.api('DELETE', '/api/v1/cache?model=another');
  assert.equal(none.body.purged, 0);
  const some = await first.api('DELETE', '/api/v1/cache?model=mock/mock');
  assert.equal(some.body.purged, names.length);
  assert.deepEqual(await entries(), []);
  const wrong = await first.api('DELETE', '/api/v1/cache?pattern=%7Bx');
  assert.equal(wrong.status, 400);
});

test('garbage under our keys is a miss, and replaced', async () => {
  await first.api('DELETE', '/api/v1/cache');
  await ask(first, 'garbled');
  const [name = ''] = await until('it is stored', async () => {
    const found = await entries();
    return found.length > 0 ? found : null;
  });
  for (const garbage of ['', 'garbage', '\u0001\u0002', '\u0009'.repeat(5000)]) {
    await redis.cli('set', name, garbage);
    // Clears the memory in front of it, and no more.
    const cleared = await first.api('DELETE', '/api/v1/cache?entry=none');
    assert.deepEqual([cleared.status, cleared.body.purged], [200, 0]);
    await redis.cli('set', name, garbage);
    const again = await ask(first, 'garbled');
    assert.equal(again.cache, 'MISS', `${JSON.stringify(garbage)} ${again.from}`);
    await until(
      'it is replaced',
      async () => !['0', '2', '7', '5000'].includes(await redis.cli('strlen', name)),
    );
    assert.equal((await ask(first, 'garbled')).cache, 'HIT');
  }
});

test('figures and health need a credential and say what the store does', async () => {
  for (const path of ['/cache/stats', '/cache/health']) {
    assert.equal((await first.api('GET', path, undefined, 'esk_wrong')).status, 401);
  }
  const { body } = await first.api('GET', '/cache/health');
  assert.deepEqual(
    [body.status, body.healthy, body.backend, body.circuit_breaker_state],
    ['healthy', true, 'redis', 'closed'],
  );
  assert.deepEqual(body.connection_pool, { max_connections: 10 });
  assert.deepEqual(body.cache_health, {
    ...{ status: 'healthy', latency_ms: body.latency_ms },
    ...{ circuit_breaker_state: 'closed', connection_pool: { max_connections: 10 } },
  });
  assert.ok(body.latency_ms > 0 && body.redis_memory_used_mb > 0);
  const metrics = String((await first.api('GET', '/metrics')).body);
  assert.match(metrics, /redis_operations_total\{store="redis-cache",operation="cache_get"\} \d/);
  assert.match(metrics, /esclusa_cache_operations_total\{tier="redis",result="set"\} \d/);
  assert.match(metrics, /redis_up\{store="redis-state"\} 1/);
});
