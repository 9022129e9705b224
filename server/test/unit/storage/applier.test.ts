/**
 * The order of work in the database writer, with a journal and a database that are played:
 * what arrives while something else is under way is neither dropped nor overtaken.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LedgerApplier } from '../../../src/storage/applying/applier.ts';
import type { JournalTail } from '../../../src/storage/applying/journal-tail.ts';
import type { Report } from '../../../src/storage/applying/report.ts';
import { Connection } from '../../../src/storage/engines/sqlite/connection.ts';
import { SqliteLedgerStore } from '../../../src/storage/engines/sqlite/ledger-store.ts';
import type { SegmentExtent } from '../../../src/storage/journal/position.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { databasePath } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

interface Played {
  readonly applier: LedgerApplier;
  readonly connection: Connection;
  readonly reports: Report[];
  /** Bytes of the one segment that were applied, one per batch. */
  applied: number;
  /** Thrown by the next batches instead of applying them. */
  refusals: Error[];
}

function play(t: TestContext): Played {
  const connection = Connection.open({
    path: databasePath(temporaryFolder(t)),
    busyTimeoutMs: 100,
    databaseMaxBytes: 0,
    synchronous: 'normal',
    readOnly: false,
  });
  afterwards(t, () => connection.close());
  const reports: Report[] = [];
  const played = { connection, reports, applied: 0, refusals: [] as Error[] };
  const tail = {
    get position() {
      return { segment: 1, offset: played.applied };
    },
    async writeNext([extent]: readonly SegmentExtent[]) {
      const refusal = played.refusals.shift();
      if (refusal !== undefined) throw refusal;
      if (extent === undefined || played.applied >= extent.bytes) return null;
      played.applied += 1;
      return 1;
    },
  };
  const applier = new LedgerApplier({
    store: new SqliteLedgerStore(connection),
    openTail: async () => tail as unknown as JournalTail,
    recover: async () => true,
    report: (report) => reports.push(report),
  });
  return Object.assign(played, { applier });
}

function upTo(bytes: number): SegmentExtent[] {
  return [{ segment: 1, bytes }];
}

function busy(): Error {
  return Object.assign(new Error('database is locked'), { errcode: 5 });
}

const wanted = () => true;

test('an end of the journal that arrives at any moment is reached', async (t) => {
  for (let turns = 0; turns < 12; turns += 1) {
    const played = play(t);
    played.applier.advance(upTo(3));
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();

    played.applier.advance(upTo(5));

    await until(`all five, the second after ${turns} turns`, () => played.applied === 5, 2000);
  }
});

test('a question is answered at its place, though later ends are known already', async (t) => {
  const played = play(t);

  played.applier.advance(upTo(2));
  const first = played.applier.flush(upTo(3), wanted).then(() => played.applied);
  played.applier.advance(upTo(8));
  const second = played.applier.flush(upTo(9), wanted).then(() => played.applied);

  assert.deepEqual(await Promise.all([first, second]), [3, 9]);
});

test('a locked database is tried again, and reported once at each end', async (t) => {
  const played = play(t);
  played.refusals = [busy(), busy(), busy()];

  await played.applier.flush(upTo(2), wanted);

  assert.equal(played.applied, 2);
  assert.deepEqual(
    played.reports.filter(({ kind }) => kind === 'lagging'),
    [
      { kind: 'lagging', error: 'database is locked' },
      { kind: 'lagging', error: null },
    ],
  );
});

test('a question nobody waits for any more is dropped, and those behind it are not', async (t) => {
  const played = play(t);
  played.refusals = [busy()];
  let isWanted = true;

  const given = played.applier.flush(upTo(2), () => isWanted);
  const kept = played.applier.flush(upTo(3), wanted);
  isWanted = false;

  await assert.rejects(given, /nobody waits/);
  await kept;
  assert.equal(played.applied, 3);
});

test('the journal waits while the main thread has a transaction open', async (t) => {
  const played = play(t);
  played.connection.execute('begin immediate', []);

  const flushed = played.applier.flush(upTo(2), wanted);
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  const appliedInside = played.applied;
  played.connection.execute('commit', []);
  await flushed;

  assert.deepEqual([appliedInside, played.applied], [0, 2]);
});

test('a sum is refused until the journals of dead owners are applied', async (t) => {
  const { applier } = play(t);
  const question = { extents: [], scopeId: 'key:key_1', sinceMs: 0 };

  await assert.rejects(applier.spent(question, wanted), /earlier run/);
});

test('an error nobody knows makes the journal wait, and drops nothing of it', async (t) => {
  const played = play(t);
  played.refusals = [new Error('never heard of'), new TypeError('nor of this')];

  played.applier.advance(upTo(2));

  await until('both', () => played.applied === 2);
});

test('a question that nobody can make sense of fails at once', async (t) => {
  const { applier } = play(t);
  await applier.recover(wanted);

  await assert.rejects(
    applier.spent({ extents: [], scopeId: 'galaxy:all', sinceMs: 0 }, wanted),
    /no spending is kept for the scope galaxy:all/,
  );
});

test('other work with the store waits for its turn, and is done once', async (t) => {
  const played = play(t);
  played.applier.advance(upTo(3));

  const seen = played.applier.inTurn(() => played.applied, wanted);
  const refused = played.applier.inTurn(() => {
    throw busy();
  }, wanted);

  await assert.rejects(refused, /locked/);
  assert.equal(await seen, 3);
});
