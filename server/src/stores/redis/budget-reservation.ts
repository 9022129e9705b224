/**
 * Money promised to one exchange in Redis, as the process that runs the exchange knows it.
 *
 * Invariant: it ends once. Each share carries the generation of its account that knows of it;
 * a load that this process answered raises it.
 */
import type { Reservation } from '../../gateway/model/holds.ts';
import { assert } from '../../kernel/assert.ts';
import type { LinkedList, ListNode } from '../../kernel/linked-list.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { BudgetKeys, BudgetPlace } from './budget-keys.ts';

/** A scope, as this process knows it. */
export interface HeldPlace extends BudgetPlace {
  readonly keys: BudgetKeys;
  readonly reservations: LinkedList<SharedReservation>;
  /** The last census that this process answered; null: none yet. */
  told: string | null;
  /** Exchanges that wait to hear what was decided. */
  asking: number;
}

export interface Share {
  readonly place: HeldPlace;
  /** What it counts for there. */
  readonly countedNanousd: Nanousd;
  generation: string;
  /** On the clock of the server; it belongs to the period that was running then. */
  readonly madeAtMs: number;
  /** The ledger has told the cost of what is booked for it. */
  told: boolean;
}

export interface Promised {
  /** The exchange's, with a suffix where it is not the first for this exchange. */
  readonly id: string;
  readonly exchangeId: string;
  readonly amountNanousd: Nanousd;
  readonly shares: readonly Share[];
  /** On the monotonic clock: when it stops counting although it was not ended. */
  readonly expiresAtMs: number;
  /** On the monotonic clock: until then nobody misses what it gives back. */
  readonly mayWaitUntilMs: number;
}

export interface ReservationBook {
  end(reservation: SharedReservation, costNanousd: Nanousd): void;
}

export class SharedReservation implements Reservation {
  readonly promised: Promised;
  /** Where it is held; empty: nowhere any more. */
  readonly holdings: ListNode<SharedReservation>[] = [];
  readonly #book: ReservationBook;
  #isEnded = false;

  constructor(promised: Promised, book: ReservationBook) {
    this.promised = promised;
    this.#book = book;
  }

  get amountNanousd(): Nanousd {
    return this.promised.amountNanousd;
  }

  settle(costNanousd: Nanousd): void {
    assertAmount(costNanousd);
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#book.end(this, costNanousd);
  }

  release(): void {
    this.settle(0);
  }
}

export function assertAmount(amount: Nanousd): void {
  assert(Number.isSafeInteger(amount) && amount >= 0, `an amount of money: ${amount}`);
}
