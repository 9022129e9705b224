/**
 * A journal whose files are not as they were written, before a real SQLite that may refuse: what
 * can be read becomes rows, what cannot is put aside once, what is gone is said to be gone, and
 * nothing of it holds up what comes behind.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { LedgerEntry } from '../../../src/gateway/model/ledger-entry.ts';
import { JournalTail } from '../../../src/storage/applying/journal-tail.ts';
import type { LedgerStore } from '../../../src/storage/applying/ledger-store.ts';
import type { Report } from '../../../src/storage/applying/report.ts';
import { Connection } from '../../../src/storage/engines/sqlite/connection.ts';
import { SqliteLedgerStore } from '../../../src/storage/engines/sqlite/ledger-store.ts';
import { type SegmentExtent, segmentPath } from '../../../src/storage/journal/position.ts';
import { RECORD_MAX_BYTES, writeRecord } from '../../../src/storage/journal/record.ts';
import { SegmentReader } from '../../../src/storage/journal/segment-reader.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { databasePath, ledgerEntry, openAt } from '../../support/storage.ts';

interface Place {
  readonly root: string;
  readonly connection: Connection;
  readonly reports: Report[];
  /** Thrown by the next writes instead of writing. */
  readonly refusals: Error[];
  open(): Promise<JournalTail>;
  /** Makes a segment of these; answers how far it goes. */
  segment(number: number, ...parts: readonly (LedgerEntry | string | Buffer)[]): SegmentExtent;
  aside(): string[];
  rows(): number;
}

async function place(t: TestContext): Promise<Place> {
  const dataDir = temporaryFolder(t);
  await (await openAt({ dataDir })).close(); // makes the tables
  const connection = Connection.open({
    ...{ path: databasePath(dataDir), busyTimeoutMs: 100, databaseMaxBytes: 0 },
    ...{ synchronous: 'normal', readOnly: false },
  });
  afterwards(t, () => connection.close());
  const root = join(dataDir, 'journal');
  const directory = join(root, 'journal_a');
  mkdirSync(directory, { recursive: true });
  const reports: Report[] = [];
  const refusals: Error[] = [];
  const store = refusing(new SqliteLedgerStore(connection), refusals);
  return {
    ...{ root, connection, reports, refusals },
    open: () =>
      JournalTail.open({
        ...{ instance: 'journal_a', directory, store, reader: new SegmentReader() },
        report: (report) => reports.push(report),
      }),
    segment(number, ...parts) {
      const bytes = Buffer.concat(parts.map(bytesOf));
      writeFileSync(segmentPath(directory, number), bytes);
      return { segment: number, bytes: bytes.length };
    },
    aside() {
      const path = join(root, 'unreadable.log');
      return existsSync(path) ? readFileSync(path, 'latin1').split('\n').slice(0, -1) : [];
    },
    rows: () =>
      Number(connection.execute('select count(*) as rows from requests', []).rows[0]?.rows),
  };
}

function bytesOf(part: LedgerEntry | string | Buffer): Buffer {
  if (typeof part === 'string') return Buffer.from(part);
  if (Buffer.isBuffer(part)) return part;
  const buffer = Buffer.alloc(RECORD_MAX_BYTES);
  return buffer.subarray(0, writeRecord(buffer, 0, part));
}

/** The store, but its next writes fail. */
function refusing(store: LedgerStore, refusals: Error[]): LedgerStore {
  return {
    free: () => store.free(),
    position: (instance) => store.position(instance),
    forget: (instance) => store.forget(instance),
    spentNanousd: (scopeId, sinceMs) => store.spentNanousd(scopeId, sinceMs),
    spending: (question) => store.spending(question),
    judge: (error) => store.judge(error),
    write(...batch) {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return store.write(...batch);
    },
  };
}

/** Writes all there is, and tries again as often as it is refused. */
async function writeAll(tail: JournalTail, extents: readonly SegmentExtent[]): Promise<void> {
  for (;;) {
    try {
      if ((await tail.writeNext(extents)) === null) return;
    } catch (error) {
      assert.match(String(error), /locked|no such table/);
    }
  }
}

function busy(): Error {
  return Object.assign(new Error('database is locked'), { errcode: 5 });
}

test('a line that cannot be read is put aside once, however often it is tried', async (t) => {
  const { open, segment, refusals, reports, aside, rows } = await place(t);
  const extent = segment(1, 'no record\n', ledgerEntry(), 'nor this\n');
  refusals.push(...Array.from({ length: 20 }, busy));

  await writeAll(await open(), [extent]);

  assert.deepEqual(aside(), ['no record', 'nor this']);
  assert.deepEqual([rows(), refusals.length], [1, 0]);
  const told = reports.filter((report) => report.kind === 'unreadable');
  assert.deepEqual(
    told.map(({ records }) => records),
    [2],
  );
});

test('nor is it put aside again by the next process after a crash', async (t) => {
  const { open, segment, refusals, aside, rows } = await place(t);
  const extent = segment(1, 'no record\n', ledgerEntry());
  refusals.push(busy());
  await assert.rejects(async () => (await open()).writeNext([extent]), /locked/);

  await writeAll(await open(), [extent]);

  assert.deepEqual(aside(), ['no record']);
  assert.equal(rows(), 1);
});

test('a refused record is put aside once, also where its position is refused then', async (t) => {
  const { open, segment, refusals, aside, rows } = await place(t);
  const refused = Object.assign(new Error('constraint failed'), { errcode: 19 });
  const [bad, good] = [ledgerEntry(), ledgerEntry()];
  const extent = segment(1, bad, good);
  // The whole, then the one, then the position behind it; and both of these once more.
  refusals.push(refused, refused, busy(), refused);

  await writeAll(await open(), [extent]);

  assert.deepEqual(
    aside().map((line) => JSON.parse(line).id),
    [bad.id],
  );
  assert.equal(rows(), 1);
});

test('a line that a crash cut short in the file is whole behind it', async (t) => {
  const { open, root, segment, aside } = await place(t);
  writeFileSync(join(root, 'unreadable.log'), 'no rec');

  await writeAll(await open(), [segment(1, 'no record\n')]);

  assert.deepEqual(aside(), ['no rec', 'no record']);
});

test('a table that is not there makes records wait, and puts none aside', async (t) => {
  const { connection, open, segment, aside, rows } = await place(t);
  const extent = segment(1, ledgerEntry());
  connection.execute('alter table requests rename to later', []);
  const tail = await open();

  for (let tries = 0; tries < 3; tries += 1) {
    await assert.rejects(async () => tail.writeNext([extent]), /no such table/);
  }
  connection.execute('alter table later rename to requests', []);
  await writeAll(tail, [extent]);

  assert.deepEqual(aside(), []);
  assert.equal(rows(), 1);
});

test('garbage without an end is put aside to its last byte', async (t) => {
  const { open, segment, aside, rows } = await place(t);
  const numbers = Array.from({ length: 100_000 }, (_, at) => String(at).padStart(7, '0'));
  const garbage = Buffer.from(numbers.join(''));

  await writeAll(await open(), [segment(1, ledgerEntry(), garbage, '\n', ledgerEntry())]);

  assert.equal(aside().join(''), garbage.toString());
  assert.equal(rows(), 2);
});

test('a line whose checksum fits and that is no JSON is put aside like any other', async (t) => {
  const { open, segment, aside, rows } = await place(t);
  const text = '[2,"req_1"';
  const line = `${crc32(text).toString(16).padStart(8, '0')} ${text}`;

  await writeAll(await open(), [segment(1, `${line}\n`, ledgerEntry())]);

  assert.deepEqual(aside(), [line]);
  assert.equal(rows(), 1);
});

test('a segment that somebody removed is reported, and the next one is written', async (t) => {
  const { open, segment, reports, rows } = await place(t);
  const gone = { segment: 1, bytes: 500 };

  await writeAll(await open(), [gone, segment(2, ledgerEntry())]);

  assert.equal(rows(), 1);
  const told = reports.filter(({ kind }) => kind === 'missing');
  assert.deepEqual(told, [{ kind: 'missing', segment: 1, bytes: 500 }]);
});

test('a segment that is shorter than it was is read as far as it goes, and reported', async (t) => {
  const { open, segment, reports, rows } = await place(t);
  const { bytes } = segment(1, ledgerEntry());

  await writeAll(await open(), [{ segment: 1, bytes: bytes + 50 }, segment(2, ledgerEntry())]);

  assert.equal(rows(), 2);
  const told = reports.filter(({ kind }) => kind === 'missing');
  assert.deepEqual(told, [{ kind: 'missing', segment: 1, bytes: 50 }]);
});
