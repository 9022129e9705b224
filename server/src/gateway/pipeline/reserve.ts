/**
 * The reserve stage: promises the most an exchange can cost to every budget of its principal
 * before anything is dispatched, those of its tenant and of the model included. The settle stage
 * replaces the promise by the real cost.
 *
 * It stands behind the cache, so that only the leader of a miss reserves. It fails closed: a
 * counter that is not built, or a model without a price, is refused under a budget.
 */
import { assert, unreachable } from '../../kernel/assert.ts';
import { decimalFromNanousd, type Nanousd } from '../../kernel/money.ts';
import { upperBoundNanousd } from '../accounting/estimate.ts';
import { budgetScopesOf, scopeIds, wordsOf } from '../limits/scopes.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { TermsOf } from '../model/terms.ts';
import type { BudgetDecision, BudgetStore } from '../ports/budget-store.ts';
import type { Stage } from './stage.ts';

const REBUILD_RETRY_MS = 1000;

export function reserve(budgets: BudgetStore, terms: TermsOf): Stage {
  return {
    name: 'reserve',
    codes: ['budget_exceeded', 'budget_unavailable', 'price_unknown'],
    wrap: (next) => async (exchange) => {
      const { principal, request } = exchange;
      assert(principal !== null, 'authenticate comes before reserve');
      const { tenant } = principal;
      const scopes = budgetScopesOf(principal, terms(tenant), request.model);
      if (scopes.length === 0) return next(exchange);
      const amount = upperBoundOf(exchange);
      const decision = await budgets.reserve(scopes, amount, { tenant, exchangeId: exchange.id });
      if (decision.kind !== 'granted') throw refusal(decision, amount);
      exchange.reservation = decision.reservation;
      exchange.budgetsPassed = scopes.filter(({ id }) => decision.passed.includes(id));
      return next(exchange);
    },
  };
}

/** Ends what was reserved by its cost, or books the cost where nothing was. */
export function book(budgets: BudgetStore, exchange: Exchange, costNanousd: Nanousd): void {
  const { principal, reservation } = exchange;
  exchange.reservation = null;
  if (reservation !== null) reservation.settle(costNanousd);
  else if (principal !== null) {
    const spender = { tenant: principal.tenant, exchangeId: exchange.id };
    budgets.charge(scopeIds(principal, exchange.request.model), costNanousd, spender);
  }
}

function upperBoundOf(exchange: Exchange): number {
  assert(exchange.route !== null, 'route comes before reserve');
  const amount = upperBoundNanousd(exchange.request, exchange.route.targets);
  if (amount !== null) return amount;
  throw priceUnknown(exchange.request.model);
}

export function priceUnknown(model: string): GatewayError {
  return new GatewayError('price_unknown', {
    message:
      `The model ${JSON.stringify(model)} has no price, so the budget of this` +
      ' key cannot cover it. Set models.<alias>.price in the configuration.',
    field: 'model',
  });
}

function refusal(
  decision: Exclude<BudgetDecision, { kind: 'granted' }>,
  amount: number,
): GatewayError {
  switch (decision.kind) {
    case 'exceeded':
      return new GatewayError('budget_exceeded', {
        message:
          `The budget of ${wordsOf(decision.scope)} does not cover this request, which may cost` +
          ` up to $${decimalFromNanousd(amount)}. Lower max_tokens, or raise the budget.`,
        ...(decision.renewsInMs === null ? {} : { retryAfterMs: decision.renewsInMs }),
      });
    case 'unavailable':
      return new GatewayError('budget_unavailable', { retryAfterMs: REBUILD_RETRY_MS });
    default:
      return unreachable(decision);
  }
}
