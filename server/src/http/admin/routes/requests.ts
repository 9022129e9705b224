/**
 * `/api/v1/requests` and `/api/v1/usage`: rows of the ledger, and sums over them. A plain key
 * reads its own rows, an admin the tenant's, a superadmin every tenant's. What was asked and
 * answered is shown with a single row only, to who has the permission for that.
 */
import {
  errorSchema,
  requestDetailSchema,
  requestListQuerySchema,
  requestListSchema,
  type UsageQuery,
  usageQuerySchema,
  usageReportSchema,
} from '@esclusa/contracts';
import {
  GatewayError,
  type LedgerEntry,
  type LedgerFilter,
  type Principal,
} from '../../../gateway/index.ts';
import { confineTenant, type Permission, reachOf } from '../../../identity/index.ts';
import { bodiesToWire, requestToWire, timestamp, usageToWire } from '../../shapes/index.ts';
import { callerOf, notFound } from '../access.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import { type IdParams, isPlausibleId } from '../ids.ts';
import type { AdminApp } from '../instance.ts';
import { findLate } from '../late-row.ts';
import type { AdminServices } from '../services.ts';

const tags = ['usage'];

export function requestRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  const { ledger } = services;

  app.get(
    '/api/v1/requests',
    {
      config: { access: 'requests.read' },
      schema: {
        tags,
        summary: 'List exchanges, newest first',
        querystring: requestListQuerySchema,
        response: { 200: requestListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, ...query } = request.query;
      const caller = callerOf(request);
      const filter = filterOf(caller, 'requests.read', query);
      const scope = ['requests', filter.tenant, caller.keyId];
      const beforeId = cursors.read(scope, cursor);
      const rows = await ledger.list(filter, { limit: limit + 1, beforeId });
      return pageOf(rows, limit, requestToWire, (last) => cursors.sign(scope, last.id));
    },
  );

  detailRoute(app, services);

  app.get(
    '/api/v1/usage',
    {
      config: { access: 'usage.read' },
      schema: {
        tags,
        summary: 'Sum requests, tokens and cost per model, provider, key, tenant or day',
        querystring: usageQuerySchema,
        response: { 200: usageReportSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { by, limit, ...query } = request.query;
      const filter = filterOf(callerOf(request), 'usage.read', query);
      const rows = await ledger.usage(filter, by, limit);
      return {
        by,
        since: filter.sinceMs === undefined ? null : timestamp(filter.sinceMs),
        until: filter.untilMs === undefined ? null : timestamp(filter.untilMs),
        data: rows.map((row) => usageToWire(row, by)),
      };
    },
  );
}

function detailRoute(app: AdminApp, services: AdminServices): void {
  const { ledger, bodies, clock, ledgerLagMs: lagMs } = services;
  app.get<IdParams>(
    '/api/v1/requests/:id',
    {
      config: { access: 'requests.read' },
      schema: {
        tags,
        summary: 'Read the exchange with this `x-request-id`',
        response: { 200: requestDetailSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const caller = callerOf(request);
      const tenant = confineTenant(caller, 'requests.read', undefined);
      const find = async (): Promise<LedgerEntry | null> => {
        const row = await ledger.get(id, tenant);
        return row !== null && reaches(caller, 'requests.read', row) ? row : null;
      };
      const isGone = (): boolean => reply.raw.closed;
      const entry = isPlausibleId(id) ? await findLate(find, { clock, lagMs, isGone }) : null;
      if (entry === null) throw notFound('request');
      const row = requestToWire(entry);
      if (!reaches(caller, 'bodies.read', entry)) return row;
      return { ...row, ...bodiesToWire(await bodies.get(entry.id, entry.tenant)) };
    },
  );
}

function reaches(caller: Principal, permission: Permission, entry: LedgerEntry): boolean {
  switch (reachOf(caller, permission)) {
    case 'all':
      return true;
    case 'tenant':
      return entry.tenant === caller.tenant;
    case 'own':
      return entry.tenant === caller.tenant && entry.keyId === caller.keyId;
    case null:
      return false;
  }
}

type FilterQuery = Omit<UsageQuery, 'by' | 'limit'>;

function filterOf(caller: Principal, permission: Permission, query: FilterQuery): LedgerFilter {
  const tenant = confineTenant(caller, permission, query.tenant);
  const { model, provider, outcome } = query;
  const sinceMs = query.since === undefined ? undefined : Date.parse(query.since);
  const untilMs = query.until === undefined ? undefined : Date.parse(query.until);
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs >= untilMs) {
    throw new GatewayError('invalid_request', {
      message: '`since` must be before `until`.',
      field: 'since',
    });
  }
  const keyId = confineKey(caller, permission, query.key_id);
  return {
    tenant,
    ...(keyId !== undefined && { keyId }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(outcome !== undefined && { outcome }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
}

function confineKey(
  caller: Principal,
  permission: Permission,
  asked: string | undefined,
): string | undefined {
  if (reachOf(caller, permission) !== 'own') return asked;
  if (asked === undefined || asked === caller.keyId) return caller.keyId;
  throw new GatewayError('permission_denied', {
    message: 'This key reads its own requests only.',
    field: 'key_id',
  });
}
