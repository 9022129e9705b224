/**
 * A file of one tenant, beside the shared one: the same engine without a ledger.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { noFaults } from '../../../kernel/fault.ts';
import type { PlaceReport } from '../../../tenancy/ports/data-place.ts';
import type { PoolStatistics } from '../../ledger-engine.ts';
import type { TenantEngine } from '../../places/tenant-engine.ts';
import { makePrivate } from '../../private-file.ts';
import { SqliteEngine, type SqliteEngineOptions } from './engine.ts';

export type SqliteTenantOptions = Pick<SqliteEngineOptions, 'path' | 'clock' | 'log' | 'queries'>;

const BUSY_MS = 5000;
/** Nobody waits for the changes of one tenant's own data. */
const POLL_MS = 60_000;
const SUFFIXES = ['', '-wal', '-shm'];

export class SqliteTenantEngine extends SqliteEngine implements TenantEngine {
  readonly #path: string;

  /** Starts the workers; nothing is opened yet. */
  constructor({ path, clock, log, queries }: SqliteTenantOptions) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    makePrivate(path);
    super({
      ...{ path, clock, log, queries, faults: noFaults },
      ...{ durable: true, journalRoot: null, owned: null },
      ...{ busyTimeoutMs: BUSY_MS, pollMs: POLL_MS, databaseMaxBytes: 0 },
      ...{ onReport: () => undefined, onWriterRestart: () => undefined },
    });
    this.#path = path;
  }

  async probe(): Promise<PlaceReport> {
    await this.open();
    const { connection, facts } = await this.health();
    if (!connection.healthy) throw new Error(connection.error);
    const { latencyMs } = connection;
    return { latencyMs, version: facts?.version ?? '', isPrepared: facts !== null };
  }

  statistics(): PoolStatistics {
    return this.poolStatistics();
  }

  async destroy(): Promise<void> {
    await this.close();
    for (const suffix of SUFFIXES) rmSync(`${this.#path}${suffix}`, { force: true });
  }
}
