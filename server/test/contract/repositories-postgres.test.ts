/** The repositories over a real PostgreSQL, each test with a database of its own. */
import { postgresForFile } from '../support/postgres-storage.ts';
import { withTenants } from '../support/tenant-record.ts';
import { auditRepositorySuite } from './audit-repository-suite.ts';
import { bodyStoreSuite } from './body-store-suite.ts';
import { flagRepositorySuite } from './flag-repository-suite.ts';
import { keyRepositorySuite } from './key-repository-suite.ts';
import { ledgerQueriesSuite } from './ledger-queries-suite.ts';
import { responseStoreSuite } from './response-store-suite.ts';
import { tenantRepositorySuite } from './tenant-repository-suite.ts';
import { familyRepositorySuite, userRepositorySuite } from './user-repository-suite.ts';

const postgres = await postgresForFile();

tenantRepositorySuite('postgres', async (t) => (await postgres.openStorage(t)).tenants);

flagRepositorySuite('postgres', (t) => postgres.openStorage(t));

keyRepositorySuite('postgres', (t) => postgres.openStorage(t));

ledgerQueriesSuite('postgres', async (t) => {
  const { ledger, ledgerQueries } = await postgres.openStorage(t);
  return { ledger, queries: ledgerQueries };
});

bodyStoreSuite('postgres', async (t) => (await withTenants(postgres.openStorage(t))).bodies);

responseStoreSuite('postgres', async (t) => (await withTenants(postgres.openStorage(t))).responses);

userRepositorySuite('postgres', (t) => postgres.openStorage(t));

familyRepositorySuite('postgres', (t) => postgres.openStorage(t));

auditRepositorySuite('postgres', async (t) => {
  const at = await postgres.database();
  const { audit } = await postgres.openStorage(t, { at });
  const { audit: twin } = await postgres.openStorage(t, { at });
  return { audit, twin };
});
