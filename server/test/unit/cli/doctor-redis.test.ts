/** What `esclusa doctor` says of each Redis: there or not, and keeping what it should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, startRedis } from '../../support/redis-server.ts';
import { createCommandLine } from './fixture.ts';

test('each Redis is asked, and told apart by what it is for', async (t) => {
  const line = await createCommandLine();
  t.after(() => line.remove());
  const redis = await startRedis(t, { password: 'canary', maxmemory: '50mb' });
  const gone = await freePort();
  line.env = { REDIS_URL: redis.url, REDIS_STATE_URL: `redis://:canary@127.0.0.1:${gone}` };

  const { out, exitCode } = await line.run('doctor');
  assert.equal(exitCode, 1);
  assert.match(out, /! Redis for cache takes nothing more once full: set maxmemory-policy/);
  assert.match(out, /✗ Redis for state does not answer \(.*ECONNREFUSED.*\)/);
  assert.ok(!out.includes('canary'), out);

  await redis.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
  line.env = { REDIS_URL: redis.url };
  const { out: later } = await line.run('doctor');
  assert.match(later, /✓ Redis for cache answers \(7\.\d+\.\d+, \d+ ms\)/);
  assert.match(later, /! Redis for state evicts \(allkeys-lru\) and may lose counters/);
});
