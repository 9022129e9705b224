/**
 * Applying journals to a database, put together: our own as it grows, and those of dead owners
 * at the start and from time to time.
 */
import { SegmentReader } from '../journal/segment-reader.ts';
import { LedgerApplier } from './applier.ts';
import { JournalTail } from './journal-tail.ts';
import type { LedgerStore } from './ledger-store.ts';
import { recoverOrphans } from './recovery.ts';
import type { Report } from './report.ts';

export interface JournalPlace {
  /** The folder of all journals. */
  readonly journalRoot: string;
  /** Our own journal in it; null where we have none. */
  readonly instance: { readonly name: string; readonly directory: string } | null;
}

/** How soon the journal of a process that died beside us is taken over. */
const RECOVERY_INTERVAL_MS = 5000;

export function createApplier(
  { journalRoot, instance }: JournalPlace,
  store: LedgerStore,
  report: (report: Report) => void,
): LedgerApplier {
  const reader = new SegmentReader();
  return new LedgerApplier({
    store,
    openTail:
      instance &&
      (() => JournalTail.open({ ...instance, instance: instance.name, store, reader, report })),
    recover: (pause) =>
      recoverOrphans({
        root: journalRoot,
        ownInstance: instance?.name ?? null,
        ...{ store, reader, report, pause },
      }),
    report,
  });
}

/**
 * One recovery at a time, whoever asks, and from the first question on one every few seconds.
 */
export function createRecovery(
  applier: LedgerApplier,
): (stillWanted: () => boolean) => Promise<boolean> {
  let isRepeating = false;
  let running: Promise<boolean> | null = null;
  const recover = (stillWanted: () => boolean): Promise<boolean> => {
    running ??= applier.recover(stillWanted).finally(() => {
      running = null;
    });
    return running;
  };
  return (stillWanted) => {
    if (!isRepeating) {
      setInterval(() => {
        recover(() => true).catch(() => undefined); // was reported, and is tried again
      }, RECOVERY_INTERVAL_MS).unref();
    }
    isRepeating = true;
    return recover(stillWanted);
  };
}
