/**
 * The durable record of exchanges, as the settle stage needs it.
 */
import type { LedgerEntry } from '../model/ledger-entry.ts';

export interface Ledger {
  /** False while the journal is full or unwritable: new exchanges must be refused. */
  accepting(): boolean;
  /**
   * Resolves once the entry is in the journal under the configured fsync policy; entries of
   * one turn of the event loop share one write. Rejects with `ledger_unavailable`.
   */
  append(entry: LedgerEntry): Promise<void>;
}
