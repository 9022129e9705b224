/**
 * Money promised to one exchange in the accounts of its scopes. `budget-store.ts` grants it and
 * books its end.
 *
 * Invariants: what is promised is counted when made and taken out of the counters once, by the
 * end or by expiry, and not where the period has rolled over; it ends once.
 */

import type { Reservation } from '../../gateway/model/holds.ts';
import { assert } from '../../kernel/assert.ts';
import type { ListNode } from '../../kernel/linked-list.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { Account } from './budget-account.ts';

export interface ReservationBook {
  /** Takes it among those that count. */
  enter(reservation: MemoryReservation): ListNode<MemoryReservation>;
  /** Told that a reservation ended, once, with its cost. */
  end(reservation: MemoryReservation, cost: Nanousd): void;
}

export interface Share {
  readonly account: Account;
  /** Of the account when it was made. */
  readonly epoch: number;
  readonly countedNanousd: Nanousd;
}

export class MemoryReservation implements Reservation {
  readonly amountNanousd: Nanousd;
  readonly madeAtMs: number;
  readonly expiresAtMs: number;
  readonly shares: readonly Share[];
  readonly #book: ReservationBook;
  readonly #place: ListNode<MemoryReservation>;
  #counted = true;
  #ended = false;

  constructor(
    book: ReservationBook,
    amountNanousd: Nanousd,
    madeAtMs: number,
    expiresAtMs: number,
    shares: readonly Share[],
  ) {
    this.#book = book;
    this.#place = book.enter(this);
    this.amountNanousd = amountNanousd;
    this.madeAtMs = madeAtMs;
    this.expiresAtMs = expiresAtMs;
    this.shares = shares;
    for (const { account, countedNanousd } of shares) {
      account.reservedNanousd += countedNanousd;
      account.open += 1;
    }
  }

  settle(costNanousd: Nanousd): void {
    assertAmount(costNanousd);
    if (this.#ended) return;
    this.#ended = true;
    this.#book.end(this, costNanousd);
  }

  release(): void {
    this.settle(0);
  }

  /** Takes the amount out of the counters it still counts in. */
  withdraw(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#place.remove();
    for (const { account, epoch, countedNanousd } of this.shares) {
      if (account.epoch !== epoch) continue;
      account.reservedNanousd -= countedNanousd;
      account.open -= 1;
    }
  }
}

export function assertAmount(amount: Nanousd): void {
  assert(Number.isSafeInteger(amount) && amount >= 0, `an amount of money: ${amount}`);
}
