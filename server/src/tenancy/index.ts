/**
 * The public face of tenancy.
 */
export type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';
export {
  createTenantUseCases,
  type TenantUseCases,
} from './tenants.ts';
