/**
 * What whoever runs the machine may do with tenants: in the shapes of the control plane, under
 * the same rules, with the rights of a superadmin, and written down.
 */
import {
  type Tenant,
  type TenantUpdate,
  tenantCreateSchema,
  tenantUpdateSchema,
} from '@esclusa/contracts';
import { allowanceFromWire, tenantToWire } from '../http/shapes/index.ts';
import { operator } from '../identity/index.ts';
import type { TenantRecord } from '../tenancy/index.ts';
import { checked } from './checked.ts';
import type { Identity } from './identity.ts';
import { byOperator } from './workspace-people.ts';

export type { Tenant } from '@esclusa/contracts';

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
}

export function createTenantWorkspace({ tenants, audit }: Identity): TenantWorkspace {
  async function noted(action: string, record: TenantRecord): Promise<Tenant> {
    const { slug: tenant, id: subject } = record;
    await audit.record({ ...byOperator, action, tenant, subject });
    return tenantToWire(record);
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
  };
}

function meant<Body extends TenantUpdate>(body: Body) {
  return { ...body, ...allowanceFromWire(body) };
}
