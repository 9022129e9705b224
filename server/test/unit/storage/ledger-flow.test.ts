/**
 * The way of an entry from the journal into the database, over real files and workers: while
 * the database is locked, full or its worker dies, and when a dead owner's journal is found.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { LedgerEntry } from '../../../src/gateway/model/ledger-entry.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { noFaults } from '../../../src/kernel/fault.ts';
import type { Storage } from '../../../src/storage/index.ts';
import { systemFiles } from '../../../src/storage/journal/files.ts';
import { Journal } from '../../../src/storage/journal/journal.ts';
import { createInstance } from '../../../src/storage/journal/ownership.ts';
import { temporaryFolder } from '../../support/afterwards.ts';
import {
  databasePath,
  ids,
  ledgerEntry,
  openAt,
  openTestStorage,
  rememberingLog,
} from '../../support/storage.ts';
import { tenantRecord } from '../../support/tenant-record.ts';
import { until } from '../../support/until.ts';

const QUICK = { busyTimeoutMs: 150, closeMs: 300 };

/** Leaves a journal behind as a process does that was killed after writing it. */
async function leaveJournal(dataDir: string, entries: readonly LedgerEntry[]): Promise<string> {
  const owned = createInstance(join(dataDir, 'journal'), ids.next('journal'));
  const journal = new Journal({
    directory: owned.directory,
    files: systemFiles,
    fsync: 'off',
    maxBytes: 1 << 24,
    segmentMaxBytes: 2000,
    clock: systemClock,
    log: rememberingLog(),
    faults: noFaults,
    onWritten: () => undefined,
  });
  for (const entry of entries) await journal.append(entry);
  await journal.close();
  owned.release();
  return owned.directory;
}

/** Opens, waits until every dead owner's journal is applied, and answers all rows' ids. */
async function idsAfterRestart(dataDir: string, log = rememberingLog()): Promise<string[]> {
  const storage = await openAt({ dataDir, log });
  await storage.history.spentNanousd('tenant:default', 0);
  await storage.close();
  const database = new DatabaseSync(databasePath(dataDir));
  const rows = database.prepare('select id from requests order by id').all();
  database.close();
  return rows.map(({ id }) => String(id));
}

function lock(t: TestContext, dataDir: string): DatabaseSync {
  const locker = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  t.after(() => locker.close());
  locker.exec('begin exclusive');
  return locker;
}

async function countRows(storage: Storage): Promise<number> {
  const rows = await storage.ledgerQueries.usage({ tenant: null }, [], 1);
  return rows[0]?.requests ?? 0;
}

function tenantOf(slug: string) {
  return tenantRecord(slug, { id: ids.next('ten') });
}

function entriesOf(count: number): LedgerEntry[] {
  return Array.from({ length: count }, () => ledgerEntry());
}

test('entries reach the database without anyone asking, and the backlog is gone', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await openTestStorage(t, { dataDir });
  const database = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  t.after(() => database.close());
  await Promise.all(entriesOf(700).map((entry) => storage.ledger.append(entry)));
  const backlog = storage.figures().backlogBytes;

  await until(
    'all rows without anyone asking for them',
    () => database.prepare('select count(*) as rows from requests').get()?.rows === 700,
    1000,
  );

  assert(backlog > 700 * 100);
  await until('an empty backlog', () => storage.figures().backlogBytes === 0);
  assert.equal(storage.figures().oldestUnappliedMs, 0);
});

test('while the database is locked entries are acknowledged, and none is lost after', async (t) => {
  const dataDir = temporaryFolder(t);
  const log = rememberingLog();
  const storage = await openTestStorage(t, { dataDir, log, limits: QUICK });
  await storage.ledger.append(ledgerEntry());
  const locker = lock(t, dataDir);

  for (const entry of entriesOf(50)) await storage.ledger.append(entry);
  const refused = storage.keys.update('key_x', null, { name: 'Renamed' });
  await assert.rejects(refused, { code: 'storage_unavailable' });
  await until('the lag is noticed', () => storage.figures().writerError);
  assert.equal(await storage.keys.get('key_x', null), null); // readers go on
  await until('an old backlog', () => storage.figures().oldestUnappliedMs > 300);
  assert.equal(storage.ledger.accepting(), true);
  locker.exec('rollback');

  await until('the lag is over', () => storage.figures().backlogBytes === 0);
  assert.equal(await countRows(storage), 51);
  assert.equal(storage.figures().writerError, null);
  assert.deepEqual(
    log.lines.map(({ level, message }) => [level, message]),
    [
      ['warn', 'the database does not take the ledger, which waits in the journal'],
      ['info', 'the database takes the ledger again'],
    ],
  );
});

test('a full database lets the journal grow, and takes it when there is room', async (t) => {
  const dataDir = temporaryFolder(t);
  await idsAfterRestart(dataDir);
  const ballast = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  t.after(() => ballast.close());
  ballast.exec('create table ballast (bytes blob)');
  ballast.prepare('insert into ballast values (zeroblob(1000000))').run();
  const limits = { ...QUICK, databaseMaxBytes: 1_200_000 };
  const storage = await openTestStorage(t, { dataDir, limits });

  await Promise.all(entriesOf(2000).map((entry) => storage.ledger.append(entry)));
  await until('the database is full', () => storage.figures().writerError?.includes('full'));
  await storage.ledger.append(ledgerEntry());
  const refused = storage.tenants.insert(tenantOf('x'.repeat(200_000)));
  await assert.rejects(refused, { code: 'storage_unavailable' });
  const backlog = storage.figures().backlogBytes;
  ballast.exec('drop table ballast');
  await until('everything is applied', () => storage.figures().backlogBytes === 0);

  assert(backlog > 0);
  assert.equal(await countRows(storage), 2001);
  await storage.tenants.insert(tenantOf('acme'));
});

test('a query of the ledger waits for a locked database no longer than its bound', async (t) => {
  const dataDir = temporaryFolder(t);
  const limits = { ...QUICK, settleMs: 200 };
  const storage = await openTestStorage(t, { dataDir, limits });
  const [first, second] = [ledgerEntry(), ledgerEntry()];
  await storage.ledger.append(first);
  await storage.ledgerQueries.get(first.id, null);
  const locker = lock(t, dataDir);
  await storage.ledger.append(second);

  const startMs = performance.now();
  const [old, fresh] = [
    await storage.ledgerQueries.get(first.id, null),
    await storage.ledgerQueries.get(second.id, null),
  ];
  const tookMs = performance.now() - startMs;
  locker.exec('rollback');

  assert.deepEqual([old?.id, fresh], [first.id, null]);
  assert(tookMs >= 390 && tookMs < 3000, `${tookMs} ms`);
});

test('the death of the writer fails what it was asked and loses no entry', async (t) => {
  let isArmed = false;
  const hit = (point: string): void => {
    if (!isArmed || point !== 'storage.writer.worker') return;
    isArmed = false;
    throw new Error('injected');
  };
  const dataDir = temporaryFolder(t);
  const storage = await openTestStorage(t, { dataDir, faults: { hit }, limits: QUICK });
  const before = entriesOf(30);
  await Promise.all(before.map((entry) => storage.ledger.append(entry)));
  await countRows(storage);

  const locker = lock(t, dataDir); // so that the old worker surely leaves something to do
  await storage.ledger.append(ledgerEntry());
  isArmed = true;
  const asked = storage.history.spentNanousd('key:key_a', 0);
  await assert.rejects(asked, { code: 'budget_unavailable' });
  const backlog = storage.figures().backlogBytes;
  locker.exec('rollback');
  await until('the new worker applies the rest', () => storage.figures().backlogBytes === 0);

  assert(backlog > 0);
  assert.equal(await countRows(storage), 31);
  assert.equal(await storage.history.spentNanousd('key:key_a', 0), 31 * 1500);
  assert.equal(await storage.keys.update('key_x', null, { name: 'Nobody' }), null);
});

test('a dead owner’s journal is applied at the next start and removed', async (t) => {
  const dataDir = temporaryFolder(t);
  const entries = entriesOf(50);
  const directory = await leaveJournal(dataDir, entries);
  const log = rememberingLog();

  const found = await idsAfterRestart(dataDir, log);

  assert.deepEqual(found, entries.map(({ id }) => id).sort());
  assert.equal(existsSync(directory), false);
  assert.equal(log.lines[0]?.fields.records, 50);
});

test('applying a journal again, whole or in part, changes nothing', async (t) => {
  const dataDir = temporaryFolder(t);
  const entries = entriesOf(50);
  const directory = await leaveJournal(dataDir, entries);
  const copy = join(dataDir, 'copy');
  cpSync(directory, copy, { recursive: true });
  const first = await idsAfterRestart(dataDir);

  cpSync(copy, directory, { recursive: true });
  const second = await idsAfterRestart(dataDir);
  cpSync(copy, `${directory}_of_another_name`, { recursive: true });
  rmSync(join(`${directory}_of_another_name`, readdirSync(copy)[0] ?? ''));
  const third = await idsAfterRestart(dataDir);

  assert.equal(first.length, 50);
  assert.deepEqual([second, third], [first, first]);
});

test('a torn tail and a damaged line cost themselves alone, and are not dropped', async (t) => {
  const dataDir = temporaryFolder(t);
  const entries = entriesOf(3);
  const directory = await leaveJournal(dataDir, entries);
  const segment = join(
    directory,
    readdirSync(directory).find((name) => name.endsWith('.log')) ?? '',
  );
  appendFileSync(segment, 'ffffffff [1,"req_damaged"]\n00000000 [1,"req_to');
  const log = rememberingLog();

  const found = await idsAfterRestart(dataDir, log);

  assert.deepEqual(found, entries.map(({ id }) => id).sort());
  const kept = readFileSync(join(dataDir, 'journal', 'unreadable.log'), 'utf8');
  assert.equal(kept, 'ffffffff [1,"req_damaged"]\n');
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
  );
});

test('of two that find a dead owner’s journal, one applies it', async (t) => {
  const dataDir = temporaryFolder(t);
  await idsAfterRestart(dataDir);
  await leaveJournal(dataDir, entriesOf(200));
  const logs = [rememberingLog(), rememberingLog()];

  const both = await Promise.all(logs.map((log) => openAt({ dataDir, log })));
  const sums = await until('both know the sum', async () => {
    const known = await Promise.all(both.map((each) => each.history.spentNanousd('key:key_a', 0)));
    return known.every((sum) => sum === 200 * 1500) && known;
  });
  await Promise.all(both.map((each) => each.close()));

  assert.deepEqual(sums, [300_000, 300_000]);
  const recovered = logs.flatMap(({ lines }) => lines.map(({ fields }) => fields.records));
  assert.deepEqual(recovered, [200]);
});

test('a journal that cannot be read keeps budgets refused, and says so once', async (t) => {
  const dataDir = temporaryFolder(t);
  const directory = await leaveJournal(dataDir, entriesOf(3));
  rmSync(join(directory, 'lock'));
  mkdirSync(join(directory, 'lock')); // nobody can tell any more who owns it
  const log = rememberingLog();
  const storage = await openTestStorage(t, { dataDir, log });

  await assert.rejects(storage.history.spentNanousd('key:key_a', 0), {
    code: 'budget_unavailable',
  });
  await storage.ledger.append(ledgerEntry());

  assert.equal(await countRows(storage), 1);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error'],
  );
});

test('closing over a locked database leaves the journal to the next start', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await openAt({ dataDir, limits: QUICK });
  const locker = lock(t, dataDir);
  const entries = entriesOf(20);
  await Promise.all(entries.map((entry) => storage.ledger.append(entry)));

  const startMs = performance.now();
  await storage.close();
  const tookMs = performance.now() - startMs;
  locker.exec('rollback');

  assert(tookMs < 3000, `${tookMs} ms`);
  assert.deepEqual(await idsAfterRestart(dataDir), entries.map(({ id }) => id).sort());
});

test('a record the database refuses for its own sake does not hold up the others', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await openTestStorage(t, { dataDir });
  const guard = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  t.after(() => guard.close());
  guard.exec(
    'create trigger refuse before insert on requests when new.status = 418 ' +
      "begin select raise(abort, 'refused'); end",
  );
  const entries = entriesOf(10);
  const refused = ledgerEntry({ status: 418 });

  await Promise.all(
    [...entries.slice(5), refused, ...entries.slice(0, 5)].map((entry) =>
      storage.ledger.append(entry),
    ),
  );

  assert.equal(await countRows(storage), 10);
  const kept = readFileSync(join(dataDir, 'journal', 'unreadable.log'), 'utf8');
  assert.match(kept, new RegExp(refused.id));
  assert.equal(storage.figures().unreadableRecords, 1);
});
