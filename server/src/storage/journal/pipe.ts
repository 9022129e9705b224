/**
 * The way from the journal to the database, as the main thread sees it: says from time to time
 * how long the journal is, learns how much of it is applied, and puts the questions that
 * depend on an exact place in it.
 *
 * Invariant: a question carries the journal's end at the moment it was asked and reaches the
 * sink before any later end does; so its answer covers every entry appended before the call
 * and none appended after it.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { LedgerEntry } from '../../gateway/model/ledger-entry.ts';
import type {
  SharedSpending,
  Spending,
  SpendingHistory,
  SpendingQuestion,
} from '../../gateway/ports/budget-store.ts';
import type { Ledger } from '../../gateway/ports/ledger.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { Journal, JournalFigures } from './journal.ts';
import { JOURNAL_START, type JournalPosition, type SegmentExtent } from './position.ts';

/** Applies journals to a database, in the order in which it is told. */
export interface LedgerSink {
  /** The journal ends here now; the latest call counts. */
  advance(extents: readonly SegmentExtent[]): void;
  /** Resolves when everything in the extents is in the database. */
  flush(extents: readonly SegmentExtent[], timeoutMs: number): Promise<void>;
  /** The sum over everything in the extents and over nothing behind them. */
  spentNanousd(
    extents: readonly SegmentExtent[],
    scopeId: string,
    sinceMs: number,
  ): Promise<Nanousd>;
  /** What the database says now, once the journals of dead processes are in it. */
  spending(question: SpendingQuestion): Promise<Spending>;
}

export interface PipeFigures extends JournalFigures {
  /** How long the oldest entry has been waiting for the database; zero when none does. */
  readonly oldestUnappliedMs: number;
}

interface Published {
  end: JournalPosition;
  /** When the first entry behind the end before was written, on the monotonic clock. */
  readonly sinceMs: number;
}

/** How long entries gather before the database hears of them. */
const PUBLISH_INTERVAL_MS = 100;
const PUBLISHED_MAX = 64;
/** Longest wait for the database where a common counter is built. */
const SETTLED_MS = 2000;

export class LedgerPipe implements Ledger, SpendingHistory, SharedSpending {
  readonly #journal: Journal;
  readonly #sink: LedgerSink;
  readonly #clock: Clock;
  readonly #published: Published[] = [];
  #applied: JournalPosition = JOURNAL_START;
  #sinceMs: number | null = null;
  #timer: Timer | null = null;

  constructor(openJournal: (onWritten: () => void) => Journal, sink: LedgerSink, clock: Clock) {
    this.#journal = openJournal(() => this.#written());
    this.#sink = sink;
    this.#clock = clock;
  }

  accepting(): boolean {
    return this.#journal.accepting();
  }

  append(entry: LedgerEntry): Promise<void> {
    return this.#journal.append(entry);
  }

  /** The database stands here now. */
  applied(position: JournalPosition): void {
    this.#applied = position;
    this.#journal.applied(position);
    while (this.#published[0] !== undefined && isReached(this.#published[0].end, position)) {
      this.#published.shift();
    }
  }

  /** What was appended so far stands in no file any more once it is in the database. */
  roll(): void {
    this.#journal.roll();
    this.#journal.applied(this.#applied);
  }

  /** Tells the sink again: it forgot what it was told. */
  republish(): void {
    this.#publish();
  }

  /**
   * Resolves when everything appended before this call is in the database, or was refused.
   * Throws `storage_unavailable` when that takes longer than `timeoutMs`.
   */
  async flush(timeoutMs: number): Promise<void> {
    const extents = this.#publish();
    const last = extents.at(-1);
    const end = last && { segment: last.segment, offset: last.bytes };
    if (end === undefined || isReached(end, this.#applied)) return;
    await this.#sink.flush(extents, timeoutMs);
  }

  async spentNanousd(scopeId: string, sinceMs: number): Promise<Nanousd> {
    try {
      return await this.#sink.spentNanousd(this.#publish(), scopeId, sinceMs);
    } catch (cause) {
      throw new GatewayError('budget_unavailable', { cause });
    }
  }

  async settled(): Promise<void> {
    try {
      await this.flush(SETTLED_MS);
    } catch (cause) {
      throw new GatewayError('budget_unavailable', { cause });
    }
  }

  async spending(question: SpendingQuestion): Promise<Spending> {
    try {
      return await this.#sink.spending(question);
    } catch (cause) {
      throw new GatewayError('budget_unavailable', { cause });
    }
  }

  figures(): PipeFigures {
    const sinceMs = this.#published[0]?.sinceMs ?? this.#sinceMs;
    const oldestUnappliedMs = sinceMs === null ? 0 : this.#clock.monotonicMs() - sinceMs;
    return { ...this.#journal.figures(), oldestUnappliedMs };
  }

  /** Writes what is pending and refuses everything after it; does not wait for the database. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#journal.close();
  }

  #written(): void {
    this.#sinceMs ??= this.#clock.monotonicMs();
    this.#timer ??= this.#clock.setTimer(PUBLISH_INTERVAL_MS, () => this.#publish());
  }

  /**
   * Tells the sink how far the journal goes now, and answers the same for a question that
   * leaves in this very turn: the question may be given up, the entries may not.
   */
  #publish(): SegmentExtent[] {
    const extents = this.#journal.mark();
    this.#timer?.cancel();
    this.#timer = null;
    this.#sink.advance(extents);
    if (this.#sinceMs !== null) this.#remember(extents, this.#sinceMs);
    this.#sinceMs = null;
    return extents;
  }

  #remember(extents: readonly SegmentExtent[], sinceMs: number): void {
    const last = extents.at(-1);
    if (last === undefined) return;
    const end = { segment: last.segment, offset: last.bytes };
    const newest = this.#published.at(-1);
    if (newest !== undefined && this.#published.length >= PUBLISHED_MAX) newest.end = end;
    else this.#published.push({ end, sinceMs });
  }
}

function isReached(end: JournalPosition, by: JournalPosition): boolean {
  return by.segment > end.segment || (by.segment === end.segment && by.offset >= end.offset);
}
