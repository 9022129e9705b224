/** Background jobs over SQLite, each test with a database file of its own. */

import { temporaryFolder } from '../support/afterwards.ts';
import { openTestStorage } from '../support/storage.ts';
import { startStorageProcess } from '../support/storage-process.ts';
import { jobQueueSuite } from './job-queue-suite.ts';

jobQueueSuite('sqlite', async (t) => {
  const dataDir = temporaryFolder(t);
  const { jobs: queue } = await openTestStorage(t, { dataDir });
  const { jobs: twin } = await openTestStorage(t, { dataDir });
  return { queue, twin, startStuckProcess: () => startStorageProcess('job', dataDir) };
});
