/**
 * Goal: whatever is not sent, not answered or late on the way to Redis, and whatever Redis
 * forgets meanwhile, a budget is not overrun, and in the end the counter tells what the ledger
 * does. Method: three processes over one ledger and one real Redis, with faults by a seed.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createRedisBudgetStore } from '../../../src/stores/redis/budget-store.ts';
import { RedisFailure } from '../../../src/stores/redis/failure.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { key, RESERVATION_TTL_MS } from '../../contract/budget-store.suite.ts';
import { SharedLedger } from '../../contract/shared-ledger.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { createSeededRandom } from '../../support/seeded-random.ts';
import { until } from '../../support/until.ts';

const PROCESSES = 3;
const CLIENTS = 15;
const EXCHANGES = 1500;
const MOST = 900;
const SCOPE = key('a', 500_000);
const LANES: readonly PropertyKey[] = ['background', 'together', 'hot'];

type Lane = (op: string, run: never, rest: never) => Promise<unknown>;

/** A store of which some commands are late, some are not sent, and some not answered. */
function faulty(real: RedisStore, float: () => number, isFaulty: () => boolean): RedisStore {
  const late = async () => {
    for (let turns = float() < 0.3 ? float() * 60 : 0; turns > 1; turns -= 1) await setImmediate();
  };
  const through =
    (lane: Lane): Lane =>
    async (op, run, rest) => {
      if (!isFaulty()) return lane(op, run, rest);
      const fate = float();
      await late();
      if (fate < 0.05) throw new RedisFailure('disconnected', op, 'not sent');
      const answer = await lane(op, run, rest);
      await late();
      if (fate < 0.1) throw new RedisFailure('timeout', op, 'not answered');
      return answer;
    };
  return new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const method = value.bind(target);
      return LANES.includes(name) ? through(method) : method;
    },
  });
}

async function openProcesses(t: TestContext, float: () => number, isFaulty: () => boolean) {
  const server = await startRedis(t);
  const ledger = new SharedLedger();
  const ids = Array.from({ length: PROCESSES }, (_, i) => `process-${i}`);
  let tokens = 0;
  const nextToken = () => {
    tokens += 1;
    return `load-${tokens}`;
  };
  const roll = async () => ({ ids, isComplete: true });
  const stores = ids.map(async (id) => {
    const { store: redis } = await openTestStore(t, server.address);
    const store = createRedisBudgetStore({
      ...{ redis: faulty(redis, float, isFaulty), clock: systemClock, log: silentLog },
      workers: { id, count: () => PROCESSES, life: () => '', roll },
      ...{ history: ledger.historyOf(id), nextToken, reservationTtlMs: RESERVATION_TTL_MS },
    });
    t.after(() => store.close());
    return { id, store };
  });
  return { server, ledger, processes: await Promise.all(stores) };
}

test('over a Redis that fails at random a budget is kept, and right in the end', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const { float } = createSeededRandom(seed);
  let isFaulty = true;
  const { server, ledger, processes } = await openProcesses(t, float, () => isFaulty);
  const counts = { granted: 0, exceeded: 0, unavailable: 0 };
  let exchanges = 0;

  async function client(nth: number): Promise<void> {
    const { id, store } = processes[nth % PROCESSES] ?? assert.fail();
    while (exchanges < EXCHANGES) {
      exchanges += 1;
      const exchangeId = `req_${exchanges}`;
      // Not at the end: what is loaded from the ledger then would be right whatever came before.
      const isForgotten = exchanges % 200 === 0 && exchanges < EXCHANGES / 2;
      if (isForgotten) await server.cli('flushall');
      const decision = await store.reserve([SCOPE], MOST, { tenant: 'acme', exchangeId });
      counts[decision.kind] += 1;
      if (decision.kind !== 'granted') continue;
      for (let turns = float() * 20; turns > 1; turns -= 1) await setImmediate();
      const cost = Math.floor(MOST * float());
      decision.reservation.settle(cost);
      ledger.append(id, exchangeId, cost);
      assert.ok(ledger.total() <= SCOPE.budget.limitNanousd);
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, nth) => client(nth)));
  isFaulty = false;

  await until('every counter tells what the ledger does', async () => {
    const figures = await Promise.all(processes.map(({ store }) => store.figures(SCOPE, 'acme')));
    return figures.every(
      (one) => one?.spentNanousd === ledger.total() && one.reservedNanousd === 0,
    );
  });
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.granted > EXCHANGES / 4, JSON.stringify(counts));
});
