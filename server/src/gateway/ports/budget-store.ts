/**
 * Money promised and spent per scope. Reserve before dispatch, settle once, release on
 * failure; a reservation that nobody ends expires. All amounts are nano-dollars.
 *
 * Invariant: spent + reserved never exceeds the limit of a scope that does not only warn, as
 * long as no exchange costs more than it reserved.
 */
import type { Nanousd } from '../../kernel/money.ts';
import type { Reservation } from '../model/holds.ts';
import type { Budget } from '../model/principal.ts';

export interface BudgetScope {
  /** What is counted: `key:key_01J…`. */
  readonly id: string;
  readonly budget: Budget;
}

export type BudgetDecision =
  | {
      readonly kind: 'granted';
      readonly reservation: Reservation;
      /** Scopes whose budget only warns, and is used up. */
      readonly passed: readonly string[];
    }
  | {
      readonly kind: 'exceeded';
      readonly scope: string;
      /** Milliseconds until the period renews; null where it never does. */
      readonly renewsInMs: number | null;
    }
  /** The counter is not built yet, or was lost: fail closed. */
  | { readonly kind: 'unavailable' };

/** Whose money it is: the ledger's row of the exchange carries the same two. */
export interface Spender {
  readonly tenant: string;
  readonly exchangeId: string;
}

export interface BudgetFigures {
  readonly spentNanousd: Nanousd;
  readonly reservedNanousd: Nanousd;
  /** Milliseconds since the epoch; null for a budget that never renews. */
  readonly renewsAtMs: number | null;
}

export interface BudgetStore {
  /** Reserves `amountNanousd` in every scope, or in none; an exchange reserves once. */
  reserve(
    scopes: readonly BudgetScope[],
    amountNanousd: Nanousd,
    spender: Spender,
  ): Promise<BudgetDecision>;
  /** Books a cost for which nothing was reserved, in the counters that exist. */
  charge(scopeIds: readonly string[], costNanousd: Nanousd, spender: Spender): void;
  /** Where a scope stands, loaded if need be; null when that failed. */
  figures(scope: BudgetScope, tenant: string): Promise<BudgetFigures | null>;
  /** Reservations of this process that are neither ended nor expired. */
  open(): number;
}

/** The ledger, as the place a counter is rebuilt from. */
export interface SpendingHistory {
  /**
   * What a scope spent since a point in time, over every entry appended before this call and
   * over none appended after it. Rejects with `budget_unavailable`.
   */
  spentNanousd(scopeId: string, sinceMs: number): Promise<Nanousd>;
}

/** The ledger that several processes write, as the place their common counters come from. */
export interface SharedSpending {
  /**
   * Resolves when `spending` of any process covers every entry that this one appended before
   * the call. Rejects with `budget_unavailable`.
   */
  settled(): Promise<void>;
  /** One look at the ledger, after the journals of dead processes are in it. Rejects alike. */
  spending(question: SpendingQuestion): Promise<Spending>;
}

export interface SpendingQuestion {
  readonly scopeId: string;
  readonly sinceMs: number;
  /** Exchanges that ended at this instant or later are named one by one. */
  readonly endedSinceMs: number;
}

export interface Spending {
  readonly spentNanousd: Nanousd;
  /** Ids of exchanges that are in the sum and ended lately. */
  readonly recentIds: readonly string[];
}
