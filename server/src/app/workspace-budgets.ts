/**
 * Budgets as whoever runs the machine sees them: of keys, people, tenants and models in tenants,
 * with what the ledger has booked since their period began. What is promised to requests that
 * run is known to the running processes alone.
 */

import type { Budget, LedgerFilter, LedgerQueries } from '../gateway/index.ts';
import { periodStartMs, renewsInMs } from '../gateway/model/budget-period.ts';
import { budgetToWire, timestamp } from '../http/shapes/index.ts';
import { operator } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantRecord } from '../tenancy/index.ts';
import type { Identity } from './identity.ts';

export interface BookedBudget {
  readonly scope: 'key' | 'user' | 'tenant' | 'model';
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly budget: ReturnType<typeof budgetToWire>;
  readonly limit_nanousd: number;
  readonly booked_nanousd: number;
  readonly renews_at: string | null;
}

export interface BudgetWorkspace {
  /** Of one tenant, or of all of them. */
  listBudgets(tenant: string | undefined): Promise<readonly BookedBudget[]>;
}

type Owned = Pick<BookedBudget, 'scope' | 'id' | 'name' | 'tenant'> & {
  readonly budget: Budget | null;
  readonly of: LedgerFilter;
};

const PAGE = 200;

export function createBudgetWorkspace(
  identity: Identity,
  ledger: Pick<LedgerQueries, 'usage'>,
  clock: Clock,
): BudgetWorkspace {
  return {
    async listBudgets(tenant) {
      const booked: BookedBudget[] = [];
      for await (const owned of ownersOf(identity, tenant)) {
        if (owned.budget !== null) booked.push(await bookedOf(ledger, clock, owned, owned.budget));
      }
      return booked;
    },
  };
}

async function* ownersOf(identity: Identity, tenant: string | undefined): AsyncGenerator<Owned> {
  const { keys, users } = identity;
  const page = { tenant, limit: PAGE };
  const keyRows = pages((beforeId) => keys.list(operator, { ...page, beforeId }));
  for await (const { id, name, tenant: slug, budget, revokedAtMs } of keyRows) {
    if (revokedAtMs !== null) continue;
    yield { scope: 'key', id, name, tenant: slug, budget, of: { tenant: slug, keyId: id } };
  }
  const userRows = pages((beforeId) => users.list(operator, { ...page, beforeId }));
  for await (const { id, username: name, tenant: slug, budget } of userRows) {
    yield { scope: 'user', id, name, tenant: slug, budget, of: { tenant: slug, keyId: id } };
  }
  yield* ownersOfTenants(identity, tenant);
}

async function* ownersOfTenants(
  { tenants }: Identity,
  only: string | undefined,
): AsyncGenerator<Owned> {
  for (let afterSlug: string | null = null; ; ) {
    const rows: readonly TenantRecord[] =
      only === undefined
        ? await tenants.list(operator, { limit: PAGE, afterSlug })
        : [await tenants.get(operator, only)];
    for (const { slug, name, budget, models } of rows) {
      yield { scope: 'tenant', id: slug, name, tenant: slug, budget, of: { tenant: slug } };
      for (const [model, allowance] of Object.entries(models)) {
        const of = { tenant: slug, model };
        const own = allowance.budget ?? null;
        yield { scope: 'model', id: model, name: model, tenant: slug, budget: own, of };
      }
    }
    if (rows.length < PAGE) return;
    afterSlug = rows.at(-1)?.slug ?? null;
  }
}

/** Newest first, to the end. */
async function* pages<Row extends { readonly id: string }>(
  list: (beforeId: string | null) => Promise<readonly Row[]>,
): AsyncGenerator<Row> {
  for (let beforeId: string | null = null; ; ) {
    const rows: readonly Row[] = await list(beforeId);
    yield* rows;
    if (rows.length < PAGE) return;
    beforeId = rows.at(-1)?.id ?? null;
  }
}

async function bookedOf(
  ledger: Pick<LedgerQueries, 'usage'>,
  clock: Clock,
  { scope, id, name, tenant, of }: Owned,
  budget: Budget,
): Promise<BookedBudget> {
  const nowMs = clock.wallMs();
  const sinceMs = periodStartMs(budget.period, nowMs);
  const [sums] = await ledger.usage({ ...of, sinceMs }, [], 1);
  const renewsInMsOrNever = renewsInMs(budget.period, nowMs);
  return {
    ...{ scope, id, name, tenant, budget: budgetToWire(budget) },
    limit_nanousd: budget.limitNanousd,
    booked_nanousd: sums?.costNanousd ?? 0,
    renews_at: renewsInMsOrNever === null ? null : timestamp(nowMs + renewsInMsOrNever),
  };
}
