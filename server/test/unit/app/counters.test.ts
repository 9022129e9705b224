/** How what is counted in common ends with its process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../../src/app/counters.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createIdSource } from '../../../src/kernel/id.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

type Made = Parameters<typeof createCounters>;

test('a process that ends stays registered until the ledger has its whole journal', async (t) => {
  const server = await startRedis(t);
  const { store } = await openTestStore(t, server.address);
  const arrived = Promise.withResolvers<void>();
  let isAsked = false;
  const history = {
    settled() {
      isAsked = true;
      return arrived.promise;
    },
  };
  const parts = {
    ...{ clock: systemClock, ids: createIdSource(systemClock, systemRandom) },
    identity: { countSignInsIn: () => undefined },
    storage: { history, figures: () => ({ recoveredRecords: 0 }) },
    telemetry: { metrics: createMetrics(), log: { named: () => silentLog } },
  };
  const config = { resilience: { timeouts: { totalMs: 1000 } } };
  const counters = await createCounters(parts as never, config as Made[1], store);
  const registered = () => server.cli('zcard', 'esclusa:{workers}:alive');
  await until('it is in the register', async () => (await registered()) === '1');

  const closing = counters.close();
  await until('the ledger was asked', () => isAsked);
  assert.equal(await registered(), '1');
  arrived.resolve();
  await closing;

  assert.equal(await registered(), '0');
});
