/**
 * The budget store on a real Redis: the contract, and what only a shared store can do.
 */
import { test } from 'node:test';
import { silentLog } from '../../src/kernel/log.ts';
import { createRedisBudgetStore } from '../../src/stores/redis/budget-store.ts';
import type { Workers } from '../../src/stores/redis/workers.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { budgetStoreSuite, RESERVATION_TTL_MS } from './budget-store.suite.ts';
import { FakeLedger } from './fake-ledger.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address, { hotMs: 2000 });
let opened = 0;

const alone: Workers = {
  id: 'alone',
  count: () => 1,
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
