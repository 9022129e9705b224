/**
 * A journal and what applies it, as a process has them: entries are acknowledged, and the
 * applier brings them into whatever database stands behind its store. Nothing runs by itself: a
 * test says how far the journal is known to go.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LedgerEntry } from '../../src/gateway/model/ledger-entry.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { noFaults } from '../../src/kernel/fault.ts';
import type { LedgerApplier } from '../../src/storage/applying/applier.ts';
import { createApplier } from '../../src/storage/applying/index.ts';
import type { LedgerStore } from '../../src/storage/applying/ledger-store.ts';
import type { Report } from '../../src/storage/applying/report.ts';
import { systemFiles } from '../../src/storage/journal/files.ts';
import { Journal } from '../../src/storage/journal/journal.ts';
import { createInstance } from '../../src/storage/journal/ownership.ts';
import { afterwards, temporaryFolder } from './afterwards.ts';
import { ids, rememberingLog } from './storage.ts';

export interface Booking {
  readonly applier: LedgerApplier;
  readonly reports: readonly Report[];
  /** The folder of all journals, and our own in it. */
  readonly root: string;
  readonly directory: string;
  /** Resolves when the entries are in the journal, and the applier knows of them. */
  append(entries: readonly LedgerEntry[]): Promise<void>;
  /** Why the database does not take the journal, as was said last; null: it does. */
  lag(): string | null;
  /** What was put aside. */
  aside(): string[];
}

export function bookingWith(t: TestContext, store: LedgerStore): Booking {
  const root = join(temporaryFolder(t), 'journal');
  const owned = createInstance(root, ids.next('journal'));
  const journal = new Journal({
    ...{ directory: owned.directory, files: systemFiles, fsync: 'off', maxBytes: 1 << 24 },
    ...{ segmentMaxBytes: 1 << 20, clock: systemClock, log: rememberingLog() },
    ...{ faults: noFaults, onWritten: () => undefined },
  });
  afterwards(t, async () => {
    await journal.close();
    owned.release();
  });
  const reports: Report[] = [];
  const instance = { name: owned.instance, directory: owned.directory };
  const applier = createApplier({ journalRoot: root, instance }, store, (report) => {
    reports.push(report);
  });
  return {
    ...{ applier, reports, root, directory: owned.directory },
    async append(entries) {
      await Promise.all(entries.map((entry) => journal.append(entry)));
      applier.advance(journal.mark());
    },
    lag() {
      const last = reports.filter((report) => report.kind === 'lagging').at(-1);
      return last?.error ?? null;
    },
    aside() {
      const path = join(root, 'unreadable.log');
      if (!existsSync(path)) return [];
      return readFileSync(path, 'utf8').split('\n').slice(0, -1);
    },
  };
}
