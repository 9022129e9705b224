/** The repositories over SQLite, each test with a database file of its own. */
import { openTestStorage } from '../support/storage.ts';
import { bodyStoreSuite } from './body-store-suite.ts';
import { keyRepositorySuite } from './key-repository-suite.ts';
import { ledgerQueriesSuite } from './ledger-queries-suite.ts';
import { responseStoreSuite } from './response-store-suite.ts';
import { tenantRepositorySuite } from './tenant-repository-suite.ts';

tenantRepositorySuite('sqlite', async (t) => (await openTestStorage(t)).tenants);

keyRepositorySuite('sqlite', (t) => openTestStorage(t));

ledgerQueriesSuite('sqlite', async (t) => {
  const { ledger, ledgerQueries } = await openTestStorage(t);
  return { ledger, queries: ledgerQueries };
});

bodyStoreSuite('sqlite', async (t) => (await openTestStorage(t)).bodies);

responseStoreSuite('sqlite', async (t) => (await openTestStorage(t)).responses);
