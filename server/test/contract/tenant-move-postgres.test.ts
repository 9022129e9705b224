/** Moving a tenant’s own data on a real PostgreSQL, under the role that requests run under. */
import { postgresForFile } from '../support/postgres-storage.ts';
import { homesOnPostgres } from '../support/tenant-homes.ts';
import { tenantMoveSuite } from './tenant-move-suite.ts';

tenantMoveSuite('postgres', homesOnPostgres(await postgresForFile()), 'clear');
