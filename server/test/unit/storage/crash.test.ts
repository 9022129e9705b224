/**
 * Nothing acknowledged is lost: real processes write under load and are killed with SIGKILL,
 * again and again, on the same data; after each death the next start must find every
 * acknowledged entry in the database, once. A plain connection judges, not our own code.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../support/afterwards.ts';
import { databasePath, openAt } from '../../support/storage.ts';
import { startStorageProcess } from '../../support/storage-process.ts';

const KILLS = 20;
/** Spread over the first batches, so that deaths fall before, in and after them. */
const LINES_BEFORE_DEATH = [1, 8, 100, 700, 2500];

/** Opens, lets every dead owner's journal be applied, and closes. */
async function restart(dataDir: string): Promise<void> {
  const storage = await openAt({ dataDir });
  await storage.history.spentNanousd('tenant:default', 0); // waits for the recovery
  await storage.close();
}

interface Booked {
  readonly ids: ReadonlySet<string>;
  readonly rows: number;
  readonly cost: number;
  readonly integrity: unknown;
}

function bookedIn(dataDir: string): Booked {
  const database = new DatabaseSync(databasePath(dataDir));
  try {
    const rows = database.prepare('select id, cost_nanousd from requests').all();
    const integrity = database.prepare('pragma integrity_check').get()?.integrity_check;
    const cost = rows.reduce((sum, row) => sum + Number(row.cost_nanousd), 0);
    return { ids: new Set(rows.map(({ id }) => String(id))), rows: rows.length, cost, integrity };
  } finally {
    database.close();
  }
}

function assertBooked(dataDir: string, acknowledged: readonly string[], when: string): void {
  const { ids, rows, cost, integrity } = bookedIn(dataDir);
  const lost = acknowledged.filter((id) => !ids.has(id));
  assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.length} lost ${when}`);
  assert.deepEqual([ids.size, cost, integrity], [rows, rows, 'ok'], when);
}

test(`kill -9 loses no acknowledged entry and books none twice, ${KILLS} times over`, async (t) => {
  const dataDir = temporaryFolder(t);
  const acknowledged: string[] = [];

  for (let kill = 0; kill < KILLS; kill += 1) {
    const writer = startStorageProcess('append', dataDir);
    await writer.printed(LINES_BEFORE_DEATH[kill % LINES_BEFORE_DEATH.length] ?? 1);
    await writer.kill();
    acknowledged.push(...writer.lines());
    // Every other time the next writer itself is the one who finds the journal.
    if (kill % 2 === 0) continue;
    await restart(dataDir);
    assertBooked(dataDir, acknowledged, `after kill ${kill + 1}`);
  }

  await restart(dataDir);
  assertBooked(dataDir, acknowledged, 'at the end');
  assert(acknowledged.length > 5000);
  assert.deepEqual(journalsIn(dataDir), []);
});

test('kill -9 while another process locks the database loses nothing either', async (t) => {
  const dataDir = temporaryFolder(t);
  await restart(dataDir);
  const writer = startStorageProcess('append', dataDir);
  await writer.printed(1);
  const locker = lockDatabase(t, dataDir);
  const before = writer.lines().length;
  await writer.printed(before + 3000);
  const rowsWhileLocked = Number(
    locker.prepare('select count(*) as rows from requests').get()?.rows,
  );

  await writer.kill();
  locker.exec('rollback');
  await restart(dataDir);

  assert(rowsWhileLocked < before + 3000, 'the lock kept the rows out');
  assertBooked(dataDir, writer.lines(), 'after the lock');
});

test('the journal of a living process is left to it', async (t) => {
  const dataDir = temporaryFolder(t);
  const writer = startStorageProcess('append', dataDir);
  await writer.printed(100);

  await restart(dataDir);
  const owned = journalsIn(dataDir);
  await writer.printed(writer.lines().length + 1000);
  await writer.kill();
  await restart(dataDir);

  assert.equal(owned.length, 1);
  assertBooked(dataDir, writer.lines(), 'after both');
});

function lockDatabase(t: TestContext, dataDir: string): DatabaseSync {
  const locker = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  t.after(() => locker.close());
  locker.exec('begin exclusive');
  return locker;
}

function journalsIn(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'journal'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
