/** The repositories over SQLite, each test with a database file of its own. */
import { temporaryFolder } from '../support/afterwards.ts';
import { openTestStorage } from '../support/storage.ts';
import { withTenants } from '../support/tenant-record.ts';
import { auditRepositorySuite } from './audit-repository-suite.ts';
import { bodyStoreSuite } from './body-store-suite.ts';
import { flagRepositorySuite } from './flag-repository-suite.ts';
import { keyRepositorySuite } from './key-repository-suite.ts';
import { ledgerQueriesSuite } from './ledger-queries-suite.ts';
import { responseStoreSuite } from './response-store-suite.ts';
import { tenantRepositorySuite } from './tenant-repository-suite.ts';
import { familyRepositorySuite, userRepositorySuite } from './user-repository-suite.ts';

tenantRepositorySuite('sqlite', async (t) => (await openTestStorage(t)).tenants);

flagRepositorySuite('sqlite', (t) => openTestStorage(t));

keyRepositorySuite('sqlite', (t) => openTestStorage(t));

ledgerQueriesSuite('sqlite', async (t) => {
  const { ledger, ledgerQueries } = await openTestStorage(t);
  return { ledger, queries: ledgerQueries };
});

bodyStoreSuite('sqlite', async (t) => (await withTenants(openTestStorage(t))).bodies);

responseStoreSuite('sqlite', async (t) => (await withTenants(openTestStorage(t))).responses);

userRepositorySuite('sqlite', (t) => openTestStorage(t));

familyRepositorySuite('sqlite', (t) => openTestStorage(t));

auditRepositorySuite('sqlite', async (t) => {
  const dataDir = temporaryFolder(t);
  const { audit } = await openTestStorage(t, { dataDir });
  const { audit: twin } = await openTestStorage(t, { dataDir });
  return { audit, twin };
});
