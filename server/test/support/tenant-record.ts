/** A tenant of which a test writes out only what its claim is about. */
import type { TenantRecord } from '../../src/tenancy/index.ts';

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
    ...changes,
  };
}
