/** A tenant of which a test writes out only what its claim is about. */
import type { TenantRecord, TenantRepository } from '../../src/tenancy/index.ts';

export function tenantRecord(slug: string, changes: Partial<TenantRecord> = {}): TenantRecord {
  return {
    id: `ten_${slug}`,
    slug,
    name: slug,
    createdAtMs: 1_700_000_000_000,
    suspendedAtMs: null,
    hosts: [],
    limits: {},
    budget: null,
    models: {},
    place: null,
    job: null,
    erasedAtMs: null,
    ...changes,
  };
}

/** The tenants that tests of stored rows speak of. */
export async function withTenants<S extends { readonly tenants: TenantRepository }>(
  opening: Promise<S>,
): Promise<S> {
  const storage = await opening;
  for (const slug of ['acme', 'globex']) await storage.tenants.insert(tenantRecord(slug));
  return storage;
}
