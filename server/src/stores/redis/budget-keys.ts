/**
 * The keys of one budget scope in Redis, in the orders in which the scripts take them.
 */
import { counterKey } from './counter-keys.ts';

export interface BudgetPlace {
  readonly tenant: string;
  readonly scopeId: string;
}

/** Account, leases, amounts, recent. */
export type BudgetKeys = readonly [string, string, string, string];

export function budgetKeys({ tenant, scopeId }: BudgetPlace): BudgetKeys {
  return [...accountKeys({ tenant, scopeId }), recentKey({ tenant, scopeId })];
}

/** Names a place within this process. */
export function placeName({ tenant, scopeId }: BudgetPlace): string {
  return `${tenant}\n${scopeId}`;
}

/** Account, leases, amounts. */
export function accountKeys({ tenant, scopeId }: BudgetPlace): [string, string, string] {
  return [
    counterKey(tenant, 'budget', scopeId),
    counterKey(tenant, 'held', scopeId),
    counterKey(tenant, 'amounts', scopeId),
  ];
}

export function recentKey({ tenant, scopeId }: BudgetPlace): string {
  return counterKey(tenant, 'recent', scopeId);
}

export function answersKey({ tenant, scopeId }: BudgetPlace): string {
  return counterKey(tenant, 'answers', scopeId);
}

export function chargeKey({ tenant, scopeId }: BudgetPlace, exchangeId: string): string {
  return counterKey(tenant, 'charge', `${scopeId}:${exchangeId}`);
}
