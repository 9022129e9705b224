/** Where Redis is, in each way an operator can say it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showProblem } from '../../../src/config/index.ts';
import { loadText } from '../../support/config.ts';

const load = async (env: Record<string, string>) => (await loadText(null, env)).config.redis;

test('without a name of it there is none', async () => {
  assert.equal(await load({ REDIS_PORT: '6380', REDIS_PASSWORD: 'x' }), null);
});

test('an address holds user, password, database and whether it is TLS', async () => {
  const redis = await load({
    REDIS_URL: 'rediss://ana:p%40ss%2Fword@cache.internal:6390/3',
    REDIS_STATE_URL: 'redis://[::1]',
    REDIS_TLS_CA_FILE: '/etc/ca.pem',
  });
  assert.deepEqual(redis?.cache, {
    place: { kind: 'standalone', host: 'cache.internal', port: 6390 },
    ...{ username: 'ana', password: 'p@ss/word', database: 3, isSecure: true },
  });
  assert.deepEqual(redis?.state.place, { kind: 'standalone', host: '::1', port: 6379 });
  assert.equal(redis?.tlsCaFile, '/etc/ca.pem');
});

test('host, port and password are put together where there is no address, which wins', async () => {
  const parts = { REDIS_HOST: 'r', REDIS_PORT: '6380', REDIS_PASSWORD: 'secret' };
  const redis = await load(parts);
  assert.deepEqual(redis?.cache.place, { kind: 'standalone', host: 'r', port: 6380 });
  assert.equal(redis?.cache.password, 'secret');
  const both = await load({ ...parts, REDIS_URL: 'redis://other' });
  assert.deepEqual(both?.cache.place, { kind: 'standalone', host: 'other', port: 6379 });
});

test('sentinels and nodes of a cluster are lists of hosts', async () => {
  const sentinel = await load({
    ...{ REDIS_SENTINELS: 's1:26379, s2:26380', REDIS_SENTINEL_NAME: 'main', REDIS_TLS: 'true' },
    ...{ REDIS_PASSWORD: 'a', REDIS_SENTINEL_PASSWORD: 'b' },
  });
  assert.deepEqual(sentinel?.cache, {
    place: {
      ...{ kind: 'sentinel', name: 'main', sentinelPassword: 'b' },
      sentinels: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
    },
    ...{ username: null, password: 'a', database: 0, isSecure: true },
  });
  const cluster = await load({ REDIS_CLUSTER_NODES: 'n1:7000,n2:7001' });
  assert.deepEqual(cluster?.cache.place, {
    kind: 'cluster',
    nodes: [
      { host: 'n1', port: 7000 },
      { host: 'n2', port: 7001 },
    ],
  });
});

test('one Redis for cache and state works, and is warned about without its password', async () => {
  const env = { REDIS_URL: 'redis://:canary@r/0' };
  const { config, warnings } = await loadText(null, env);
  assert.equal(config.redis?.state, config.redis?.cache);
  assert.deepEqual(warnings.map(showProblem), [
    'environment REDIS_URL redis.url — serves cache and state alike: a Redis that evicts ' +
      '(`allkeys-lru`) may lose counters, budgets and locks; give them one of their own with ' +
      'redis.state_url (REDIS_STATE_URL)',
  ]);
  const apart = await loadText(null, { ...env, REDIS_STATE_URL: 'redis://s' });
  assert.deepEqual(apart.warnings, []);
});
