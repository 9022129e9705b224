/**
 * The journal on the main thread: when it writes, when it lets an answer go, and what it does
 * while the disk is full, broken or slow. Files are real; the disk's faults are injected
 * between the journal and them, and time moves by hand.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { noFaults } from '../../../src/kernel/fault.ts';
import { type JournalFiles, systemFiles } from '../../../src/storage/journal/files.ts';
import { Journal, type JournalOptions } from '../../../src/storage/journal/journal.ts';
import { listSegments, segmentPath } from '../../../src/storage/journal/position.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { ledgerEntry, type RememberingLog, rememberingLog } from '../../support/storage.ts';

/** A disk that counts, and fails when told to. */
interface Disk extends JournalFiles {
  writes: number;
  syncs: number;
  /** Bytes left; Infinity is a disk without end. */
  freeBytes: number;
  /** Every sync waits for this. */
  syncing: Promise<void>;
  lastFd: number;
}

interface Bench {
  readonly journal: Journal;
  readonly disk: Disk;
  readonly clock: ManualClock;
  readonly log: RememberingLog;
  readonly directory: string;
}

function createDisk(): Disk {
  return {
    ...systemFiles,
    writes: 0,
    syncs: 0,
    freeBytes: Number.POSITIVE_INFINITY,
    syncing: Promise.resolve(),
    lastFd: -1,
    create(path) {
      this.lastFd = systemFiles.create(path);
      return this.lastFd;
    },
    write(fd, bytes, offset, length) {
      this.writes += 1;
      const fitting = Math.min(length, this.freeBytes);
      if (fitting === 0) throw new Error('ENOSPC: no space left on device');
      this.freeBytes -= fitting;
      return systemFiles.write(fd, bytes, offset, fitting);
    },
    async sync(fd) {
      this.syncs += 1;
      await this.syncing;
      await systemFiles.sync(fd);
    },
  };
}

function openJournal(t: TestContext, options: Partial<JournalOptions> = {}): Bench {
  const [disk, clock, log] = [createDisk(), createManualClock(), rememberingLog()];
  const directory = temporaryFolder(t);
  const journal = new Journal({
    directory,
    files: disk,
    fsync: 'off',
    maxBytes: 1 << 20,
    segmentMaxBytes: 1 << 20,
    clock,
    log,
    faults: noFaults,
    onWritten: () => undefined,
    ...options,
  });
  afterwards(t, () => journal.close());
  return { journal, disk, clock, log, directory };
}

function linesOf(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => readFileSync(`${directory}/${name}`, 'utf8').split('\n'))
    .filter((line) => line !== '');
}

test('entries of one turn go out in one write', async (t) => {
  const { journal, disk, directory } = openJournal(t);

  const acknowledged = [1, 2, 3, 4, 5].map(() => journal.append(ledgerEntry()));
  assert.equal(disk.writes, 0);
  await Promise.all(acknowledged);

  assert.equal(disk.writes, 1);
  assert.equal(linesOf(directory).length, 5);
});

test('entries of two turns go out in two writes', async (t) => {
  const { journal, disk } = openJournal(t);

  const first = journal.append(ledgerEntry());
  await nextTurn();
  const second = journal.append(ledgerEntry());
  await Promise.all([first, second]);

  assert.equal(disk.writes, 2);
});

test('nothing is acknowledged before it is in the file', async (t) => {
  const { journal, disk, directory } = openJournal(t);
  let linesWhenAcknowledged = -1;
  let acknowledgedWhenWriting = 0;
  let acknowledged = 0;
  const write = disk.write.bind(disk);
  disk.write = (...args) => {
    acknowledgedWhenWriting = acknowledged;
    return write(...args);
  };

  const both = [ledgerEntry(), ledgerEntry()].map(async (entry) => {
    await journal.append(entry);
    acknowledged += 1;
    linesWhenAcknowledged = linesOf(directory).length;
  });
  await Promise.all(both);

  assert.equal(acknowledgedWhenWriting, 0);
  assert.equal(linesWhenAcknowledged, 2);
});

test('under "always" an entry waits for a sync that began after its write', async (t) => {
  const { journal, disk } = openJournal(t, { fsync: 'always' });
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const released: string[] = [];

  disk.syncing = first.promise;
  const a = journal.append(ledgerEntry()).then(() => released.push('a'));
  await nextTurn();
  disk.syncing = second.promise;
  const b = journal.append(ledgerEntry()).then(() => released.push('b'));
  await nextTurn();
  const c = journal.append(ledgerEntry()).then(() => released.push('c'));
  await nextTurn();
  const syncsWhileBusy = disk.syncs;
  const releasedWhileBusy = [...released];
  first.resolve();
  await a;
  const releasedAfterFirst = [...released];
  second.resolve();
  await Promise.all([b, c]);

  assert.equal(syncsWhileBusy, 1);
  assert.deepEqual(releasedWhileBusy, []);
  assert.deepEqual(releasedAfterFirst, ['a']);
  assert.deepEqual(released, ['a', 'b', 'c']);
  assert.equal(disk.syncs, 2);
});

test('under "always" a failed sync rejects what it covered and what waited', async (t) => {
  const { journal, disk, clock } = openJournal(t, { fsync: 'always' });
  const failing = Promise.withResolvers<void>();

  disk.syncing = failing.promise;
  const a = assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
  await nextTurn();
  const b = assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
  await nextTurn();
  disk.syncing = Promise.resolve(); // the system forgets the error once it was told
  failing.reject(new Error('EIO: i/o error, fdatasync'));
  await Promise.all([a, b]);
  assert.equal(journal.accepting(), false);
  clock.advance(100);

  assert.equal(journal.accepting(), true);
  await journal.append(ledgerEntry());
});

test('under "every_second" an entry goes at once and is synced within the second', async (t) => {
  const { journal, disk, clock } = openJournal(t, { fsync: 'every_second' });

  await journal.append(ledgerEntry());
  await journal.append(ledgerEntry());
  const before = disk.syncs;
  clock.advance(1000);
  const after = disk.syncs;
  clock.advance(5000);

  assert.deepEqual([before, after, disk.syncs], [0, 1, 1]);
});

test('under "off" nothing is ever synced', async (t) => {
  const { journal, disk, clock } = openJournal(t);

  await journal.append(ledgerEntry());
  clock.advance(5000);
  await journal.close();

  assert.equal(disk.syncs, 0);
});

test('a full segment is followed by another, and no record is split between them', async (t) => {
  const { journal, directory } = openJournal(t, { segmentMaxBytes: 1000 });
  const entries = Array.from({ length: 20 }, () => ledgerEntry());

  for (const entry of entries) await journal.append(entry);

  const extents = journal.mark();
  assert(extents.length >= 3);
  const read = extents.map(({ segment }) => readFileSync(segmentPath(directory, segment), 'utf8'));
  assert.deepEqual(
    read.map((text) => Buffer.byteLength(text)),
    extents.map(({ bytes }) => bytes),
  );
  assert.deepEqual(
    read.flatMap((text) => text.trimEnd().split('\n')).map((line) => line.includes('req_')),
    entries.map(() => true),
  );
});

test('a mark covers what was appended before it and nothing after it', async (t) => {
  const { journal, directory } = openJournal(t);

  const before = journal.append(ledgerEntry());
  const [extent] = journal.mark();
  const after = journal.append(ledgerEntry());
  await Promise.all([before, after]);

  const [first] = linesOf(directory);
  assert.equal(extent?.bytes, Buffer.byteLength(`${first}\n`));
  assert.equal(linesOf(directory).length, 2);
});

test('what was written before a journal is rolled leaves the disk once applied', async (t) => {
  const { journal, directory } = openJournal(t);
  await journal.append(ledgerEntry());
  journal.roll();
  await journal.append(ledgerEntry());
  const [rolled, current] = journal.mark();
  assert.ok(rolled && current);

  journal.applied({ segment: rolled.segment, offset: rolled.bytes - 1 });
  const before = listSegments(directory);
  journal.applied({ segment: rolled.segment, offset: rolled.bytes });
  journal.roll();
  journal.roll();

  assert.deepEqual([before, listSegments(directory)], [[1, 2], [2]]);
  assert.deepEqual(journal.mark(), [current]);
  journal.applied({ segment: current.segment, offset: current.bytes });
  assert.deepEqual(listSegments(directory), []);
});

test('a turn with more entries than the buffer holds loses none', async (t) => {
  const { journal, directory, disk } = openJournal(t, { maxBytes: 1 << 24 });
  const entries = Array.from({ length: 3000 }, () => ledgerEntry());

  await Promise.all(entries.map((entry) => journal.append(entry)));

  assert.equal(linesOf(directory).length, 3000);
  assert(disk.writes < 10);
});

test('a full journal refuses new exchanges first, then entries, and opens again', async (t) => {
  const maxBytes = 8000;
  const { journal, log } = openJournal(t, { maxBytes });

  let appended = 0;
  while (journal.accepting()) {
    await journal.append(ledgerEntry());
    appended += 1;
  }
  const backlogWhenFull = journal.figures().backlogBytes;
  await journal.append(ledgerEntry()); // an exchange that was running when it filled up
  let refusal: unknown = null;
  while (refusal === null) {
    await journal.append(ledgerEntry()).catch((error: unknown) => {
      refusal = error;
    });
  }
  const backlogWhenRefusing = journal.figures().backlogBytes;
  const [extent] = journal.mark();
  journal.applied({ segment: extent?.segment ?? 0, offset: extent?.bytes ?? 0 });

  assert(appended > 10 && backlogWhenFull >= maxBytes * (7 / 8));
  assert.deepEqual(
    [(refusal as { code?: string }).code, backlogWhenRefusing >= maxBytes],
    ['ledger_unavailable', true],
  );
  assert.equal(journal.accepting(), true);
  assert.equal(journal.figures().backlogBytes, 0);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  await journal.append(ledgerEntry());
});

test('a full disk rejects the turn, keeps whole records, and heals by itself', async (t) => {
  const { journal, disk, clock, log, directory } = openJournal(t);
  await journal.append(ledgerEntry());
  const whole = linesOf(directory);

  disk.freeBytes = 300; // room for one record and a part of the next
  const turn = [journal.append(ledgerEntry()), journal.append(ledgerEntry())];
  const results = await Promise.allSettled(turn);
  const acceptedWhileFull = journal.accepting();
  await assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
  clock.advance(60_000); // many probes, each of them in vain
  const linesWhileFull = linesOf(directory);
  const stillFull = journal.accepting();
  disk.freeBytes = Number.POSITIVE_INFINITY;
  clock.advance(2000);
  await journal.append(ledgerEntry());

  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual([acceptedWhileFull, stillFull], [false, false]);
  assert.deepEqual(linesWhileFull, whole);
  assert.equal(journal.accepting(), true);
  assert.equal(linesOf(directory).length, 2);
  assert.equal(journal.mark().length, 2);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
  );
  assert.match(journal.figures().lastError ?? '', /ENOSPC/);
});

test('a file closed behind its back costs one turn and a new segment', async (t) => {
  const { journal, disk, clock } = openJournal(t);
  await journal.append(ledgerEntry());

  systemFiles.close(disk.lastFd);
  await assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
  clock.advance(100);
  await journal.append(ledgerEntry());

  assert.equal(journal.accepting(), true);
  assert.equal(journal.mark().length, 2);
});

test('an entry that cannot be written down fails alone', async (t) => {
  const { journal, directory } = openJournal(t);

  const good = journal.append(ledgerEntry());
  const bad = journal.append(ledgerEntry({ costNanousd: 0.5 }));
  const alsoGood = journal.append(ledgerEntry());

  await assert.rejects(bad, { code: 'internal_error' });
  await Promise.all([good, alsoGood]);
  assert.equal(linesOf(directory).length, 2);
});

test('a closed journal has written what was appended and refuses the rest', async (t) => {
  const { journal, directory } = openJournal(t, { fsync: 'always' });

  const last = journal.append(ledgerEntry());
  await journal.close();
  await last;

  assert.equal(linesOf(directory).length, 1);
  assert.equal(journal.accepting(), false);
  await assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
});

test('a fault at the write is a failed write, and a delay there delays the answer', async (t) => {
  const gate = Promise.withResolvers<void>();
  let fault: () => void | Promise<void> = () => gate.promise;
  const { journal, clock } = openJournal(t, { faults: { hit: () => fault() } });
  let isReleased = false;

  const delayed = journal.append(ledgerEntry()).then(() => {
    isReleased = true;
  });
  await nextTurn();
  await nextTurn();
  const releasedEarly = isReleased;
  gate.resolve();
  await delayed;
  fault = () => {
    throw new Error('injected');
  };
  await assert.rejects(journal.append(ledgerEntry()), { code: 'ledger_unavailable' });
  fault = () => undefined;
  clock.advance(100);

  assert.equal(releasedEarly, false);
  await journal.append(ledgerEntry());
});
