/** Moving a tenant’s own data on SQLite, each test with files of its own. */
import { homesOnSqlite } from '../support/tenant-homes.ts';
import { tenantMoveSuite } from './tenant-move-suite.ts';

tenantMoveSuite('sqlite', homesOnSqlite, 'destroy');
