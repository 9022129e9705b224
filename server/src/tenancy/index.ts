/**
 * The public face of tenancy.
 */
export { createEraseWork } from './erase.ts';
export { createTenantJobs, type TenantJobs } from './jobs.ts';
export { createMoveWork } from './move.ts';
export { createTenantPlaces, type TenantPlaces } from './places.ts';
export type {
  DataPlace,
  PlaceOwner,
  PlaceReport,
  PostgresAddress,
} from './ports/data-place.ts';
export type { EraseJob, TenantJob } from './ports/tenant-job.ts';
export type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';
export { createTenantRemoval, type TenantRemoval } from './removal.ts';
export { createTenantSnapshot, type TenantSnapshot } from './snapshot.ts';
export { createErasedSweep } from './sweep.ts';
export { createTenantUseCases, type TenantUseCases } from './tenants.ts';
