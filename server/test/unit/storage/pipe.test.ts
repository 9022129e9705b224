/**
 * What the main thread tells the database of its journal, and when. The journal and its files
 * are real, the database is played, and time moves by hand.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { noFaults } from '../../../src/kernel/fault.ts';
import { systemFiles } from '../../../src/storage/journal/files.ts';
import { Journal } from '../../../src/storage/journal/journal.ts';
import { LedgerPipe, type LedgerSink } from '../../../src/storage/journal/pipe.ts';
import type { JournalPosition, SegmentExtent } from '../../../src/storage/journal/position.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { ledgerEntry, rememberingLog } from '../../support/storage.ts';

/** Remembers what it was told, in order, and answers as a database out of reach does. */
class LostSink implements LedgerSink {
  readonly told: [string, number][] = [];

  advance(extents: readonly SegmentExtent[]): void {
    this.told.push(['advance', bytesOf(extents)]);
  }

  async flush(extents: readonly SegmentExtent[]): Promise<void> {
    this.told.push(['flush', bytesOf(extents)]);
    throw new Error('out of reach');
  }

  async spending(): Promise<never> {
    throw new Error('out of reach');
  }

  async spentNanousd(extents: readonly SegmentExtent[]): Promise<number> {
    this.told.push(['spent', bytesOf(extents)]);
    throw new Error('out of reach');
  }
}

function bytesOf(extents: readonly SegmentExtent[]): number {
  return extents.reduce((sum, { bytes }) => sum + bytes, 0);
}

function openPipe(t: TestContext) {
  const [sink, clock] = [new LostSink(), createManualClock()];
  const directory = temporaryFolder(t);
  const pipe = new LedgerPipe(
    (onWritten) =>
      new Journal({
        ...{ directory, files: systemFiles, fsync: 'off', maxBytes: 1 << 20 },
        ...{ segmentMaxBytes: 1 << 20, log: rememberingLog(), faults: noFaults },
        ...{ clock, onWritten },
      }),
    sink,
    clock,
  );
  afterwards(t, () => pipe.close());
  return { pipe, sink, clock };
}

function positionAt(offset: number): JournalPosition {
  return { segment: 1, offset };
}

test('the database hears of an entry 100 ms after the first one it does not know', async (t) => {
  const { pipe, sink, clock } = openPipe(t);

  await pipe.append(ledgerEntry());
  clock.advance(60);
  await pipe.append(ledgerEntry());
  clock.advance(39);
  const early = sink.told.length;
  clock.advance(1);
  clock.advance(10_000); // nothing new, nothing to tell

  assert.equal(early, 0);
  assert.deepEqual(sink.told, [['advance', pipe.figures().backlogBytes]]);
});

test('a question that fails has told the database of the journal all the same', async (t) => {
  const { pipe, sink, clock } = openPipe(t);
  const first = pipe.append(ledgerEntry());

  const spent = pipe.spentNanousd('key:key_1', 0);
  const second = pipe.append(ledgerEntry());
  await assert.rejects(spent, { code: 'budget_unavailable' });
  await Promise.all([first, second]);
  await assert.rejects(pipe.flush(100), /out of reach/);
  clock.advance(10_000);

  const [one, both] = [sink.told[0]?.[1] ?? 0, pipe.figures().backlogBytes];
  assert(one > 0 && one < both);
  assert.deepEqual(sink.told, [
    ['advance', one],
    ['spent', one],
    ['advance', both],
    ['flush', both],
  ]);
});

test('nothing is asked when everything is in the database already', async (t) => {
  const { pipe, sink } = openPipe(t);

  await pipe.flush(100);
  await pipe.append(ledgerEntry());
  pipe.applied(positionAt(pipe.figures().backlogBytes));
  await pipe.flush(100);

  assert.deepEqual(
    sink.told.filter(([kind]) => kind === 'flush'),
    [],
  );
});

test('the age of the oldest waiting entry grows, and falls as the database gets on', async (t) => {
  const { pipe, clock } = openPipe(t);

  const ages = [pipe.figures().oldestUnappliedMs];
  await pipe.append(ledgerEntry());
  const first = pipe.figures().backlogBytes;
  clock.advance(5000);
  ages.push(pipe.figures().oldestUnappliedMs);
  await pipe.append(ledgerEntry());
  clock.advance(1000);
  ages.push(pipe.figures().oldestUnappliedMs);
  pipe.applied(positionAt(first));
  ages.push(pipe.figures().oldestUnappliedMs);
  pipe.applied(positionAt(first + pipe.figures().backlogBytes));
  ages.push(pipe.figures().oldestUnappliedMs);
  await nextTurn();

  assert.deepEqual(ages, [0, 5000, 6000, 1000, 0]);
});

test('the age stays exact at its head however long the database is away', async (t) => {
  const { pipe, clock } = openPipe(t);

  for (let i = 0; i < 200; i += 1) {
    await pipe.append(ledgerEntry());
    clock.advance(1000);
  }

  assert.equal(pipe.figures().oldestUnappliedMs, 200_000);
});
