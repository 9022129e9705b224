/**
 * The budget store on a real Redis: the contract, and what only a shared store can do.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Reservation } from '../../src/gateway/model/holds.ts';
import type { BudgetDecision, BudgetScope } from '../../src/gateway/ports/budget-store.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createMemoryBudgetStore } from '../../src/stores/memory/budget-store.ts';
import {
  createRedisBudgetStore,
  type RedisBudgetStore,
} from '../../src/stores/redis/budget-store.ts';
import type { RedisStore } from '../../src/stores/redis/store.ts';
import { createWorkers, type Workers } from '../../src/stores/redis/workers.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { until } from '../support/until.ts';
import { budgetStoreSuite, granted, key, RESERVATION_TTL_MS } from './budget-store.suite.ts';
import { FakeLedger } from './fake-ledger.ts';
import { SharedLedger } from './shared-ledger.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis, counted } = await openTestStore(owner, server.address);
let opened = 0;

const alone: Workers = {
  id: 'alone',
  count: () => 1,
  life: () => '',
  roll: async () => ({ ids: ['alone'], isComplete: true }),
};

/** A store with time, a ledger and keys of its own. */
function open() {
  opened += 1;
  const run = opened;
  const clock = createManualClock();
  const ledger = new FakeLedger();
  let tokens = 0;
  const store = createRedisBudgetStore({
    ...{ redis, workers: alone, clock, log: silentLog, history: ledger },
    nowMs: () => Math.floor(clock.wallMs()),
    nextToken: () => {
      tokens += 1;
      return `load-${run}-${tokens}`;
    },
    reservationTtlMs: RESERVATION_TTL_MS,
    leaseMs: 10_000_000,
  });
  return { clock, ledger, store, tenant: `tenant-${run}` };
}

budgetStoreSuite('redis', () => {
  const { clock, ledger, store, tenant } = open();
  return {
    ...{ store, ledger, tenant },
    async advance(ms) {
      clock.advance(ms);
      await store.renew();
    },
    async setWallMs(wallMs) {
      clock.setWallMs(wallMs);
    },
    settled: () => store.flush(),
    close: () => store.close(),
  };
});

type Step = readonly [
  kind: 'reserve' | 'settle' | 'release' | 'charge' | 'wait',
  pick: number,
  amount: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('reserve', 'reserve', 'reserve', 'settle', 'release', 'charge', 'wait'),
  fc.nat(99),
  fc.nat(400),
);
const budget = fc.record({
  limitNanousd: fc.integer({ min: 0, max: 2000 }),
  period: fc.constantFrom<'day' | 'month' | 'total'>('day', 'month', 'total'),
  soft: fc.boolean(),
});

function comparable(decision: BudgetDecision) {
  return decision.kind === 'granted' ? { kind: 'granted', passed: decision.passed } : decision;
}

test('redis: decides and counts as the store in memory does, at random', async () => {
  const seen = { granted: 0, exceeded: 0, unavailable: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(budget, { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 14 }),
      async (budgets, steps) => {
        const { clock, ledger, store, tenant } = open();
        const memory = createMemoryBudgetStore({
          ...{ clock, history: ledger, reservationTtlMs: RESERVATION_TTL_MS },
        });
        const scopes: BudgetScope[] = budgets.map((each, i) => ({ id: `key:${i}`, budget: each }));
        const held: [Reservation, Reservation][] = [];
        let exchanges = 0;
        for (const [kind, pick, amount] of steps) {
          exchanges += 1;
          const spender = { tenant, exchangeId: `req_${exchanges}` };
          const [pair] = held.splice(kind === 'settle' || kind === 'release' ? pick % 3 : 99, 1);
          const some = scopes.filter((_, i) => i === 0 || (pick >> i) % 2 === 0);
          if (kind === 'wait') clock.advance(pick * amount * 10_000);
          else if (kind === 'settle') for (const one of pair ?? []) one.settle(amount);
          else if (kind === 'release') for (const one of pair ?? []) one.release();
          else if (kind === 'charge') {
            const ids = some.map(({ id }) => id);
            store.charge(ids, amount, spender);
            memory.charge(ids, amount);
          } else {
            const ours = await store.reserve(some, amount, spender);
            const theirs = await memory.reserve(some, amount);
            assert.deepEqual(comparable(ours), comparable(theirs));
            seen[ours.kind] += 1;
            if (ours.kind === 'granted' && theirs.kind === 'granted') {
              held.push([ours.reservation, theirs.reservation]);
            }
          }
          await store.renew();
          await store.flush();
        }
        for (const scope of scopes) {
          assert.deepEqual(await store.figures(scope, tenant), await memory.figures(scope));
        }
        await store.close();
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(seen.granted > 500 && seen.exceeded > 200, JSON.stringify(seen));
  assert.equal(seen.unavailable, 0);
});

test('redis: what is asked at once is decided as if one came after the other', async () => {
  const seen = { granted: 0, exceeded: 0, unavailable: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(budget, { minLength: 1, maxLength: 3 }),
      fc.array(fc.array(fc.tuple(fc.nat(7), fc.nat(400)), { maxLength: 12 }), { maxLength: 5 }),
      async (budgets, turns) => {
        const { clock, ledger, store, tenant } = open();
        const memory = createMemoryBudgetStore({
          ...{ clock, history: ledger, reservationTtlMs: RESERVATION_TTL_MS },
        });
        const scopes: BudgetScope[] = budgets.map((each, i) => ({ id: `key:${i}`, budget: each }));
        for (const scope of scopes) await store.figures(scope, tenant); // loaded, as in memory
        const held: [Reservation, Reservation][] = [];
        let exchanges = 0;
        for (const turn of turns) {
          // What ends in this turn goes before what is asked in it.
          for (const [pick, amount] of turn) {
            for (const one of held[pick] ?? []) one.settle(amount);
          }
          const asked = turn.map(([pick, amount]) => {
            exchanges += 1;
            const spender = { tenant, exchangeId: `req_${exchanges}` };
            const some = scopes.filter((_, i) => i === 0 || (pick >> i) % 2 === 0);
            return { some, amount, ours: store.reserve(some, amount, spender) };
          });
          for (const { some, amount, ours } of asked) {
            const [mine, theirs] = [await ours, await memory.reserve(some, amount)];
            assert.deepEqual(comparable(mine), comparable(theirs));
            seen[mine.kind] += 1;
            if (mine.kind === 'granted' && theirs.kind === 'granted') {
              held.push([mine.reservation, theirs.reservation]);
            }
          }
          clock.advance(1000);
        }
        await store.flush();
        for (const scope of scopes) {
          assert.deepEqual(await store.figures(scope, tenant), await memory.figures(scope));
        }
        await store.close();
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(seen.granted > 300 && seen.exceeded > 100, JSON.stringify(seen));
  assert.equal(seen.unavailable, 0);
});

test('redis: a booking that is refused for what it says is sent ever more seldom', async () => {
  const { clock, store, tenant } = open();
  const scope = key('key:a', 1000);
  const other = key('key:other', 1000);
  const spender = { tenant, exchangeId: 'req_1' };
  const reservation = granted(await store.reserve([scope], 600, spender));
  const amounts = `esclusa:amounts1:{t:${tenant}}:${scope.id}`;
  assert.equal(await server.cli('hlen', amounts), '1');
  await server.cli('del', amounts);
  await server.cli('lpush', amounts, 'x');

  reservation.settle(500);
  for (let tenths = 0; tenths < 100; tenths += 1) {
    await store.figures(other, tenant); // what was told has landed
    clock.advance(100);
  }

  const refused = counted.get('budgets.settle:command_failed') ?? 0;
  assert.ok(refused >= 5 && refused <= 8, `${refused} tries in ten seconds`);
  assert.equal(store.waiting(), 1);

  await server.cli('del', amounts);
  clock.advance(20_000);
  await store.figures(other, tenant);
  await until('the booking is told', () => store.waiting() === 0);
  await store.close();
});

interface Process {
  readonly id: string;
  readonly store: RedisBudgetStore;
  readonly redis: RedisStore;
}

/** Several processes over one ledger and one Redis of their own. */
async function openProcesses(t: TestContext, count: number, leaseMs: number) {
  const own = await startRedis(owner);
  const ledger = new SharedLedger();
  const alive = new Set<string>();
  const processes: Process[] = [];
  let tokens = 0;
  for (let i = 0; i < count; i += 1) {
    const id = `process-${i}`;
    alive.add(id);
    const opened = await openTestStore(owner, own.address);
    const store = createRedisBudgetStore({
      ...{ redis: opened.store, clock: systemClock, log: silentLog, leaseMs },
      workers: {
        ...{ id, count: () => alive.size, life: () => '' },
        roll: async () => ({ ids: [...alive], isComplete: true }),
      },
      history: ledger.historyOf(id),
      nextToken: () => {
        tokens += 1;
        return `load-${tokens}`;
      },
      reservationTtlMs: RESERVATION_TTL_MS,
    });
    processes.push({ id, store, redis: opened.store });
  }
  t.after(async () => {
    await Promise.all(
      processes.filter(({ id }) => alive.has(id)).map(({ store }) => store.close()),
    );
  });
  return {
    ...{ own, ledger, processes },
    /** As `kill -9` does it: nothing more is said, and its connections break. */
    die({ id, redis: connection }: Process) {
      alive.delete(id);
      connection.close();
      ledger.die(id);
    },
  };
}

/** Everything is booked and told alike by all; the sum is answered. */
function agreed(stores: readonly RedisBudgetStore[], scope: BudgetScope, ledger: SharedLedger) {
  return until('the counter tells what the ledger does', async () => {
    const figures = await Promise.all(stores.map((store) => store.figures(scope, 'acme')));
    const total = ledger.total();
    const isEqual = figures.every(
      (each) => each !== null && each.spentNanousd === total && each.reservedNanousd === 0,
    );
    return isEqual ? { total } : null;
  });
}

/** Some turns of the event loop, or none. */
async function pause(): Promise<void> {
  for (let turns = Math.random() * 40; turns > 1; turns -= 1) await setImmediate();
}

/** One exchange as the pipeline runs it: reserves, works, and books in one turn. */
async function exchange(
  process: Process,
  scope: BudgetScope,
  ledger: SharedLedger,
  exchangeId: string,
  amount: number,
): Promise<BudgetDecision['kind']> {
  const decision = await process.store.reserve([scope], amount, { tenant: 'acme', exchangeId });
  if (decision.kind !== 'granted') return decision.kind;
  await pause();
  const cost = Math.floor(amount * Math.random());
  decision.reservation.settle(cost);
  ledger.append(process.id, exchangeId, cost);
  return 'granted';
}

test('redis: counters lost over and over: nothing is lost or counted twice', async (t) => {
  const { own, ledger, processes } = await openProcesses(t, 3, 15_000);
  const scope = key('a', 1_000_000);
  const counts = { granted: 0, exceeded: 0, unavailable: 0 };
  let isOver = false;
  const clients = processes.flatMap((process, p) =>
    Array.from({ length: 6 }, async (_, c) => {
      for (let i = 0; !isOver; i += 1) {
        const kind = await exchange(process, scope, ledger, `req_${p}_${c}_${i}`, 900);
        counts[kind] += 1;
        assert.ok(ledger.total() <= 1_000_000);
        await pause();
      }
    }),
  );

  for (let flush = 0; flush < 12; flush += 1) {
    const atMs = performance.now() + 40 + Math.random() * 80;
    await until('some time is over', () => performance.now() >= atMs);
    await own.cli('flushall');
  }
  isOver = true;
  await Promise.all(clients);

  const { total } = await agreed(
    processes.map(({ store }) => store),
    scope,
    ledger,
  );
  t.diagnostic(`${JSON.stringify(counts)}, ${total} spent`);
  assert.ok(counts.granted > 100, JSON.stringify(counts));
});

test('redis: what a dead process held comes back, and what it recorded counts', async (t) => {
  const { ledger, processes, die } = await openProcesses(t, 3, 400);
  const [victim, ...others] = processes as [Process, ...Process[]];
  const scope = key('a', 100_000);
  for (let i = 0; i < 20; i += 1) {
    await exchange(processes[i % 3] as Process, scope, ledger, `req_${i}`, 500);
  }
  granted(await victim.store.reserve([scope], 9000, { tenant: 'acme', exchangeId: 'req_held' }));
  const settled = granted(
    await victim.store.reserve([scope], 700, { tenant: 'acme', exchangeId: 'req_lost' }),
  );

  die(victim);
  settled.settle(650); // recorded in its journal, and never told to Redis
  ledger.append(victim.id, 'req_lost', 650);

  const { total } = await agreed(
    others.map(({ store }) => store),
    scope,
    ledger,
  );
  assert.ok(total >= 650);
});

test('redis: after a restart of the server a counter is loaded anew', async (t) => {
  const own = await startRedis(owner, { appendonly: true });
  const { store: connection } = await openTestStore(owner, own.address);
  const workers = createWorkers({ redis: connection, clock: systemClock, id: 'one' });
  await workers.start();
  const ledger = new SharedLedger();
  const store = createRedisBudgetStore({
    ...{ redis: connection, workers, clock: systemClock, log: silentLog },
    ...{ history: ledger.historyOf('one'), reservationTtlMs: RESERVATION_TTL_MS },
    nextToken: () => `load-${Math.random()}`,
  });
  t.after(async () => {
    await store.close();
    await workers.stop();
  });
  const scope = key('a', 100_000);
  const process = { id: 'one', store, redis: connection };
  await until('the register is complete', async () => (await workers.roll()).isComplete);
  for (let i = 0; i < 10; i += 1) await exchange(process, scope, ledger, `req_${i}`, 500);
  await agreed([store], scope, ledger);
  const account = (await own.cli('keys', '*budget*')).trim();
  await own.cli('hset', account, 's', '1'); // as if the last bookings had not been written

  await own.restart();

  assert.equal(await own.cli('hget', account, 's'), '1', 'the server kept the wrong sum');
  await until('Redis is back', () => connection.state().kind === 'up');
  await agreed([store], scope, ledger);
});

test('redis: a budget holds while processes compete for its last nano-dollars', async (t) => {
  const { ledger, processes } = await openProcesses(t, 3, 15_000);
  const scope = key('a', 10_000);

  const kinds = await Promise.all(
    Array.from({ length: 90 }, (_, i) => {
      const process = processes[i % 3] as Process;
      return exchange(process, scope, ledger, `req_${i}`, 1000);
    }),
  );

  const stores = processes.map(({ store }) => store);
  const { total } = await agreed(stores, scope, ledger);
  assert.ok(total <= 10_000);
  assert.ok(kinds.includes('exceeded') && kinds.includes('granted'));
  assert.ok(!kinds.includes('unavailable'));
});

test('redis: without an answer nothing is granted, and all is well again afterwards', async (t) => {
  const { own, ledger, processes } = await openProcesses(t, 1, 15_000);
  const [process] = processes as [Process];
  const scope = key('a', 10_000);
  assert.equal(await exchange(process, scope, ledger, 'req_1', 1000), 'granted');
  const held = granted(
    await process.store.reserve([scope], 500, { tenant: 'acme', exchangeId: 'req_2' }),
  );

  await own.kill();
  assert.equal(await exchange(process, scope, ledger, 'req_3', 1), 'unavailable');
  held.settle(400);
  ledger.append(process.id, 'req_2', 400);
  await own.restart();

  await until('Redis is back', () => process.redis.state().kind === 'up');
  await agreed([process.store], scope, ledger);
});
