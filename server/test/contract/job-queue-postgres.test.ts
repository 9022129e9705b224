/** Background jobs over a real PostgreSQL, under the role that requests run under. */
import type { DatabasePlace } from '../../src/storage/index.ts';
import { temporaryFolder } from '../support/afterwards.ts';
import { postgresForFile, postgresSettings } from '../support/postgres-storage.ts';
import { startStorageProcess } from '../support/storage-process.ts';
import { jobQueueSuite } from './job-queue-suite.ts';

const postgres = await postgresForFile();

jobQueueSuite('postgres', async (t) => {
  const at = await postgres.database();
  const { jobs: queue } = await postgres.openStorage(t, { at });
  const { jobs: twin } = await postgres.openStorage(t, { at });
  const dataDir = temporaryFolder(t);
  const place: DatabasePlace = { kind: 'postgres', ...postgresSettings(at) };
  return { queue, twin, startStuckProcess: () => startStorageProcess('job', dataDir, place) };
});
