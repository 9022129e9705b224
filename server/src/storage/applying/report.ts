/**
 * What the thread that writes to the database, or watches it, tells unasked.
 */
import type { JournalPosition } from '../journal/position.ts';

export type Report =
  | { readonly kind: 'applied'; readonly position: JournalPosition; readonly tookMs: number }
  /** The database does not take the journal; null: it does again. */
  | { readonly kind: 'lagging'; readonly error: string | null }
  | { readonly kind: 'unreadable'; readonly records: number; readonly keptIn: string }
  /** Bytes of the journal that are not there any more. */
  | { readonly kind: 'missing'; readonly segment: number; readonly bytes: number }
  | { readonly kind: 'recovered'; readonly instance: string; readonly records: number }
  | { readonly kind: 'recovery_failed'; readonly instance: string; readonly error: string }
  /** The change versions, as one text to compare. */
  | { readonly kind: 'versions'; readonly text: string };
