/**
 * The order of work in the database writer: recovery first, then the journal as it grows, and
 * between its pieces the questions that depend on an exact place in it.
 *
 * 1. Tasks are done in the order in which they were asked for, so that an answer covers what
 *    was appended before its question and nothing after it.
 * 2. A database or disk that refuses makes the first task wait and be repeated; nothing is
 *    skipped, and nothing is kept in memory but the tasks.
 * 3. Before it is repeated the database is asked anew how far it is: one that was restored, or
 *    that took over from another, may stand further back.
 * 4. Work pauses between batches and while the main thread has a transaction open.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Spending, SpendingQuestion } from '../../gateway/ports/budget-store.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { SegmentExtent } from '../journal/position.ts';
import type { JournalTail } from './journal-tail.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { Report } from './report.ts';

export interface ApplierOptions {
  readonly store: LedgerStore;
  /** Opens our own journal; null where we have none. */
  readonly openTail: (() => Promise<JournalTail>) | null;
  /** Applies dead owners' journals; false when one of them cannot be read. */
  readonly recover: (pause: () => Promise<void>) => Promise<boolean>;
  readonly report: (report: Report) => void;
}

interface Task {
  extents: readonly SegmentExtent[];
  /** Runs when the extents are applied; null: nobody waits for them. */
  readonly finish: (() => void | Promise<void>) | null;
  readonly stillWanted: () => boolean;
  readonly reject: (error: unknown) => void;
}

/** A question is given up: trying again would not help it. The cause is what it fails with. */
class Given extends Error {}

const RETRY_FIRST_MS = 20;
const RETRY_MAX_MS = 1000;

export class LedgerApplier {
  readonly #options: ApplierOptions;
  readonly #tasks: Task[] = [];
  #tail: JournalTail | null = null;
  #isWorking = false;
  #isComplete = false;
  #lag: string | null = null;
  #retryMs = RETRY_FIRST_MS;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Applies the journal up to here when there is time. */
  advance(extents: readonly SegmentExtent[]): void {
    const last = this.#tasks.at(-1);
    if (last !== undefined && last.finish === null) last.extents = extents;
    else this.#push({ extents, finish: null, stillWanted: () => true, reject: () => undefined });
  }

  /** Has the store to itself for a moment, when it is its turn; whatever comes of it, once. */
  inTurn<Value>(work: () => Value | Promise<Value>, stillWanted: () => boolean): Promise<Value> {
    return this.#ask([], stillWanted, async () => {
      try {
        return await work();
      } catch (cause) {
        throw given(cause);
      }
    });
  }

  flush(extents: readonly SegmentExtent[], stillWanted: () => boolean): Promise<void> {
    return this.#ask(extents, stillWanted, () => undefined);
  }

  /** Rejects while a dead owner's journal cannot be read: the sum is not known then. */
  spent(
    question: { extents: readonly SegmentExtent[]; scopeId: string; sinceMs: number },
    stillWanted: () => boolean,
  ): Promise<number> {
    return this.#ask(question.extents, stillWanted, () => {
      if (!this.#isComplete) throw new Error('a journal of an earlier run is not applied yet');
      return this.#options.store.spentNanousd(question.scopeId, question.sinceMs);
    });
  }

  /** The same over all processes: takes over the journals of dead ones first. */
  spending(question: SpendingQuestion, stillWanted: () => boolean): Promise<Spending> {
    return this.#ask([], stillWanted, async () => {
      this.#isComplete = await this.#options.recover(this.#pause);
      if (!this.#isComplete) throw new Error('a journal of an earlier run cannot be read');
      return this.#options.store.spending(question);
    });
  }

  recover(stillWanted: () => boolean): Promise<boolean> {
    return this.#ask([], stillWanted, async () => {
      this.#isComplete = await this.#options.recover(this.#pause);
      return this.#isComplete;
    });
  }

  #ask<Value>(
    extents: readonly SegmentExtent[],
    stillWanted: () => boolean,
    work: () => Value | Promise<Value>,
  ): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      const finish = async (): Promise<void> => resolve(await work());
      this.#push({ extents, finish, stillWanted, reject });
    });
  }

  #push(task: Task): void {
    this.#tasks.push(task);
    if (!this.#isWorking) void this.#work();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let task = this.#tasks[0]; task !== undefined; task = this.#tasks[0]) {
      try {
        await this.#run(task);
        this.#report(null);
        this.#tasks.shift();
      } catch (error) {
        if (error instanceof Given) {
          task.reject(error.cause);
          this.#tasks.shift();
        } else await this.#retryLater(error);
      }
    }
    this.#isWorking = false;
  }

  async #run(task: Task): Promise<void> {
    if (!task.stillWanted()) throw given(new Error('nobody waits for the answer'));
    await this.#apply(task);
    // Without a question nothing may come between here and the end of the task: extents that
    // arrived meanwhile would be dropped with it.
    if (task.finish === null) return;
    await this.#pause();
    try {
      await task.finish();
    } catch (error) {
      throw this.#isPassing(error) ? error : given(error);
    }
  }

  async #apply(task: Task): Promise<void> {
    if (task.extents.length === 0 || this.#options.openTail === null) return;
    this.#tail ??= await this.#options.openTail();
    const tail = this.#tail;
    for (;;) {
      await this.#pause();
      const startedMs = systemClock.monotonicMs();
      if ((await tail.writeNext(task.extents)) === null) return;
      const tookMs = systemClock.monotonicMs() - startedMs;
      this.#report(null);
      this.#options.report({ kind: 'applied', position: tail.position, tookMs });
    }
  }

  readonly #pause = async (): Promise<void> => {
    await nextTurn();
    await this.#options.store.free();
  };

  async #retryLater(error: unknown): Promise<void> {
    this.#report(error instanceof Error ? error.message : String(error));
    if (this.#options.store.judge(error) !== 'smaller') this.#tail = null;
    await delay(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  /** Tells the main thread when the lag begins and when it ends, not in between. */
  #report(error: string | null): void {
    if (error === null) this.#retryMs = RETRY_FIRST_MS;
    if ((error === null) === (this.#lag === null)) return;
    this.#lag = error;
    this.#options.report({ kind: 'lagging', error });
  }

  /** The database may answer it later. */
  #isPassing(error: unknown): boolean {
    const judgement = this.#options.store.judge(error);
    return judgement === 'later' || judgement === 'smaller';
  }
}

function given(error: unknown): Given {
  return error instanceof Given ? error : new Given('given up', { cause: error });
}
