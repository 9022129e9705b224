/**
 * Goal: what goes wrong inside Redis between two steps of a budget neither loses money nor
 * promises it twice. Method: the store over a real Redis whose keys the test breaks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/kernel/log.ts';
import { createRedisBudgetStore } from '../../../src/stores/redis/budget-store.ts';
import type { Workers } from '../../../src/stores/redis/workers.ts';
import { granted, key, RESERVATION_TTL_MS } from '../../contract/budget-store.suite.ts';
import { FakeLedger } from '../../contract/fake-ledger.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address, { hotMs: 2000 });

const alone: Workers = {
  id: 'alone',
  count: () => 1,
  life: () => '',
  roll: async () => ({ ids: ['alone'], isComplete: true }),
};

let opened = 0;
/** A store with a ledger, time and tenants of its own. */
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
  test.after(() => store.close());
  const scope = key('a', 1000);
  let exchanges = 0;
  return {
    ...{ clock, ledger, store, scope },
    account: (tenant: string) => `esclusa:budget1:{t:${tenant}-${run}}:key:a`,
    reserve(tenant: string, amountNanousd: number) {
      exchanges += 1;
      const spender = { tenant: `${tenant}-${run}`, exchangeId: `req_${exchanges}` };
      return store.reserve([scope], amountNanousd, spender);
    },
  };
}

test('an account that is broken lets no other be overspent that is asked for with it', async () => {
  const { store, account, reserve } = open();
  for (const tenant of ['good', 'bad']) granted(await reserve(tenant, 0)).release();
  await store.flush();
  await server.cli('del', account('bad'));
  await server.cli('lpush', account('bad'), 'x');

  const [first, broken] = await Promise.all([reserve('good', 600), reserve('bad', 1)]);
  const second = await reserve('good', 600);

  assert.deepEqual([first.kind, broken.kind], ['granted', 'unavailable']);
  assert.equal(second.kind, 'exceeded');
});
