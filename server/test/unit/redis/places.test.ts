/** The client on what is more than one server: a cluster, and a primary under sentinels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { defineScript, runScript } from '../../../src/stores/redis/client.ts';
import { createRedisLimitStore } from '../../../src/stores/redis/limit-store.ts';
import { startRedisCluster, startRedisSentinel } from '../../support/redis-cluster.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

test('a cluster serves keys of every node, scripts, messages and its primaries', async (t) => {
  const cluster = await startRedisCluster(t);
  const { store } = await openTestStore(t, cluster.address);
  const names = Array.from({ length: 30 }, (_, n) => `key${n}`);
  const script = defineScript("return redis.call('APPEND', KEYS[1], ARGV[1])");
  for (const name of names) {
    await store.background('set', (client) => client.set(name, name));
    await store.background('append', (client) => runScript(client, script, [name], ['!']));
  }
  const values = await store.background('get', (client) =>
    Promise.all(names.map((name) => client.get(name))),
  );
  assert.deepEqual(
    values,
    names.map((name) => `${name}!`),
  );
  const sizes = await Promise.all(cluster.nodes.map((node) => node.cli('dbsize')));
  assert.ok(
    sizes.every((size) => size !== '0'),
    sizes.join(),
  );
  assert.equal(store.masters().length, cluster.nodes.length);

  const heard: string[] = [];
  store.subscribe('news', (message) => heard.push(message.toString()));
  await until('a message is heard', async () => {
    await store.publish('news', 'x').catch(() => undefined);
    return heard.length > 0;
  });
});

test('in a cluster limits of many tenants are counted on their own nodes, at once', async (t) => {
  const cluster = await startRedisCluster(t);
  const { store } = await openTestStore(t, cluster.address);
  const limits = createRedisLimitStore({ redis: store, clock: systemClock, name: 'one' });
  t.after(() => limits.close());
  const scopes = [{ id: 'key:a', limits: { requestsPerMinute: 3, concurrency: 100 } }];
  const tenants = Array.from({ length: 20 }, (_, n) => `tenant-${n}`);

  const decisions = await Promise.all(
    tenants.flatMap((tenant) => Array.from({ length: 5 }, () => limits.take(scopes, 1, tenant))),
  );
  for (const decision of decisions) if (decision.kind === 'granted') decision.lease.release();
  await limits.settled();

  const granted = decisions.filter(({ kind }) => kind === 'granted');
  assert.equal(granted.length, 3 * tenants.length);
  const places = await Promise.all(cluster.nodes.map((node) => node.cli('keys', '*places*')));
  assert.equal(places.join(''), '', 'every place is given back');
  const uses = await Promise.all(cluster.nodes.map((node) => node.cli('keys', '*use1*')));
  assert.ok(uses.every((keys) => keys !== ''));
});

test('a cluster that lost one primary serves the others, and all when it is back', async (t) => {
  const cluster = await startRedisCluster(t);
  const { store } = await openTestStore(t, cluster.address);
  const [first] = cluster.nodes;
  assert.ok(first);
  await first.kill();
  await first.restart();
  await until('every slot is served again', async () => {
    const writes = Array.from({ length: 20 }, (_, n) =>
      store.background('set', (client) => client.set(`key${n}`, 'x')),
    );
    return Promise.all(writes).then(
      () => true,
      () => false,
    );
  });
});

test('sentinels lead to the primary, and to the next one when it fell', async (t) => {
  const { primary, replica, address } = await startRedisSentinel(t);
  const { store } = await openTestStore(t, address);
  await store.background('set', (client) => client.set('a', '1'));
  assert.equal(await primary.cli('get', 'a'), '1');
  await primary.kill();
  const wrote = () =>
    store
      .background('set', (client) => client.set('a', '2'))
      .then(
        () => true,
        () => false,
      );
  // A sentinel that was held up itself does nothing for 30 s ("tilt").
  await until('the replica was promoted and is found', wrote, 60_000);
  assert.equal(await replica.cli('get', 'a'), '2');
  assert.match(await replica.cli('role'), /^master/);
});

test('a primary that became a replica takes writes again once it is one no more', async (t) => {
  const { primary, replica } = await startRedisSentinel(t);
  const { store, lines } = await openTestStore(t, replica.address);
  const write = () => store.background('set', (client) => client.set('a', '1'));
  for (let tries = 0; tries < 8; tries += 1) await assert.rejects(write());
  await replica.cli('replicaof', 'no', 'one');
  const wrote = () =>
    write().then(
      () => true,
      () => false,
    );
  await until('it takes writes', wrote, 5000);
  assert.equal(await primary.cli('get', 'a'), '');
  assert.equal(lines.filter((line) => line.includes('takes no writes')).length, 1);
});
