/**
 * Which counters a request of a principal goes through: its own (a key's or a person's), its
 * tenant's, and those of the model it asks for within its tenant. A scope's id names what is
 * counted and isolates by itself: identifiers are unique, and a model's carries the tenant.
 */
import type { Limits, Principal } from '../model/principal.ts';
import type { Terms } from '../model/terms.ts';
import type { BudgetScope } from '../ports/budget-store.ts';
import type { LimitScope } from '../ports/limit-store.ts';

/** Empty when nothing limits the request. */
export function limitScopesOf(
  principal: Principal,
  terms: Terms,
  model: string,
): readonly LimitScope[] {
  const [own, tenant, ofModel] = scopeIds(principal, model);
  const scopes: LimitScope[] = [];
  const add = (id: string, limits: Limits | undefined): void => {
    if (limits !== undefined && isLimited(limits)) scopes.push({ id, limits });
  };
  add(own, principal.limits);
  add(tenant, terms.limits);
  add(ofModel, terms.models.get(model)?.limits);
  return scopes;
}

/** Empty when no budget covers the request. */
export function budgetScopesOf(
  principal: Principal,
  terms: Terms,
  model: string,
): readonly BudgetScope[] {
  const [own, tenant, ofModel] = scopeIds(principal, model);
  const modelBudget = terms.models.get(model)?.budget ?? null;
  return [
    ...(principal.budget === null ? [] : [{ id: own, budget: principal.budget }]),
    ...(terms.budget === null ? [] : [{ id: tenant, budget: terms.budget }]),
    ...(modelBudget === null ? [] : [{ id: ofModel, budget: modelBudget }]),
  ];
}

/** Names of every counter that a cost belongs to, whether or not anything is counted there. */
export function scopeIds(principal: Principal, model: string): [string, string, string] {
  const { keyId, tenant } = principal;
  return [`key:${keyId}`, `tenant:${tenant}`, `model:${tenant}/${model}`];
}

/** A scope in words for the client, who must learn which limit it met. */
export function wordsOf(scopeId: string): string {
  const colon = scopeId.indexOf(':');
  const name = scopeId.slice(colon + 1);
  switch (scopeId.slice(0, colon)) {
    case 'key':
      return name.startsWith('usr_') ? 'this user' : 'this key';
    case 'tenant':
      return `the tenant ${JSON.stringify(name)}`;
    default:
      return `the model ${JSON.stringify(name.slice(name.indexOf('/') + 1))} in this tenant`;
  }
}

function isLimited({ requestsPerMinute, tokensPerMinute, concurrency }: Limits): boolean {
  return [requestsPerMinute, tokensPerMinute, concurrency].some((limit) => limit !== undefined);
}
