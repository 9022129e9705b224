/**
 * What the main thread and the database workers say to each other. A call is answered once, by
 * its number; a notice is not answered; a report comes unasked. Messages of one direction
 * arrive in order, and the order of notices and calls is part of their meaning.
 */
import type { SpendingQuestion } from '../../../gateway/ports/budget-store.ts';
import type { Report } from '../../applying/report.ts';
import type { SqlValue } from '../../engine.ts';
import type { SegmentExtent } from '../../journal/position.ts';

export type Row = Readonly<Record<string, SqlValue>>;

export interface StatementResult {
  readonly rows: readonly Row[];
  readonly changes: number;
}

export type Call =
  | { readonly kind: 'query'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  /** Opens the database; a file answers its `AppliedSchema`. */
  | { readonly kind: 'open' }
  /** Answers when everything up to the end of the extents is in the database. */
  | { readonly kind: 'flush'; readonly extents: readonly SegmentExtent[] }
  /** Answers the sum over everything up to the end of the extents, and over nothing behind it. */
  | {
      readonly kind: 'spent';
      readonly extents: readonly SegmentExtent[];
      readonly scopeId: string;
      readonly sinceMs: number;
    }
  /** Answers what a scope spent, by all processes as far as their journals are applied. */
  | { readonly kind: 'spending'; readonly question: SpendingQuestion }
  /** Applies the journals of dead owners; answers whether each could be read. */
  | { readonly kind: 'recover' }
  /** Our own journal is applied to its end and about to be removed: its position goes, too. */
  | { readonly kind: 'retire' }
  | { readonly kind: 'close' };

export type Notice =
  /** The journal ends here now; it is applied when there is time. */
  | { readonly kind: 'advance'; readonly extents: readonly SegmentExtent[] }
  /** Ends a transaction that nobody will end. */
  | { readonly kind: 'reset' };

export type ToWorker =
  | { readonly id: number; readonly timeoutMs: number; readonly call: Call }
  | { readonly notice: Notice };

export type FromWorker =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly report: Report };

/** An error without its class, which does not survive the way between threads. */
export interface Failure {
  readonly message: string;
  /** What it means to the caller; `broken`: our statement or our code is wrong. */
  readonly kind: 'unavailable' | 'unique' | 'foreign_key' | 'constraint' | 'broken';
}
