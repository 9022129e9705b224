/**
 * The counter of one budget scope in its running period, and what turns one period into the
 * next. `budget-store.ts` decides with it.
 */

import type { BudgetPeriod } from '../../gateway/model/principal.ts';
import type { Nanousd } from '../../kernel/money.ts';

export interface Account {
  readonly id: string;
  period: BudgetPeriod;
  startMs: number;
  spentNanousd: Nanousd;
  reservedNanousd: Nanousd;
  /** Reservations in `reservedNanousd`. */
  open: number;
  /** Rises when the period rolls over and what was reserved no longer counts. */
  epoch: number;
  /** False until what was spent before is known. */
  ready: boolean;
  /** Under way: resolves with false when it failed. */
  loading: Promise<boolean> | null;
}

export function newAccount(id: string, period: BudgetPeriod, startMs: number): Account {
  return {
    id,
    period,
    startMs,
    spentNanousd: 0,
    reservedNanousd: 0,
    open: 0,
    epoch: 0,
    ready: false,
    loading: null,
  };
}

/** Starts the period that begins at `startMs`, if it is a later one: nothing is spent in it yet. */
export function rollOver(account: Account, startMs: number): void {
  if (startMs <= account.startMs) return;
  account.startMs = startMs;
  account.spentNanousd = 0;
  account.reservedNanousd = 0;
  account.open = 0;
  account.epoch += 1;
  account.ready = true;
  account.loading = null;
}
