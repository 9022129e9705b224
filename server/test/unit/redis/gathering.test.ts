/**
 * Goal: what many ask at once goes to Redis in few commands, nobody waits longer for it than
 * alone, and nobody suffers for another's trouble. Method: the limit store over a real Redis,
 * whose commands are looked at; and a script that fails where a test wants it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGathering } from '../../../src/stores/redis/gathering.ts';
import { createRedisLimitStore } from '../../../src/stores/redis/limit-store.ts';
import { defineScript, runGathered } from '../../../src/stores/redis/script.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { monitorRedis } from '../../support/redis-monitor.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address, { hotMs: 2000 });
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
  let leases = 0;
  const clock = createManualClock();
  const store = createRedisLimitStore({
    ...{ redis, clock },
    nextLease() {
      leases += 1;
      return `lease-${run}-${leases}`;
    },
  });
  const take = (concurrency: number, tenant = `tenant-${run}`) =>
    store.take([{ id: 'key:a', limits: { concurrency } }], 1, tenant);
  return { store, clock, take };
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

test('what is asked while a command is under way goes with the next', async () => {
  const { store, take } = openLimits();
  await take(1000);

  const sent = await sentBy(async () => {
    server.freeze();
    const first = take(1000);
    await new Promise(setImmediate);
    const others = Array.from({ length: 20 }, () => take(1000));
    await new Promise(setImmediate);
    server.thaw();
    await Promise.all([first, ...others]);
  });

  assert.equal(sent.filter((name) => name === 'evalsha').length, 2);
  store.close();
});

test('what is given back far below the limit goes with the next question, or alone', async () => {
  const { store, clock, take } = openLimits();
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
  await until('the place is given back', async () => {
    return (await server.cli('zcard', 'esclusa:places1:{t:tenant-3}:key:a')) === '0';
  });
  store.close();
});

test('what is given back near the limit, or after a while, is told at once', async () => {
  const { store, clock, take } = openLimits();
  const near = await granted(take(3));
  near.release();
  await until('the place is given back', async () => {
    return (await server.cli('zcard', 'esclusa:places1:{t:tenant-4}:key:a')) === '0';
  });

  const old = await granted(take(1000));
  clock.advance(101);
  old.release();
  await until('the place is given back', async () => {
    return (await server.cli('zcard', 'esclusa:places1:{t:tenant-4}:key:a')) === '0';
  });
  store.close();
});

/** Adds up; `bad` is a key of another kind. */
const SUM = defineScript(`
local sums = {}
for i, key in ipairs(KEYS) do sums[i] = redis.call('INCRBY', key, ARGV[1]) end
return table.concat(sums, ' ')
`);

function openSums(store: RedisStore = redis) {
  return createGathering<string, number, string, void>({
    ...{ redis: store, clock: createManualClock(), ops: { ask: 'test.ask', tell: 'test.tell' } },
    async send(client, { questions, words }) {
      const sums = await runGathered(client, SUM, [...words, ...questions], [1]);
      return { answers: sums.slice(words.length).map(Number), heard: words.map(() => undefined) };
    },
  });
}

test('a key that is broken concerns nobody but who asks for it', async () => {
  await server.cli('lpush', 'bad', 'x');
  const sums = openSums();

  const outcomes = await Promise.allSettled([
    sums.tell('acme', 'told', true),
    ...['one', 'bad', 'two'].map((key) => sums.ask('acme', key)),
  ]);

  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(await server.cli('get', 'two'), '1');
});

test('what was given up before it was sent is not sent', async () => {
  const impatient = await openTestStore(owner, server.address, { hotMs: 30 });
  const sums = openSums(impatient.store);
  await sums.ask('acme', 'known');
  server.freeze();
  const first = sums.ask('acme', 'first').catch(() => 'given up');
  await new Promise(setImmediate);
  const second = sums.ask('acme', 'second').catch(() => 'given up');
  assert.deepEqual(await Promise.all([first, second]), ['given up', 'given up']);

  server.thaw();

  await until('the first arrived', async () => (await server.cli('get', 'first')) === '1');
  await until('it is asked again', () =>
    sums.ask('acme', 'known').then(
      () => true,
      () => false,
    ),
  );
  assert.equal(await server.cli('get', 'second'), '');
});
