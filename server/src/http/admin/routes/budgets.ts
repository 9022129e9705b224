/**
 * `/api/v1/budgets`: every budget a caller may see, with what is spent and promised: of keys,
 * then of users, then of tenants with those of single models in them.
 */
import {
  type BudgetState,
  budgetStateListSchema,
  errorSchema,
  keyListQuerySchema,
} from '@esclusa/contracts';
import { type Budget, GatewayError, type Principal } from '../../../gateway/index.ts';
import { confineTenant, reachOf } from '../../../identity/index.ts';
import { budgetToWire, timestamp } from '../../shapes/index.ts';
import { callerOf } from '../access.ts';
import type { Cursors } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

/** In the order of the list. */
const KINDS = ['key', 'user', 'tenant'] as const;
type Kind = (typeof KINDS)[number];

/** A budget and whose it is. */
type Owned = Pick<BudgetState, 'scope' | 'tenant'> &
  Partial<Pick<BudgetState, 'key_id' | 'key_name' | 'user_id' | 'model'>> & {
    /** As the counters name it. */
    readonly id: string;
    readonly budget: Budget | null;
  };

/** One page of owners: what was asked for of them, and where the next page begins. */
interface Owners {
  readonly owned: readonly Owned[];
  /** null: there are no more of this kind. */
  readonly last: string | null;
}

interface Asked {
  readonly caller: Principal;
  /** undefined: all that the caller may see. */
  readonly tenant: string | undefined;
  readonly limit: number;
  readonly after: string | null;
}

export function budgetRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  app.get(
    '/api/v1/budgets',
    {
      config: { access: 'budgets.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List budgets with what is spent and promised: of keys, users, tenants, models',
        description:
          'Pages follow the lists of keys, of users and of tenants, one after the other, and ' +
          'those without a budget are left out: a page may hold fewer rows than `limit`, or ' +
          'more, where a tenant has budgets for several models. The list ends where `next` is ' +
          'null.',
        querystring: keyListQuerySchema,
        response: { 200: budgetStateListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, tenant } = request.query;
      const caller = callerOf(request);
      confineTenant(caller, 'budgets.read', tenant);
      if (reachOf(caller, 'budgets.read') === 'own') {
        return { data: await statesOf(services, [ownOf(caller)]), next: null };
      }
      const scope = ['budgets', caller.tenant, tenant ?? null];
      const place = placeOf(cursors.read(scope, cursor));
      const { owned, next } = await pageFrom(services, place, { caller, tenant, limit });
      return {
        data: await statesOf(services, owned),
        next: next === null ? null : cursors.sign(scope, `${next.kind} ${next.after ?? ''}`),
      };
    },
  );
}

interface Place {
  readonly kind: Kind;
  readonly after: string | null;
}

/** From one kind to the next until the page is full or there are no more. */
async function pageFrom(
  services: AdminServices,
  begin: Place,
  { caller, tenant, limit }: Omit<Asked, 'after'>,
): Promise<{ readonly owned: readonly Owned[]; readonly next: Place | null }> {
  const owned: Owned[] = [];
  let { after } = begin;
  for (const kind of KINDS.slice(KINDS.indexOf(begin.kind))) {
    const room = limit - owned.length;
    if (room <= 0) return { owned, next: { kind, after: null } };
    const page = await ownersOf(services, kind, { caller, tenant, limit: room, after });
    owned.push(...page.owned);
    if (page.last !== null) return { owned, next: { kind, after: page.last } };
    after = null;
  }
  return { owned, next: null };
}

function placeOf(position: string | null): Place {
  const [word, after = ''] = position?.split(' ') ?? ['key'];
  const kind = KINDS.find((each) => each === word);
  if (kind === undefined) throw new GatewayError('invalid_request', { field: 'cursor' });
  return { kind, after: after === '' ? null : after };
}

const NOBODY: Owners = { owned: [], last: null };

/** Nobody of a kind that the caller may not list. */
async function ownersOf(services: AdminServices, kind: Kind, asked: Asked): Promise<Owners> {
  if (kind === 'tenant') return ownersOfTenants(services, asked);
  if (reachOf(asked.caller, kind === 'key' ? 'keys.read' : 'users.read') === null) return NOBODY;
  return kind === 'key' ? ownersOfKeys(services, asked) : ownersOfUsers(services, asked);
}

async function ownersOfKeys({ keys }: AdminServices, asked: Asked): Promise<Owners> {
  const { caller, tenant, limit, after: beforeId } = asked;
  const rows = await keys.list(caller, { tenant, limit: limit + 1, beforeId });
  const page = rows.slice(0, limit);
  const owned = page.filter(({ revokedAtMs }) => revokedAtMs === null).map(keyOwned);
  return { owned, last: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

async function ownersOfUsers({ users }: AdminServices, asked: Asked): Promise<Owners> {
  const { caller, tenant, limit, after: beforeId } = asked;
  const rows = await users.list(caller, { tenant, limit: limit + 1, beforeId });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? (page.at(-1)?.id ?? null) : null;
  return { owned: page.map(userOwned), last };
}

/** An admin's is the one it belongs to; only who may list tenants sees all of them. */
async function ownersOfTenants(services: AdminServices, asked: Asked): Promise<Owners> {
  const { caller, limit, after: afterSlug } = asked;
  const isConfined =
    reachOf(caller, 'budgets.read') !== 'all' || reachOf(caller, 'tenants.read') === null;
  const only = asked.tenant ?? (isConfined ? caller.tenant : null);
  if (only !== null) return { owned: tenantOwned(services, only), last: null };
  const rows = await services.tenants.list(caller, { limit: limit + 1, afterSlug });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? (page.at(-1)?.slug ?? null) : null;
  return { owned: page.flatMap(({ slug }) => tenantOwned(services, slug)), last };
}

function ownOf({ kind, keyId: id, name, tenant, budget }: Principal): Owned {
  const of = { id, name, tenant, budget };
  return kind === 'user' ? userOwned(of) : keyOwned(of);
}

type Counted = Pick<Principal, 'name' | 'tenant' | 'budget'> & { readonly id: string };

function keyOwned({ id, name, tenant, budget }: Counted): Owned {
  return { scope: 'key', id: `key:${id}`, key_id: id, key_name: name, tenant, budget };
}

/** A person is counted under the same prefix as a key. */
function userOwned({ id, tenant, budget }: Omit<Counted, 'name'>): Owned {
  return { scope: 'user', id: `key:${id}`, user_id: id, tenant, budget };
}

function tenantOwned({ terms }: AdminServices, tenant: string): readonly Owned[] {
  const { budget, models } = terms(tenant);
  const ofModels = [...models].map(([model, own]) => {
    return { scope: 'model', id: `model:${tenant}/${model}`, model, tenant, ...own } as const;
  });
  return [{ scope: 'tenant', id: `tenant:${tenant}`, tenant, budget }, ...ofModels];
}

async function statesOf(services: AdminServices, owned: readonly Owned[]): Promise<BudgetState[]> {
  const states = await Promise.all(owned.map((each) => stateOf(services, each)));
  return states.filter((state) => state !== null);
}

async function stateOf({ budgets }: AdminServices, owned: Owned): Promise<BudgetState | null> {
  const { id, scope, tenant, budget } = owned;
  if (budget === null) return null;
  const figures = await budgets.figures({ id, budget }, tenant);
  const { key_id = null, key_name = null, user_id = null, model = null } = owned;
  return {
    ...{ scope, key_id, key_name, user_id, model, tenant },
    budget: budgetToWire(budget),
    period: budget.period,
    soft: budget.soft === true,
    limit_nanousd: budget.limitNanousd,
    spent_nanousd: figures?.spentNanousd ?? null,
    reserved_nanousd: figures?.reservedNanousd ?? null,
    renews_at: typeof figures?.renewsAtMs === 'number' ? timestamp(figures.renewsAtMs) : null,
  };
}
