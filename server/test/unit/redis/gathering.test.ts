/**
 * Goal: what many ask at once goes to Redis in few commands, nobody waits longer for it than
 * alone, and nobody suffers for another's trouble. Method: the limit store over a real Redis,
 * whose commands are looked at; and a script that fails where a test wants it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../../src/kernel/clock.ts';
import { createGathering } from '../../../src/stores/redis/gathering.ts';
import type { Word } from '../../../src/stores/redis/gathering-load.ts';
import { createRedisLimitStore } from '../../../src/stores/redis/limit-store.ts';
import { createRequestWaits } from '../../../src/stores/redis/request-waits.ts';
import { defineScript, runGathered } from '../../../src/stores/redis/script.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { createLogScope } from '../../../src/telemetry/log-scope.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { monitorRedis } from '../../support/redis-monitor.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address);
const monitor = await monitorRedis(server);
test.after(() => monitor.close());

/** What clients sent while `work` ran, without the heartbeat. */
async function sentBy(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await monitor.commands()).length;
  await work();
  return (await monitor.commands()).slice(before).filter((name) => name !== 'ping');
}

let stores = 0;
function openLimits() {
  stores += 1;
  const run = stores;
  const clock = createManualClock();
  const store = createRedisLimitStore({
    ...{ redis, clock },
    name: `lease-${run}`,
  });
  const take = (concurrency: number, tenant = `tenant-${run}`) =>
    store.take([{ id: 'key:a', limits: { concurrency } }], 1, tenant);
  const placesHeld = () => server.cli('zcard', `esclusa:places1:{t:tenant-${run}}:key:a`);
  return { store, clock, take, placesHeld };
}

async function granted(asked: ReturnType<ReturnType<typeof openLimits>['take']>) {
  const decision = await asked;
  assert.equal(decision.kind, 'granted');
  return decision.kind === 'granted' ? decision.lease : assert.fail();
}

test('what is asked in one turn is one command, of several tenants too', async () => {
  const { store, take } = openLimits();
  await take(1000); // the server knows the script now

  const sent = await sentBy(() =>
    Promise.all(Array.from({ length: 80 }, (_, i) => take(1000, `tenant-${i % 3}`))),
  );

  assert.deepEqual(sent, ['evalsha']);
  store.close();
});

for (const isAnswered of [true, false]) {
  const end = isAnswered ? 'it is answered' : 'it had a head start';
  test(`what is asked while a command is under way goes together when ${end}`, async () => {
    const { store, clock, take } = openLimits();
    await take(1000);

    const sent = await sentBy(async () => {
      server.freeze();
      const first = take(1000);
      await new Promise(setImmediate);
      const others = Array.from({ length: 20 }, () => take(1000));
      await new Promise(setImmediate);
      if (!isAnswered) clock.advance(2);
      await new Promise(setImmediate);
      const last = isAnswered ? [] : [take(1000)];
      await new Promise(setImmediate);
      server.thaw();
      await Promise.all([first, ...others, ...last]);
    });

    assert.equal(sent.filter((name) => name === 'evalsha').length, isAnswered ? 2 : 3);
    store.close();
  });
}

test('what is given back far below the limit goes with the next question, or alone', async () => {
  const { store, clock, take, placesHeld } = openLimits();
  const lease = await granted(take(1000));

  const sent = await sentBy(async () => {
    lease.release();
    await new Promise(setImmediate);
    const next = await granted(take(1000));
    next.release();
    await new Promise(setImmediate);
  });
  assert.deepEqual(sent, ['evalsha']);

  clock.advance(100);
  await until('the place is given back', async () => (await placesHeld()) === '0');
  store.close();
});

test('what is given back near the limit, or after a while, is told at once', async () => {
  const { store, clock, take, placesHeld } = openLimits();
  const near = await granted(take(3));
  near.release();
  await until('the place is given back', async () => (await placesHeld()) === '0');

  const old = await granted(take(1000));
  clock.advance(101);
  old.release();
  await until('the place is given back', async () => (await placesHeld()) === '0');
  store.close();
});

/** Adds up; `bad` is a key of another kind. */
const SUM = defineScript(`
local sums = {}
for i, key in ipairs(KEYS) do sums[i] = redis.call('INCRBY', key, ARGV[1]) end
return table.concat(sums, ' ')
`);

interface Told extends Word<void> {
  readonly key: string;
}

function openSums(store: RedisStore = redis, clock: Clock = systemClock) {
  return createGathering<string, number, Told, void>({
    ...{ redis: store, clock, ops: { ask: 'test.ask', tell: 'test.tell' } },
    async send(client, { questions, words }) {
      const sums = await runGathered(
        client,
        SUM,
        [...words.map(({ key }) => key), ...questions],
        [1],
      );
      return { answers: sums.slice(words.length).map(Number), heard: [] };
    },
    unwanted: () => undefined,
  });
}

test('a key that is broken concerns nobody but who asks for it', async () => {
  await server.cli('lpush', 'bad', 'x');
  const sums = openSums();

  const outcome: string[] = [];
  const word = { heard: () => void outcome.push('heard'), lost: () => void outcome.push('lost') };
  sums.tell('acme', { key: 'told', ...word }, true);
  const outcomes = await Promise.allSettled([
    ...['one', 'bad', 'two'].map((key) => sums.ask('acme', key)),
  ]);

  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await sums.flush();
  assert.deepEqual(outcome, ['heard']);
  assert.equal(await server.cli('get', 'two'), '1');
});

test('what was given up before it was sent is not sent', async () => {
  const scope = createLogScope();
  const waits = createRequestWaits(scope.current, 1);
  const clock = createManualClock();
  const impatient = await openTestStore(owner, server.address, { waits });
  const sums = openSums(impatient.store, clock);
  await sums.ask('acme', 'known');
  server.freeze();
  const first = sums.ask('acme', 'first');
  await new Promise(setImmediate);
  const ids = { requestId: 'req_1', correlationId: 'one' };
  const second = scope.run(ids, () => sums.ask('acme', 'second'));
  clock.advance(1);
  await assert.rejects(second, { kind: 'timeout' });

  server.thaw();

  assert.equal(await first, 1);
  await sums.ask('acme', 'known');
  assert.equal(await server.cli('get', 'second'), '');
});

/** Answers take this long through the proxy; requests wait longer, and not twice as long. */
const ROUND_TRIP_MS = 700;
const FAR_AWAY = { hotMs: 1000, breakerSettings: { failureThreshold: 1, minimumCalls: 1 } };

test('a Redis far away answers all in time, and is not thought ill', async (t) => {
  const proxy = await startTcpProxy(server.port);
  const { port } = proxy;
  t.after(() => proxy.close());
  const place = { kind: 'standalone', host: '127.0.0.1', port } as const;
  const far = await openTestStore(owner, { ...server.address, place }, FAR_AWAY);
  const sums = openSums(far.store);
  await sums.ask('acme', 'far');
  proxy.slow(ROUND_TRIP_MS / 2);

  const asked: Promise<number>[] = [];
  for (let i = 0; i < 10; i += 1) {
    asked.push(sums.ask('acme', 'far'));
    await server.cli('ping'); // some milliseconds, by another way
  }

  assert.deepEqual(await Promise.all(asked), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.equal(far.breaker(), 'closed');
});

test('what a Redis leaves unanswered counts once for each request', async () => {
  const breakerSettings = { failureThreshold: 4, minimumCalls: 4 };
  const frozen = await openTestStore(owner, server.address, { hotMs: 200, breakerSettings });
  const sums = openSums(frozen.store);
  await sums.ask('acme', 'known');
  server.freeze();

  const three = ['a', 'b', 'c'].map((key) => sums.ask('acme', key));
  await Promise.allSettled(three);
  await until('one command ended', () => frozen.counted.get('test.ask:timeout') === 1);
  assert.equal(frozen.breaker(), 'closed');
  await assert.rejects(sums.ask('acme', 'd'), { kind: 'timeout' });
  await until('the breaker is open', () => frozen.breaker() === 'open');

  server.thaw();
});
