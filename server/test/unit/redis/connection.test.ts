/** What each form of address becomes in the client library: nothing of it may hang a request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterOptions,
  type RedisAddress,
  redisOptions,
} from '../../../src/stores/redis/connection.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const base: RedisAddress = {
  place: { kind: 'standalone', host: 'r', port: 6380 },
  ...{ username: 'ana', password: 'secret', database: 3, tls: null },
};
const clock = createManualClock();
const deps = { clock, random: { float: () => 0.5, bytes: () => new Uint8Array() } };

test('no default of the library that waits is left standing', () => {
  const options = redisOptions(deps, base, 'cache', 'hot');
  assert.equal(options.enableOfflineQueue, false);
  assert.equal(options.maxRetriesPerRequest, 0);
  assert.equal(options.autoResendUnfulfilledCommands, false);
  assert.equal(options.enableAutoPipelining, true);
  assert.equal(options.connectTimeout, 2000);
  assert.equal(options.commandTimeout, 1000);
  assert.equal(options.socketTimeout, 3000);
  assert.equal(options.keepAlive, 300_000);
  assert.equal(options.connectionName, 'esclusa-cache-hot');
  assert.deepEqual([options.username, options.password, options.db], ['ana', 'secret', 3]);
});

test('pauses between connections grow to a second and are jittered', () => {
  const { retryStrategy } = redisOptions(deps, base, 'cache', 'hot');
  assert.deepEqual(
    [1, 2, 3, 10, 5000].map((n) => retryStrategy(n)),
    [38, 75, 150, 750, 750],
  );
});

test('READONLY makes the connection anew, and not at every command', () => {
  const { reconnectOnError } = redisOptions(deps, base, 'cache', 'hot');
  const readonly = new Error('READONLY You can not write against a read only replica.');
  assert.equal(reconnectOnError(new Error('OOM command not allowed')), false);
  assert.equal(reconnectOnError(readonly), true);
  assert.equal(reconnectOnError(readonly), false);
  clock.advance(2000);
  assert.equal(reconnectOnError(readonly), true);
});

test('sentinels are asked for the primary under its name, with a password of their own', () => {
  const sentinels = [
    { host: 's1', port: 26379 },
    { host: 's2', port: 26380 },
  ];
  const options = redisOptions(
    deps,
    {
      ...base,
      place: { kind: 'sentinel', name: 'main', sentinels, sentinelPassword: 'other' },
      tls: { ca: 'PEM' },
    },
    'state',
    'background',
  );
  assert.ok('sentinels' in options);
  assert.deepEqual(options.sentinels, sentinels);
  assert.equal(options.name, 'main');
  assert.equal(options.sentinelPassword, 'other');
  assert.equal(options.password, 'secret');
  assert.equal(options.failoverDetector, true);
  assert.deepEqual([options.tls, options.sentinelTLS], [{ ca: 'PEM' }, { ca: 'PEM' }]);
  assert.equal('host' in options, false);
});

test('a cluster queues nothing, and its nodes are as impatient as a single server', () => {
  const nodes = [{ host: 'n1', port: 7000 }];
  const place = { kind: 'cluster', nodes } as const;
  const options = clusterOptions(deps, { ...base, place, database: 0 }, 'cache', 'hot');
  assert.equal(options.enableOfflineQueue, false);
  assert.equal(options.redisOptions.maxRetriesPerRequest, 0);
  assert.equal(options.redisOptions.password, 'secret');
  assert.equal(options.redisOptions.socketTimeout, 3000);
  assert.equal(options.clusterNodeRetryStrategy(1), 38);
});
