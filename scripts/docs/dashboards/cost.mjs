/**
 * The dashboard of money: what is spent, on what, and what budgets did.
 */
import { graph, rate, stat } from './panels.mjs';

/** @type {import('./panels.mjs').Dashboard} */
export const cost = {
  uid: 'esclusa-cost',
  title: 'Esclusa: cost',
  description: 'What is spent, on what, and what budgets did. By key and tenant: the ledger.',
  panels: [
    stat('Spent in the last 24 hours', 'currencyUSD', {
      total: 'sum(increase(esclusa_cost_nanousd_total[24h])) / 1e9',
    }),
    graph('Dollars an hour', 'currencyUSD', {
      '{{model}}': `${rate('esclusa_cost_nanousd_total', 'model')} * 3600 / 1e9`,
    }),
    graph('Tokens', 'short', { '{{direction}}': rate('esclusa_tokens_total', 'direction') }),
    graph('Tokens by model', 'short', {
      '{{model}}': rate('esclusa_tokens_total{direction=~"input|output"}', 'model'),
    }),
    graph('Refused by budgets', 'reqps', {
      '{{reason}}': rate('esclusa_budget_refusals_total', 'reason'),
    }),
    graph('Budgets passed that only warn', 'reqps', {
      requests: rate('esclusa_budget_warnings_total'),
    }),
    graph('Calls without a price', 'reqps', {
      '{{model}}': rate('esclusa_unpriced_total', 'model'),
    }),
    graph('Reservations open, bookings waiting', 'short', {
      reservations: 'sum(esclusa_reservations_open)',
      bookings: 'sum(esclusa_bookings_waiting)',
    }),
  ],
};
