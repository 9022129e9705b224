/**
 * Brings the journals of dead owners into the ledger and removes them, while holding the lock
 * each of them is owned by; a journal whose owner lives is left alone.
 */
import { claimInstance, listInstances, type Ownership } from '../journal/ownership.ts';
import { listSegments, WHOLE_FILE } from '../journal/position.ts';
import { onDisk } from './disk.ts';
import { JournalTail, type JournalTailOptions } from './journal-tail.ts';

export interface RecoveryOptions extends Omit<JournalTailOptions, 'instance' | 'directory'> {
  readonly root: string;
  /** Our own journal; null where we have none. */
  readonly ownInstance: string | null;
  /** Lets other work run between two batches. */
  readonly pause: () => Promise<void>;
}

/**
 * Resolves with true when no dead owner's journal is left; false when one cannot be read, which
 * was reported. Throws what the database said while it does not take rows.
 */
export async function recoverOrphans(options: RecoveryOptions): Promise<boolean> {
  let isComplete = true;
  for (const instance of listInstances(options.root)) {
    if (instance === options.ownInstance) continue;
    try {
      await recoverOne(options, instance);
    } catch (error) {
      const judgement = options.store.judge(error);
      if (judgement === 'later' || judgement === 'smaller') throw error;
      isComplete = false;
      const message = error instanceof Error ? error.message : String(error);
      options.report({ kind: 'recovery_failed', instance, error: message });
    }
  }
  return isComplete;
}

/** Leaves it alone when the owner lives. */
async function recoverOne(options: RecoveryOptions, instance: string): Promise<void> {
  const claim = claimInstance(options.root, instance);
  if (claim === null) return;
  try {
    const records = await applyWhole(options, claim);
    onDisk(() => claim.remove());
    options.report({ kind: 'recovered', instance, records });
    await options.store.forget(instance);
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function applyWhole(options: RecoveryOptions, claim: Ownership): Promise<number> {
  const { instance, directory } = claim;
  const tail = await JournalTail.open({ ...options, instance, directory });
  const segments = onDisk(() => listSegments(directory));
  const extents = segments.map((segment) => ({ segment, bytes: WHOLE_FILE }));
  let records = 0;
  for (;;) {
    await options.pause();
    const written = await tail.writeNext(extents);
    if (written === null) return records;
    records += written;
  }
}
