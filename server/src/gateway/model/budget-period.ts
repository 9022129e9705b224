/**
 * The periods of a budget, in UTC and on the wall clock: where the running one began, and how
 * long until the next. Shared by every store of budgets.
 */
import type { BudgetPeriod } from './principal.ts';

/** Milliseconds since the epoch at which the period that contains `nowMs` began; 0 for total. */
export function periodStartMs(period: BudgetPeriod, nowMs: number): number {
  if (period === 'total') return 0;
  const now = new Date(nowMs);
  const day = period === 'day' ? now.getUTCDate() : 1;
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), day);
}

/** Whether `a` renews later than `b`; null never does. */
export function renewsLater(a: number | null, b: number | null): boolean {
  return b !== null && (a === null || a > b);
}

/** Milliseconds until the period is over; null where it never is. */
export function renewsInMs(period: BudgetPeriod, nowMs: number): number | null {
  if (period === 'total') return null;
  const start = new Date(periodStartMs(period, nowMs));
  const end =
    period === 'day'
      ? start.setUTCDate(start.getUTCDate() + 1)
      : start.setUTCMonth(start.getUTCMonth() + 1);
  return end - nowMs;
}
