/**
 * What a reservation counts for in one scope: its amount, and where the limit only warns no more
 * than uses it up. A client may ask for more than all money; sums of such amounts are no safe
 * integers, and what is taken out of them again leaves a trace.
 */
import type { BudgetScope } from '../gateway/ports/budget-store.ts';
import type { Nanousd } from '../kernel/money.ts';

export function countedNanousd({ budget }: BudgetScope, amountNanousd: Nanousd): Nanousd {
  return budget.soft === true ? Math.min(amountNanousd, budget.limitNanousd + 1) : amountNanousd;
}
