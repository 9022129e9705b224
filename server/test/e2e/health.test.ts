/**
 * Goal: health says what is, also while what it asks is dying: healthy, degraded with 200 while
 * Redis is away, unhealthy with 503 while the database is, alive all the while, and healthy
 * again without a restart. Method: the whole program over a real PostgreSQL and a real Redis.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();

test('healthy, degraded without Redis, unhealthy without the database, and back', async (t) => {
  const redis = await startRedis(t);
  const gateway = await startOnPostgres(t, await postgres.database(), {
    env: { REDIS_URL: redis.url },
  });
  const ask = (path: string) => gateway.api('GET', path);
  const told = (status: number, word: string) => async () => {
    const { status: own, body } = await ask('/api/v1/health');
    assert.equal((await ask('/health/live')).status, 200);
    return own === status && body.status === word && body;
  };

  const healthy = await until('all to be well', told(200, 'healthy'), 5000);
  assert.deepEqual([healthy.database, healthy.cache], ['connected', 'redis']);
  assert.deepEqual(Object.keys(healthy.checks.redis_cache.stats).sort(), [
    ...['errors', 'hit_rate', 'hit_rate_percent', 'hits', 'misses', 'sets', 'total_requests'],
  ]);
  const { body: database } = await ask('/health/database');
  const { stats } = database.checks.pool;
  assert.equal(stats.total_available + stats.checked_out, stats.pool_size + stats.max_overflow);

  await redis.kill();
  const degraded = await until('Redis to be missed', told(200, 'degraded'), 5000);
  assert.equal(degraded.checks.redis_cache.healthy, false);
  assert.equal((await ask('/health/ready')).status, 200);

  await postgres.server.kill();
  const unhealthy = await until('the database to be missed', told(503, 'unhealthy'), 5000);
  assert.equal(unhealthy.database, 'disconnected');

  await Promise.all([postgres.server.start(), redis.restart()]);
  await until('all to be well again', told(200, 'healthy'), 15_000);
});

test('without Redis its cache is told as switched off, and nothing is degraded', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());

  const { status, body } = await gateway.api('GET', '/api/v1/health');

  assert.deepEqual([status, body.status, body.cache], [200, 'healthy', 'memory']);
  assert.equal(body.checks.redis_cache.enabled, false);
  assert.equal(body.checks.redis_cache.healthy, true);
});

test('a cache that is switched off on purpose is degraded with 200', async (t) => {
  const gateway = await startGateway({ env: { LLM_CACHE_ENABLED: 'false' } });
  t.after(() => gateway.close());

  const { status, body } = await gateway.api('GET', '/api/v1/health');

  assert.deepEqual([status, body.status, body.cache], [200, 'degraded', 'disabled']);
});

test('the cache is told in one shape, whether there is a Redis or not', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());

  const { body: cache } = await gateway.api('GET', '/cache/health');
  assert.deepEqual(cache.cache_health, {
    ...{ status: 'healthy', latency_ms: null },
    ...{ circuit_breaker_state: 'closed', connection_pool: null },
  });
  const { body: figures } = await gateway.api('GET', '/cache/stats');
  assert.deepEqual(figures.cache.circuit_breaker, { state: 'closed', failures: 0 });
});
