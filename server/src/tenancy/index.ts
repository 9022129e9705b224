/**
 * The public face of tenancy.
 */
export type {
  TenantRecord,
  TenantRepository,
} from './ports/tenant-repository.ts';
export { createTenantSnapshot, type TenantSnapshot } from './snapshot.ts';
export { createTenantUseCases, type TenantUseCases } from './tenants.ts';
