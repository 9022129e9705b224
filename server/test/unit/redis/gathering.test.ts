/**
 * Goal: what many ask at once goes to Redis in few commands, nobody waits longer for it than
 * alone, and nobody suffers for another's trouble. Method: the limit store over a real Redis,
 * whose commands are looked at; and a script that fails where a test wants it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
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
  const clock = createManualClock();
  const store = createRedisLimitStore({
    ...{ redis, clock },
    name: `lease-${run}`,
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

interface Told extends Word<void> {
  readonly key: string;
}

function openSums(store: RedisStore = redis) {
  return createGathering<string, number, Told, void>({
    ...{ redis: store, clock: systemClock, ops: { ask: 'test.ask', tell: 'test.tell' } },
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
  assert.deepEqual(outcome, ['heard']);
  assert.equal(await server.cli('get', 'two'), '1');
});

test('what was given up before it was sent is not sent', async () => {
  const scope = createLogScope();
  const waits = createRequestWaits(scope.current, 10);
  const impatient = await openTestStore(owner, server.address, { hotMs: 2000, waits });
  const sums = openSums(impatient.store);
  await sums.ask('acme', 'known');
  server.freeze();
  const first = sums.ask('acme', 'first');
  await new Promise(setImmediate);
  const ids = { requestId: 'req_1', correlationId: 'one' };
  const second = scope.run(ids, () => sums.ask('acme', 'second'));
  await assert.rejects(second, { kind: 'timeout' });

  server.thaw();

  assert.equal(await first, 1);
  await sums.ask('acme', 'known');
  assert.equal(await server.cli('get', 'second'), '');
});
