/**
 * Money promised and spent per scope. Reserve before dispatch, settle once, release on
 * failure; a reservation that nobody ends expires. All amounts are nano-dollars.
 *
 * Invariant: spent + reserved never exceeds a scope's limit, as long as no exchange costs more
 * than it reserved.
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
  | { readonly kind: 'granted'; readonly reservation: Reservation }
  | {
      readonly kind: 'exceeded';
      readonly scope: string;
      /** Milliseconds until the period renews; null where it never does. */
      readonly renewsInMs: number | null;
    }
  /** The counter is not built yet, or was lost: fail closed. */
  | { readonly kind: 'unavailable' };

export interface BudgetStore {
  /** Reserves `amountNanousd` in every scope, or in none. */
  reserve(scopes: readonly BudgetScope[], amountNanousd: Nanousd): Promise<BudgetDecision>;
  /** Books a cost for which nothing was reserved, in the counters that exist. */
  charge(scopeIds: readonly string[], costNanousd: Nanousd): void;
}

/** The ledger, as the place a counter is rebuilt from. */
export interface SpendingHistory {
  /**
   * What a scope spent since a point in time, over every entry appended before this call and
   * over none appended after it. Rejects with `budget_unavailable`.
   */
  spentNanousd(scopeId: string, sinceMs: number): Promise<Nanousd>;
}
