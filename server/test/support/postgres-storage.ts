/**
 * Storage over a real PostgreSQL: one server for a test file, one database for a test, copied
 * from one whose tables are made already.
 */
import { after, type TestContext } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { migratePostgres } from '../../src/storage/engines/postgres/migrating.ts';
import type { PostgresSettings } from '../../src/storage/engines/postgres/options.ts';
import type { Storage } from '../../src/storage/index.ts';
import { afterwards, temporaryFolder } from './afterwards.ts';
import { PostgresServer, ROLES, type TestDatabase } from './postgres-server.ts';
import { openAt, type TestStorageOptions } from './storage.ts';

export interface PostgresFile {
  readonly server: PostgresServer;
  /** A database of its own, with all tables and rights. */
  database(): Promise<TestDatabase>;
  /** Storage as a server opens it, under the runtime role; closed after the test. */
  openStorage(t: TestContext, options?: PostgresTestOptions): Promise<Storage>;
}

export interface PostgresTestOptions extends Partial<Omit<TestStorageOptions, 'database'>> {
  readonly at?: TestDatabase;
  readonly settings?: Partial<PostgresSettings>;
}

/** Starts a server for a test file and stops it behind the last test. */
export async function postgresForFile(): Promise<PostgresFile> {
  const server = await PostgresServer.start();
  after(() => server.stop());
  const template = await server.createDatabase();
  await migratePostgres(template.owner, ROLES, systemClock.wallMs());
  const database = () => server.createDatabase(template.name);
  return {
    server,
    database,
    async openStorage(t, options = {}) {
      const at = options.at ?? (await database());
      const dataDir = options.dataDir ?? temporaryFolder(t);
      const settings = { ...postgresSettings(at), ...options.settings };
      const storage = await openAt({
        ...{ ...options, dataDir },
        database: { kind: 'postgres', ...settings },
      });
      afterwards(t, () => storage.close());
      return storage;
    },
  };
}

export function postgresSettings(at: TestDatabase): PostgresSettings {
  return {
    url: at.runtime,
    migrationUrl: at.owner,
    writerUrl: at.writer,
    pool: {
      size: 4,
      maxOverflow: 2,
      timeoutMs: 2000,
      recycleMs: 3_600_000,
      prePing: true,
      isPooling: true,
    },
    analyticsSize: 2,
    processes: 1,
    strictRole: true,
    isPooled: false,
    echo: false,
  };
}
