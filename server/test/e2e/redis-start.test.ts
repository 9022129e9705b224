/** Starting with a Redis that is there, that is not there yet, and that was never named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { freePort, startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const QUESTION = { model: 'mock', temperature: 0, messages: [{ role: 'user', content: 'hello' }] };

test('a Redis absent at the start is degraded with 200, and found when it comes', async (t) => {
  const port = await freePort();
  const gateway = await startGateway({ env: { REDIS_URL: `redis://127.0.0.1:${port}` } });
  t.after(() => gateway.close());
  const degraded = ['redis-cache', 'redis-state'];
  await until('it is missed', async () => {
    const { status, body } = await gateway.api('GET', '/health/ready');
    assert.equal(status, 200);
    return body.status === 'degraded' && body.degraded.join() === degraded.join();
  });
  const answer = await gateway.chat(QUESTION);
  assert.equal(answer.status, 200);
  await answer.text();
  await startRedis(t, { port });
  const ready = async () => (await gateway.api('GET', '/health/ready')).body.status === 'ready';
  await until('it is found', ready, 5000);
  const { body } = await gateway.api('GET', '/api/v1/circuit-breakers');
  const names = body.data.map(({ name }: { name: string }) => name);
  assert.deepEqual(
    degraded.filter((name) => names.includes(name)),
    degraded,
  );
  const health = await gateway.api('GET', '/api/v1/health');
  assert.equal(health.body.checks.redis_cache.healthy, true);
});

test('another master secret at the same Redis is refused, and told which variable', async (t) => {
  const redis = await startRedis(t);
  const start = (secret: string) =>
    startGateway({ env: { REDIS_URL: redis.url, ESCLUSA_MASTER_SECRET: secret } });
  const first = await start('the-secret-that-all-at-this-redis-have');
  t.after(() => first.close());

  await assert.rejects(start('a-secret-that-nobody-else-at-it-has'), {
    name: 'MasterSecretError',
    message: /^ESCLUSA_MASTER_SECRET .* is not that of the others at this Redis/,
  });
  const twin = await start('the-secret-that-all-at-this-redis-have');
  t.after(() => twin.close());

  assert.equal((await twin.api('GET', '/health/ready')).body.status, 'ready');
});
