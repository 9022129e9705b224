/**
 * Money promised to one exchange in Redis, as the process that runs the exchange knows it.
 *
 * Invariant: it ends once. Each share carries the generation of its account that knows of it;
 * a load that this process answered raises it.
 */
import type { Reservation } from '../../gateway/model/holds.ts';
import { assert } from '../../kernel/assert.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { BudgetPlace } from './budget-keys.ts';

export interface Share extends BudgetPlace {
  generation: string;
  /** On the clock of the server; it belongs to the period that was running then. */
  readonly madeAtMs: number;
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

export class SharedReservation implements Reservation, Promised {
  readonly id: string;
  readonly exchangeId: string;
  readonly amountNanousd: Nanousd;
  readonly shares: readonly Share[];
  readonly expiresAtMs: number;
  readonly mayWaitUntilMs: number;
  readonly #end: (reservation: SharedReservation, costNanousd: Nanousd) => void;
  #ended = false;

  constructor(
    promised: Promised,
    end: (reservation: SharedReservation, costNanousd: Nanousd) => void,
  ) {
    this.id = promised.id;
    this.exchangeId = promised.exchangeId;
    this.amountNanousd = promised.amountNanousd;
    this.shares = promised.shares;
    this.expiresAtMs = promised.expiresAtMs;
    this.mayWaitUntilMs = promised.mayWaitUntilMs;
    this.#end = end;
  }

  settle(costNanousd: Nanousd): void {
    assertAmount(costNanousd);
    if (this.#ended) return;
    this.#ended = true;
    this.#end(this, costNanousd);
  }

  release(): void {
    this.settle(0);
  }
}

export function assertAmount(amount: Nanousd): void {
  assert(Number.isSafeInteger(amount) && amount >= 0, `an amount of money: ${amount}`);
}
