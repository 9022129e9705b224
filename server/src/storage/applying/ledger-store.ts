/**
 * What applying a journal needs from a database, whichever it is. Used by one task at a time.
 *
 * A method of an engine that works at once may answer at once.
 */
import type { Spending, SpendingQuestion } from '../../gateway/ports/budget-store.ts';
import type { JournalPosition } from '../journal/position.ts';
import type { JournalRecord } from '../journal/record.ts';

type Soon<T> = T | Promise<T>;

/**
 * - `later`: the database, not the records, is at fault, and may take them another time.
 * - `smaller`: the same, and it may take fewer at once: in less time, past fewer others.
 * - `never`: it refuses a record for its own sake.
 * - `unknown`: nobody can tell. No record is given up for it, but a question is.
 */
export type Judgement = 'later' | 'smaller' | 'never' | 'unknown';

export interface LedgerStore {
  /** Resolves while nobody else has a transaction open on the same connection. */
  free(): Soon<void>;
  /** How far the journal of this instance is applied; null when nothing of it ever was. */
  position(instance: string): Soon<JournalPosition | null>;
  /**
   * Writes all records and the position, or nothing. A record that is a row already changes
   * nothing, so that live writing and replay after a crash are one and the same.
   */
  write(instance: string, records: readonly JournalRecord[], position: JournalPosition): Soon<void>;
  /** Forgets the position of a journal that is gone. */
  forget(instance: string): Soon<void>;
  /**
   * The sum of what a scope spent: `key:<id>`, `tenant:<slug>` or `model:<slug>/<name>`.
   * Throws for another kind.
   */
  spentNanousd(scopeId: string, sinceMs: number): Soon<number>;
  /** The same, with the exchanges that ended lately; both of one look. */
  spending(question: SpendingQuestion): Soon<Spending>;
  /** What an error means that a method of this store threw. */
  judge(error: unknown): Judgement;
}
