/** The client of a shared store against a real server: working, dead, frozen, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { defineScript, runScript, runScriptBuffer } from '../../../src/stores/redis/client.ts';
import { RedisFailure } from '../../../src/stores/redis/failure.ts';
import { createRequestWaits } from '../../../src/stores/redis/request-waits.ts';
import { createLogScope } from '../../../src/telemetry/log-scope.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { freePort, localAddress, startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

const SHORT = { hotMs: 100, backgroundMs: 500 };

const failure = (kind: RedisFailure['kind']) => (error: unknown) =>
  error instanceof RedisFailure && error.kind === kind;

test('commands run on both lanes and are counted by name', async (t) => {
  const redis = await startRedis(t);
  const { store, counted, lines } = await openTestStore(t, redis.address);
  await store.background('set', (client) => client.set('a', Buffer.from([0, 255])));
  const value = await store.hot('get', (client) => client.getBuffer('a'));
  assert.deepEqual(value, Buffer.from([0, 255]));
  assert.equal(counted.get('set'), 1);
  assert.equal(counted.get('get'), 1);
  assert.deepEqual(lines, ['info The cache store on Redis is available']);
});

test('a script runs by its hash, and in full where the server forgot it', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const script = defineScript("return {redis.call('INCRBY', KEYS[1], ARGV[1]), ARGV[2]}");
  const add = () =>
    store.background('add', (client) => runScript(client, script, ['n'], [2, 'words']));
  assert.deepEqual(await add(), [2, 'words']);
  await redis.cli('script', 'flush');
  assert.deepEqual(await add(), [4, 'words']);
  const raw = await store.background('add', (client) =>
    runScriptBuffer(client, script, ['n'], [1, Buffer.from([255])]),
  );
  assert.deepEqual(raw, [5, Buffer.from([255])]);
});

test('a fault of a command is told and does not count against the server', async (t) => {
  const redis = await startRedis(t);
  const { store, breaker } = await openTestStore(t, redis.address);
  await store.background('set', (client) => client.set('text', 'x'));
  for (let i = 0; i < 10; i += 1) {
    const wrong = store.background('incr', (client) => client.incr('text'));
    await assert.rejects(wrong, failure('command_failed'));
  }
  assert.equal(breaker(), 'closed');
});

test('a frozen server costs five short waits, then none, and heals by itself', async (t) => {
  const redis = await startRedis(t);
  const { store, breaker, lines } = await openTestStore(t, redis.address, SHORT);
  redis.freeze();
  let failed = 0;
  await until('the breaker opens', async () => {
    await store.hot('get', (client) => client.get('a')).catch(() => (failed += 1));
    return breaker() === 'open';
  });
  assert.ok(failed <= 6, `${failed} commands waited`);
  await assert.rejects(
    store.hot('get', (client) => assert.fail(`sent to ${client}`)),
    failure('breaker_open'),
  );
  assert.equal(store.state().kind, 'down');
  redis.thaw();
  await until('it is back', () => store.state().kind === 'up', 5000);
  assert.equal(await store.hot('get', (client) => client.get('a')), null);
  assert.equal(lines.length, 3, lines.join('\n'));
});

test('a wait in which this process stood still counts nothing against the server', async (t) => {
  const redis = await startRedis(t);
  const { store, breaker } = await openTestStore(t, redis.address, SHORT);
  redis.freeze();
  t.after(() => redis.thaw());
  for (let i = 0; i < 8; i += 1) {
    let isOver = false;
    const standStill = (): void => {
      const endMs = performance.now() + 60;
      while (performance.now() < endMs);
      if (!isOver) setImmediate(standStill);
    };
    const asked = store
      .hot('get', (client) => client.get('a'))
      .finally(() => {
        isOver = true;
      });
    setImmediate(standStill);
    await assert.rejects(asked, failure('timeout'));
  }
  assert.equal(breaker(), 'closed');
});

test('a killed server fails commands at once, and its return needs nobody', async (t) => {
  const redis = await startRedis(t);
  const { store, breaker, lines } = await openTestStore(t, redis.address);
  let returns = 0;
  store.onReturn(() => (returns += 1));
  await redis.kill();
  await until('it is noticed', () => store.state().kind === 'down');
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(
      store.hot('get', (client) => client.get('a')),
      RedisFailure,
    );
  }
  assert.equal(breaker(), 'open');
  await redis.restart();
  await until('it is back', () => store.state().kind === 'up', 5000);
  assert.equal(breaker(), 'closed');
  assert.equal(returns, 1);
  assert.equal(lines.length, 3, lines.join('\n'));
});

test('a server that is absent at the start is found when it comes', async (t) => {
  const port = await freePort();
  const { store } = await openTestStore(t, localAddress(port), { untilUp: false });
  await until('it is missed', () => store.state().kind === 'down');
  await assert.rejects(
    store.hot('get', (client) => client.get('a')),
    RedisFailure,
  );
  await startRedis(t, { port });
  await until('it is found', () => store.state().kind === 'up', 5000);
});

test('a request waits no longer than its budget, all commands together', async (t) => {
  const redis = await startRedis(t);
  const clock = createManualClock();
  const scope = createLogScope();
  const waits = createRequestWaits(scope.current, 40);
  const { store } = await openTestStore(t, redis.address, { clock, waits, hotMs: 25 });
  const outcome = () => store.hot('get', (client) => client.get('a')).catch(({ kind }) => kind);
  redis.freeze();
  t.after(() => redis.thaw());

  await scope.run({ requestId: 'req_1', correlationId: 'one' }, async () => {
    for (const waitMs of [25, 15]) {
      const asked = outcome();
      clock.advance(waitMs - 1);
      assert.equal(await Promise.race([asked, turnOfTheLoop('it waits')]), 'it waits');
      clock.advance(1);
      assert.equal(await asked, 'timeout');
    }
    assert.equal(await outcome(), 'wait_spent');
  });
});

test('subscriptions outlive their connection', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const heard: string[] = [];
  let subscribed = 0;
  store.onResubscribed(() => (subscribed += 1));
  const leave = store.subscribe('news', (message) => heard.push(message.toString()));
  await until('it listens', () => subscribed === 1);
  await store.publish('news', 'one');
  await until('it hears', () => heard.length === 1);
  await redis.restart();
  await until('it listens again', () => subscribed === 2);
  await until('a message goes out', () =>
    store.publish('news', 'two').then(
      () => true,
      () => false,
    ),
  );
  await until('it hears again', () => heard.length === 2);
  assert.deepEqual(heard, ['one', 'two']);
  leave();
  await until('nobody listens', async () => (await redis.cli('pubsub', 'channels')) === '');
});

test('a full server answers reads, and says so once', async (t) => {
  const redis = await startRedis(t);
  const { store, breaker, lines } = await openTestStore(t, redis.address);
  await store.background('set', (client) => client.set('a', '1'));
  await redis.cli('config', 'set', 'maxmemory', '1');
  for (let i = 0; i < 8; i += 1) {
    const write = store.background('set', (client) => client.set('a', '2'));
    await assert.rejects(write, failure('write_refused'));
  }
  assert.equal(await store.hot('get', (client) => client.get('a')), '1');
  assert.equal(breaker(), 'closed');
  assert.match(store.state().refusing ?? '', /OOM/);
  assert.equal(lines.filter((line) => line.includes('takes no writes')).length, 1);
});

test('a password and TLS are used, and a wrong authority is refused', async (t) => {
  const redis = await startRedis(t, { tls: true, password: 'p@ss/word' });
  const { store } = await openTestStore(t, redis.address);
  assert.equal(await store.hot('ping', (client) => client.ping()), 'PONG');
  const distrusting = { ...redis.address, tls: { ca: null } };
  const { store: other } = await openTestStore(t, distrusting, { untilUp: false });
  await until('it is refused', () => other.state().kind === 'down');
  assert.match(other.state().reason ?? '', /certificate/);
});

test('a slow server is asked by the heartbeat alone: no command waits, and it heals', async (t) => {
  const redis = await startRedis(t);
  const wire = await startTcpProxy(redis.port);
  t.after(() => wire.close());
  const { store, breaker, counted } = await openTestStore(t, localAddress(wire.port), SHORT);
  const get = () => store.hot('get', (client) => client.get('a'));
  wire.slow(200);
  await until('the breaker opens', async () => {
    await get().catch(() => undefined);
    return breaker() !== 'closed';
  });
  const failedPings = () => counted.get('ping:timeout') ?? 0;
  const waited = counted.get('get:timeout');
  const before = failedPings();

  // Each probe is half a second behind the last; a command in between could be one too.
  await until('it was probed three times', async () => {
    await assert.rejects(get(), failure('breaker_open'));
    const patient = store.background('patient', (client) => client.get('a'));
    await assert.rejects(patient, failure('breaker_open'));
    return failedPings() >= before + 3;
  });

  assert.equal(counted.get('get:timeout'), waited);
  assert.equal(store.state().kind, 'down');
  wire.slow(0);
  await until('it is back', () => store.state().kind === 'up');
  assert.equal(await get(), null);
});

test('what was under way when the breaker opened does not make a slow server well', async (t) => {
  const redis = await startRedis(t);
  const wire = await startTcpProxy(redis.port);
  t.after(() => wire.close());
  const patience = { hotMs: 100, backgroundMs: 5000 };
  const { store, breaker } = await openTestStore(t, localAddress(wire.port), patience);
  wire.slow(300);

  const underWay = store.background('patient', (client) => client.get('a'));
  const hot = Array.from({ length: 5 }, () => store.hot('get', (client) => client.get('a')));
  await Promise.allSettled(hot);
  assert.equal(breaker(), 'open');
  assert.equal(await underWay, null);

  assert.equal(store.state().kind, 'down');
  const patient = store.background('patient', (client) => client.get('a'));
  await assert.rejects(patient, failure('breaker_open'));
});
