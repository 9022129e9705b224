/**
 * What the gateway offers and how it stands: models, providers, budgets.
 */
import {
  type BudgetState,
  budgetStateListSchema,
  errorSchema,
  keyListQuerySchema,
  modelListSchema,
  providerListSchema,
} from '@esclusa/contracts';
import type { Budget } from '../../../gateway/index.ts';
import { confineTenant, type KeyRecord, reachOf } from '../../../identity/index.ts';
import { listedFor } from '../../listed-models.ts';
import { budgetToWire, timestamp } from '../../shapes/index.ts';
import { callerOf } from '../access.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

export function gatewayRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  modelRoutes(app, services);
  budgetRoutes(app, services, cursors);
}

function modelRoutes(app: AdminApp, services: AdminServices): void {
  app.get(
    '/api/v1/models',
    {
      config: { access: 'models.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List the models the calling key may ask for',
        response: { 200: modelListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const data = listedFor(callerOf(request), services.routes()).map((listing) => ({
        id: listing.name,
        owned_by: listing.ownedBy,
        operations: [...listing.operations],
        created_at: timestamp(listing.createdSeconds * 1000),
      }));
      return { data, next: null };
    },
  );

  app.get(
    '/api/v1/providers',
    {
      config: { access: 'providers.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List the configured providers',
        response: { 200: providerListSchema, default: errorSchema },
      },
    },
    async () => ({ data: [...services.providers()], next: null }),
  );
}

function budgetRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  app.get(
    '/api/v1/budgets',
    {
      config: { access: 'budgets.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List budgets with what is spent and promised, by key, newest key first',
        description:
          'Pages follow the list of keys, and keys without a budget are left out: a page may ' +
          'hold fewer rows than `limit`. The list ends where `next` is null.',
        querystring: keyListQuerySchema,
        response: { 200: budgetStateListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, tenant } = request.query;
      const caller = callerOf(request);
      confineTenant(caller, 'budgets.read', tenant);
      if (reachOf(caller, 'budgets.read') === 'own') {
        const own = await stateOf(services, { ...caller, id: caller.keyId });
        return { data: own === null ? [] : [own], next: null };
      }
      const scope = ['budgets', caller.tenant, tenant ?? null];
      const beforeId = cursors.read(scope, cursor);
      const keys = await services.keys.list(caller, { tenant, limit: limit + 1, beforeId });
      const page = pageOf(
        keys,
        limit,
        (key) => (key.revokedAtMs === null ? stateOf(services, key) : null),
        (last) => cursors.sign(scope, last.id),
      );
      const states = await Promise.all(page.data);
      return { data: states.filter((state) => state !== null), next: page.next };
    },
  );
}

async function stateOf(
  services: AdminServices,
  key: Pick<KeyRecord, 'id' | 'name' | 'tenant'> & { readonly budget: Budget | null },
): Promise<BudgetState | null> {
  if (key.budget === null) return null;
  const figures = await services.budgets.figures(key, key.budget);
  return {
    key_id: key.id,
    key_name: key.name,
    tenant: key.tenant,
    budget: budgetToWire(key.budget),
    limit_nanousd: key.budget.limitNanousd,
    spent_nanousd: figures?.spentNanousd ?? null,
    reserved_nanousd: figures?.reservedNanousd ?? null,
    renews_at: typeof figures?.renewsAtMs === 'number' ? timestamp(figures.renewsAtMs) : null,
  };
}
