/**
 * What whoever runs the machine may do with tenants: in the shapes of the control plane, under
 * the same rules, with the rights of a superadmin, and written down.
 */
import {
  type DatabaseTest,
  databaseTestSchema,
  type Tenant,
  type TenantUpdate,
  tenantCreateSchema,
  tenantEraseQuerySchema,
  tenantMoveSchema,
  tenantUpdateSchema,
} from '@esclusa/contracts';
import { allowanceFromWire } from '../http/shapes/index.ts';
import { tenantToWire, testToWire } from '../http/shapes/tenants.ts';
import { operator } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { TenantRecord } from '../tenancy/index.ts';
import { checked } from './checked.ts';
import type { Identity } from './identity.ts';
import type { TenantData } from './tenant-data.ts';
import { byOperator } from './workspace-people.ts';

export type { Tenant } from '@esclusa/contracts';

const LOOK_MS = 500;
const NEVER = new AbortController().signal;

/** Bodies are checked: `invalid_request` names the member at fault. */
export interface TenantWorkspace {
  /** Throws `conflict`. */
  createTenant(body: unknown): Promise<Tenant>;
  ensureTenant(tenant: { readonly slug: string; readonly name: string }): Promise<void>;
  listTenants(limit: number): Promise<readonly Tenant[]>;
  /** These throw `not_found`. */
  getTenant(slug: string): Promise<Tenant>;
  updateTenant(slug: string, body: Readonly<Record<string, unknown>>): Promise<Tenant>;
  suspendTenant(slug: string): Promise<Tenant>;
  resumeTenant(slug: string): Promise<Tenant>;
  /** Resolves when it has moved, or could not: its `job` says which. */
  moveTenant(slug: string, body: unknown): Promise<Tenant>;
  testDatabase(slug: string, body: unknown): Promise<DatabaseTest>;
  /** Resolves when nothing is left, or something is in the way: its `job` says which. */
  eraseTenant(slug: string, query: unknown): Promise<Tenant>;
  /** Lines of JSON. */
  exportTenant(slug: string): Promise<AsyncIterable<string>>;
}

export function createTenantWorkspace(
  { tenants, audit }: Identity,
  { places, jobs, removal }: TenantData,
  clock: Clock,
): TenantWorkspace {
  async function noted(action: string, record: TenantRecord): Promise<Tenant> {
    const { slug: tenant, id: subject } = record;
    await audit.record({ ...byOperator, action, tenant, subject });
    return tenantToWire(record);
  }
  /** A running server may have the work; then it goes on there. */
  async function ended(slug: string): Promise<TenantRecord> {
    for (;;) {
      await jobs.run(slug);
      const record = await tenants.get(operator, slug);
      if (record.job === null || record.job.endedAtMs !== null) return record;
      await sleep(clock, LOOK_MS, NEVER);
    }
  }
  return {
    async createTenant(body) {
      const record = await tenants.create(operator, meant(checked(tenantCreateSchema, body)));
      return noted('tenants.create', record);
    },
    ensureTenant: (tenant) => tenants.ensure(tenant),
    async listTenants(limit) {
      const rows = await tenants.list(operator, { limit, afterSlug: null });
      return rows.map(tenantToWire);
    },
    async getTenant(slug) {
      return tenantToWire(await tenants.get(operator, slug));
    },
    async updateTenant(slug, body) {
      const change = meant(checked(tenantUpdateSchema, body));
      return noted('tenants.update', await tenants.update(operator, slug, change));
    },
    async suspendTenant(slug) {
      return noted('tenants.suspend', await tenants.suspend(operator, slug));
    },
    async resumeTenant(slug) {
      return noted('tenants.resume', await tenants.resume(operator, slug));
    },
    async moveTenant(slug, body) {
      const { to } = checked(tenantMoveSchema, body);
      await noted('tenants.move', await places.move(operator, slug, to));
      return tenantToWire(await ended(slug));
    },
    async eraseTenant(slug, query) {
      const { ledger } = checked(tenantEraseQuerySchema, query);
      await noted('tenants.erase', await removal.erase(operator, slug, ledger));
      return tenantToWire(await ended(slug));
    },
    async exportTenant(slug) {
      const lines = await removal.export(operator, slug);
      await noted('tenants.export', await tenants.get(operator, slug));
      return lines;
    },
    async testDatabase(slug, body) {
      const asked = body === undefined ? null : checked(databaseTestSchema, body);
      return testToWire(() => places.test(operator, slug, asked));
    },
  };
}

function meant<Body extends TenantUpdate>(body: Body) {
  return { ...body, ...allowanceFromWire(body) };
}
