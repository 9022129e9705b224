/** Erasing a tenant on SQLite, each test with files of its own. */
import { homesOnSqlite } from '../support/tenant-homes.ts';
import { tenantEraseSuite } from './tenant-erase-suite.ts';

tenantEraseSuite('sqlite', homesOnSqlite);
