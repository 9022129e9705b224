/** Forgetting old rows of the ledger, on both engines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { temporaryFolder } from '../support/afterwards.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { ledgerEntry, openTestStorage } from '../support/storage.ts';
import { ledgerRetentionSuite } from './ledger-retention-suite.ts';

const postgres = await postgresForFile();

ledgerRetentionSuite('sqlite', async (t) => {
  const dataDir = temporaryFolder(t);
  return [await openTestStorage(t, { dataDir }), await openTestStorage(t, { dataDir })];
});

ledgerRetentionSuite('postgres', async (t) => {
  const at = await postgres.database();
  return [await postgres.openStorage(t, { at }), await postgres.openStorage(t, { at })];
});

ledgerRetentionSuite('postgres by months', async (t) => {
  const at = await postgres.database();
  await postgres.server.query(at.name, `select esclusa_make_partitions(${MONTHS[0]}, 4)`);
  return [await postgres.openStorage(t, { at }), await postgres.openStorage(t, { at })];
});

const MONTHS = [Date.UTC(2025, 7, 3), Date.UTC(2025, 8, 3), Date.UTC(2025, 9, 3)];

test('months that ended are dropped whole, a month that goes on is left as it is', async (t) => {
  const at = await postgres.database();
  const partitions = async (): Promise<string[]> => {
    const rows = await postgres.server.query(
      at.name,
      "select relname::text as name from pg_class where relname ~ '^requests_2025_..$' order by 1",
    );
    return rows.map(({ name }) => String(name));
  };
  await postgres.server.query(at.name, `select esclusa_make_partitions(${MONTHS[0]}, 3)`);
  const storage = await postgres.openStorage(t, { at });
  const made = MONTHS.map((createdAtMs) => ledgerEntry({ createdAtMs }));
  await Promise.all(made.map((entry) => storage.ledger.append(entry)));
  await storage.ledgerQueries.get(made[0]?.id ?? '', null); // they are in the database now
  assert.deepEqual(await partitions(), [
    'requests_2025_08',
    'requests_2025_09',
    'requests_2025_10',
  ]);

  const inOctober = Date.UTC(2025, 9, 20);
  const went = [
    await storage.ledgerRows.eraseBefore(inOctober, 10),
    await storage.ledgerRows.eraseBefore(inOctober, 10),
    await storage.ledgerRows.eraseBefore(inOctober, 10),
  ];

  assert.deepEqual(went, [10, 10, 0]);
  assert.deepEqual(await partitions(), ['requests_2025_10']);
  assert.equal((await storage.ledgerQueries.get(made[2]?.id ?? '', null))?.id, made[2]?.id);
  assert.equal(
    await storage.history.spentNanousd('key:key_a', 0),
    made.reduce((sum, { costNanousd }) => sum + (costNanousd ?? 0), 0),
  );
});

test('the role of requests may neither forget rows nor change sums of days', async (t) => {
  const at = await postgres.database();
  await postgres.openStorage(t, { at });
  const asRuntime = async (sql: string) => {
    const client = new pg.Client(at.runtime);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };

  await assert.rejects(asRuntime('select esclusa_forget_ledger(0, 1)'), { code: '42501' });
  await assert.rejects(asRuntime('delete from usage_days'), { code: '42501' });
});
