/**
 * The journal before a real PostgreSQL: what was acknowledged is in the ledger once, whoever is
 * killed; sums are exact at their question; what the server cannot take now waits, what it never
 * takes is kept aside. A connection of the superuser judges, not our own code.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { arrayText } from '../../../src/storage/engines/postgres/array-text.ts';
import { original } from '../../../src/storage/engines/postgres/text.ts';
import { temporaryFolder } from '../../support/afterwards.ts';
import type { TestDatabase } from '../../support/postgres-server.ts';
import { postgresForFile, postgresSettings } from '../../support/postgres-storage.ts';
import { ledgerEntry } from '../../support/storage.ts';
import { startStorageProcess } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';

const postgres = await postgresForFile();
const { server } = postgres;

const LINES_BEFORE_DEATH = [1, 8, 100, 700, 2500];

async function idsIn({ name }: TestDatabase): Promise<string[]> {
  const rows = await server.query<{ id: string }>(name, 'select id from requests');
  return rows.map(({ id }) => id);
}

test('kill -9 loses no acknowledged entry and books none twice, ten times over', async (t) => {
  const at = await postgres.database();
  const dataDir = temporaryFolder(t);
  const place = { kind: 'postgres' as const, ...postgresSettings(at) };
  const acknowledged: string[] = [];

  for (let kill = 0; kill < 10; kill += 1) {
    const writer = startStorageProcess('append', dataDir, place);
    await writer.printed(LINES_BEFORE_DEATH[kill % LINES_BEFORE_DEATH.length] ?? 1);
    await writer.kill();
    acknowledged.push(...writer.lines());
  }
  const storage = await postgres.openStorage(t, { at, dataDir });
  await storage.history.spentNanousd('tenant:default', 0); // waits for the recovery
  const ids = await idsIn(at);

  const booked = new Set(ids);
  assert.deepEqual(
    acknowledged.filter((id) => !booked.has(id)),
    [],
  );
  assert.equal(booked.size, ids.length, 'an entry is booked twice');
});

test('a column of any texts and numbers reaches the server as it was', async (t) => {
  const client = new pg.Client({ connectionString: (await postgres.database()).owner });
  await client.connect();
  t.after(() => client.end());
  const text = fc.option(fc.string({ unit: 'binary', maxLength: 40 }));
  const number = fc.option(fc.maxSafeInteger());
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, number), { maxLength: 20 }), async (rows) => {
      const { rows: read } = await client.query(
        'select * from unnest($1::text[], $2::bigint[]) as row (words, amount)',
        [arrayText(rows, 0), arrayText(rows, 1)],
      );
      const seen = read.map(({ words, amount }) => [
        words === null ? null : original(words),
        amount === null ? null : Number(amount),
      ]);
      assert.deepEqual(seen, rows);
    }),
    { numRuns: 200 },
  );
});

test('a clean end leaves neither journal nor position', async (t) => {
  const at = await postgres.database();
  const dataDir = temporaryFolder(t);
  const storage = await postgres.openStorage(t, { at, dataDir });
  await Promise.all(Array.from({ length: 50 }, () => storage.ledger.append(ledgerEntry())));

  await storage.close();

  const positions = await server.query(at.name, 'select instance from journal_positions');
  const folders = readdirSync(join(dataDir, 'journal'), { withFileTypes: true });
  assert.equal((await idsIn(at)).length, 50);
  assert.deepEqual(positions, []);
  assert.deepEqual(
    folders.filter((each) => each.isDirectory()),
    [],
  );
});

test('a sum covers what was appended before its question, and nothing after it', async (t) => {
  const storage = await postgres.openStorage(t, { limits: { segmentMaxBytes: 3000 } });
  const answers: Promise<[number, number]>[] = [];
  let appended = 0;

  for (let round = 0; round < 20; round += 1) {
    for (let at = 0; at < 10; at += 1) {
      void storage.ledger.append(ledgerEntry({ costNanousd: 1 }));
      appended += 1;
    }
    const expected = appended;
    const answer = storage.history.spentNanousd('tenant:default', 0);
    answers.push(answer.then((known) => [known, expected]));
    void storage.ledger.append(ledgerEntry({ costNanousd: 1 }));
    appended += 1;
  }

  for (const [known, expected] of await Promise.all(answers)) assert.equal(known, expected);
});

test('a record that the server never takes holds up no other and is kept aside', async (t) => {
  const at = await postgres.database();
  const dataDir = temporaryFolder(t);
  const storage = await postgres.openStorage(t, { at, dataDir });
  const bad = ledgerEntry({ status: 99_999 }); // beyond a small integer
  const good = Array.from({ length: 20 }, () => ledgerEntry());

  await Promise.all(
    [...good.slice(0, 10), bad, ...good.slice(10)].map((each) => storage.ledger.append(each)),
  );
  await until('the others in the ledger', async () => (await idsIn(at)).length === 20);

  assert.equal(storage.figures().unreadableRecords, 1);
  assert.equal(storage.figures().writerError, null);
});

test('without the right to write, entries wait instead of being put aside', async (t) => {
  const at = await postgres.database();
  const storage = await postgres.openStorage(t, { at });
  await server.query(at.name, 'revoke insert on requests from esclusa_writer');

  await Promise.all(Array.from({ length: 30 }, () => storage.ledger.append(ledgerEntry())));
  await until('the lag', () => storage.figures().writerError !== null);
  const aside = storage.figures().unreadableRecords;
  await server.query(at.name, 'grant insert on requests to esclusa_writer');
  await until('all of them', async () => (await idsIn(at)).length === 30);

  assert.equal(aside, 0);
});

test('rows go into the month of their time, and the next months are there', async (t) => {
  const at = await postgres.database();
  const storage = await postgres.openStorage(t, { at });
  const now = new Date();
  const ordinal = String(now.getUTCMonth() + 1).padStart(2, '0');
  const month = `requests_${now.getUTCFullYear()}_${ordinal}`;

  await storage.ledger.append(ledgerEntry({ createdAtMs: now.getTime() }));
  const old = ledgerEntry({ createdAtMs: 1_700_000_000_000 });
  await storage.ledger.append(old);
  assert.equal((await storage.ledgerQueries.get(old.id, null))?.id, old.id);

  const count = async (table: string) =>
    (await server.query(at.name, `select count(*)::int as n from ${table}`))[0]?.n;
  const months = await server.query(
    at.name,
    "select relname from pg_class where relkind = 'r' and relname like 'requests_2%'",
  );
  assert.deepEqual([await count(month), await count('requests_default')], [1, 1]);
  assert.equal(months.length, 3);
});

test('a database that not every text fits in is refused at the start', async (t) => {
  const at = await postgres.database();
  const name = `${at.name}_latin`;
  await server.query(
    'postgres',
    `create database ${name} template template0 encoding 'LATIN1' locale 'C'`,
  );
  const url = at.runtime.replace(at.name, name);

  await assert.rejects(postgres.openStorage(t, { at, settings: { url } }), {
    code: 'storage_unavailable',
    message: /encoding of the database is LATIN1/,
  });
});

test('an owner of the tables that cannot connect is named with the reason', async (t) => {
  const at = await server.createDatabase(); // without tables
  const settings = { migrationUrl: `${at.owner}?sslmode=no-verify` };

  await assert.rejects(postgres.openStorage(t, { at, settings }), {
    code: 'storage_unavailable',
    message: /does not support SSL.* Check DATABASE_MIGRATION_URL/,
  });
});
