/**
 * Tells of budgets that only warn: each exchange beyond one is counted, and the first of a
 * period is a line in the log. Of more scopes than are remembered a line may come twice.
 */
import { periodStartMs } from '../gateway/model/budget-period.ts';
import type { Exchange } from '../gateway/model/exchange.ts';
import type { Log } from '../kernel/log.ts';
import type { Counter } from '../kernel/meter.ts';

const REMEMBERED_MOST = 10_000;

export function createBudgetWarnings(log: Log, warned: Counter): (exchange: Exchange) => void {
  /** Scopes, and the period in which their line was written. */
  const told = new Map<string, number>();
  return ({ budgetsPassed, createdAtMs }) => {
    if (budgetsPassed.length === 0) return;
    warned.add(1);
    for (const { id, budget } of budgetsPassed) {
      const startMs = periodStartMs(budget.period, createdAtMs);
      if (told.get(id) === startMs) continue;
      if (told.size >= REMEMBERED_MOST) told.clear();
      told.set(id, startMs);
      const { period, limitNanousd } = budget;
      log.warn('a budget is used up; it only warns', {
        ...{ budget: id, period, limit_nanousd: limitNanousd },
      });
    }
  };
}
