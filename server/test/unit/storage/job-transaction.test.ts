/**
 * A job that is enqueued within a transaction is there if and only if that is committed, on
 * both engines.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { noFaults } from '../../../src/kernel/fault.ts';
import { createJobQueue, insertJob } from '../../../src/storage/jobs/job-queue.ts';
import { createEngine, type DatabasePlace } from '../../../src/storage/open-engine.ts';
import { createQueryWatch } from '../../../src/storage/query-watch.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { postgresForFile, postgresSettings } from '../../support/postgres-storage.ts';
import { ids, rememberingLog } from '../../support/storage.ts';

const postgres = await postgresForFile();
const NOW_MS = 1_700_000_000_000;
const JOB = { kind: 'mail', key: null, payload: {}, runAtMs: NOW_MS, attemptsMax: 1 };
const LIMITS = { busyTimeoutMs: 5000, pollMs: 500, databaseMaxBytes: 0, startWaitMs: 5000 };

const queries = createQueryWatch({ done: () => undefined, failed: () => undefined });

async function openEngine(t: TestContext, database: DatabasePlace, journalRoot: string) {
  const engine = await createEngine({
    ...{ database, journalRoot, owned: null, durable: true, limits: LIMITS },
    ...{ clock: systemClock, log: rememberingLog(), faults: noFaults },
    ...{ onReport: () => undefined, onWriterRestart: () => undefined, queries },
  });
  afterwards(t, () => engine.close());
  await engine.open();
  return engine;
}

for (const name of ['sqlite', 'postgres'] as const) {
  test(`${name}: a job is there if and only if its transaction is committed`, async (t) => {
    const folder = temporaryFolder(t);
    const place: DatabasePlace =
      name === 'sqlite'
        ? { kind: 'sqlite', file: join(folder, 'esclusa.sqlite') }
        : { kind: 'postgres', ...postgresSettings(await postgres.database()) };
    const engine = await openEngine(t, place, folder);
    const queue = createJobQueue(engine, { ids, clock: systemClock });
    const born = () => ({ id: ids.next('job'), createdAtMs: NOW_MS });

    const undone = engine.transact(null, async (transaction) => {
      assert.equal(await insertJob(transaction, born(), JOB), true);
      throw new Error('changed my mind');
    });
    await assert.rejects(undone, /changed my mind/);
    assert.deepEqual(await queue.list({ state: null, limit: 9, beforeId: null }), []);

    await engine.transact(null, (transaction) => insertJob(transaction, born(), JOB));
    assert.equal((await queue.list({ state: null, limit: 9, beforeId: null })).length, 1);
  });
}
