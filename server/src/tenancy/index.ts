/**
 * The public face of tenancy.
 */
export type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';
export {
  createTenantUseCases,
  type NewTenant,
  type TenantUseCases,
  type TenantUseCasesOptions,
} from './tenants.ts';
