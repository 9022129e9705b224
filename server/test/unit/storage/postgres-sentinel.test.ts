/**
 * The connection that watches: what is an outage, and what is this process standing still.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../../src/kernel/clock.ts';
import { Availability } from '../../../src/storage/engines/postgres/availability.ts';
import { clientConfig } from '../../../src/storage/engines/postgres/client.ts';
import { WATCH } from '../../../src/storage/engines/postgres/options.ts';
import { Sentinel } from '../../../src/storage/engines/postgres/sentinel.ts';
import { postgresForFile } from '../../support/postgres-storage.ts';
import { rememberingLog } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

const postgres = await postgresForFile();
const DEADLINE_MS = 300;

async function watch(t: TestContext) {
  const { runtime } = await postgres.database();
  const availability = new Availability();
  const log = rememberingLog();
  const sentinel = new Sentinel({
    ...{ client: clientConfig(runtime, 'watch', WATCH), availability, log, clock: systemClock },
    ...{ pollMs: 50, deadlineMs: DEADLINE_MS, report: () => undefined },
  });
  t.after(() => sentinel.close());
  await sentinel.start();
  return { sentinel, availability, log };
}

/** As a large garbage collection, or a machine without a core to spare, does. */
function standStill(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

test('a process that stood still does not take its database for dead', async (t) => {
  const { sentinel, availability, log } = await watch(t);

  for (let round = 0; round < 5; round += 1) {
    const answer = sentinel.ask('select pg_sleep(0.02)');
    await setImmediate();
    standStill(2 * DEADLINE_MS);
    assert.equal((await answer).rowCount, 1);
  }

  assert.equal(availability.isUp(), true);
  assert.deepEqual(log.lines, []);
});

test('a server that is silent is an outage within the deadline, until it answers', async (t) => {
  const { sentinel, availability } = await watch(t);
  t.after(() => postgres.server.thaw());

  postgres.server.freeze();
  await assert.rejects(sentinel.ask('select 1'), /no answer within 300 ms/);
  await until('the outage', () => !availability.isUp(), 2000);
  postgres.server.thaw();

  await until('its end', () => availability.isUp(), 3000);
});
