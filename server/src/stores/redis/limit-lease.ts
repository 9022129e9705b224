/**
 * What one request holds in the limits that Redis counts, as the process that runs it knows it,
 * and what it has to tell.
 *
 * 1. One word of a lease is under way at a time, and says the same where it is sent once more;
 *    so a correction is neither lost nor counted twice.
 * 2. What may have been heard is not repeated: tokens drain within their minute, a place ends
 *    by its lease.
 * 3. Renewals go by themselves. One that was under way when the request ended may come after
 *    its end and take the place again; then the end is told once more.
 */
import type { LimitLease } from '../../gateway/model/holds.ts';
import type { ListNode } from '../../kernel/linked-list.ts';
import type { LimitQuestion, LimitWord, Said } from './limit-load.ts';

export interface LeaseBook {
  /** How long a place is kept. */
  readonly leaseMs: number;
  /** The lease has something to say. */
  told(lease: SharedLease): void;
}

export class SharedLease implements LimitLease, LimitWord {
  readonly holder: LimitQuestion;
  readonly holdsPlace: boolean;
  /** On the monotonic clock: until then nobody misses what it gives back. */
  readonly mayWaitUntilMs: number;
  /** Among those that are renewed. */
  place: ListNode<SharedLease> | null = null;
  readonly #book: LeaseBook;
  readonly #countsTokens: boolean;
  /** As Redis counts it, when what is under way has arrived. */
  #countedTokens: number;
  #actualTokens: number;
  #isReleased = false;
  /** Its end is still to be told. */
  #isLeaving = false;
  #isTelling = false;
  /** The word under way; null where it waits to be sent. */
  #said: Said | null = null;

  constructor(book: LeaseBook, holder: LimitQuestion, mayWaitUntilMs: number) {
    this.#book = book;
    this.holder = holder;
    this.mayWaitUntilMs = mayWaitUntilMs;
    this.holdsPlace = holdsPlace(holder);
    this.#countsTokens = holder.scopes.some(({ limits }) => limits.tokensPerMinute !== undefined);
    this.#countedTokens = holder.tokens;
    this.#actualTokens = holder.tokens;
  }

  correctTokens(actualTokens: number): void {
    if (!this.#countsTokens) return;
    this.#actualTokens = actualTokens;
    this.#tell();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.place?.remove();
    this.#isLeaving = this.holdsPlace;
    this.#tell();
  }

  said(): Said {
    if (this.#said === null) {
      const moreTokens = this.#actualTokens - this.#countedTokens;
      this.#countedTokens = this.#actualTokens;
      this.#isLeaving = false;
      this.#said = { moreTokens, leaseMs: this.keptMs() };
    }
    return this.#said;
  }

  heard(): void {
    this.#isTelling = false;
    if (this.#said === null) return; // never sent: the next word says it
    this.#said = null;
    this.#tell();
  }

  lost(): void {
    this.heard();
  }

  /** How long its places are kept from now on. */
  keptMs(): number {
    return this.#isReleased ? 0 : this.#book.leaseMs;
  }

  /** A renewal has arrived, or may have. */
  renewed(): void {
    this.#isLeaving = this.#isReleased;
    this.#tell();
  }

  #tell(): void {
    if (this.#isTelling) return;
    if (!this.#isLeaving && this.#actualTokens === this.#countedTokens) return;
    this.#isTelling = true;
    this.#book.told(this);
  }
}

/** Keeps the places of a lease for longer. */
export class Renewal implements LimitWord {
  readonly #lease: SharedLease;
  #keeps = false;

  constructor(lease: SharedLease) {
    this.#lease = lease;
  }

  get holder(): LimitQuestion {
    return this.#lease.holder;
  }

  said(): Said {
    const leaseMs = this.#lease.keptMs();
    this.#keeps ||= leaseMs > 0;
    return { moreTokens: 0, leaseMs };
  }

  heard(): void {
    if (this.#keeps) this.#lease.renewed();
  }

  lost(): void {
    this.heard();
  }
}

export function holdsPlace({ scopes }: LimitQuestion): boolean {
  return scopes.some(({ limits }) => limits.concurrency !== undefined);
}
