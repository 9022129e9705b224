/** Erasing a tenant on a real PostgreSQL, under the role that requests run under. */
import { postgresForFile } from '../support/postgres-storage.ts';
import { homesOnPostgres } from '../support/tenant-homes.ts';
import { tenantEraseSuite } from './tenant-erase-suite.ts';

tenantEraseSuite('postgres', homesOnPostgres(await postgresForFile()));
