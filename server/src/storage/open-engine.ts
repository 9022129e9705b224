/**
 * Which engine stands behind an installation's data. PostgreSQL and its driver are loaded where
 * they are used: a start on a file does not wait for them.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import type { FaultPoints } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import { systemRandom } from '../kernel/random.ts';
import type { Report } from './applying/report.ts';
import type { PostgresSettings, TenantShare } from './engines/postgres/options.ts';
import { SqliteEngine } from './engines/sqlite/engine.ts';
import type { Ownership } from './journal/ownership.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import { makePrivate } from './private-file.ts';
import type { QueryWatch } from './query-watch.ts';

export type { PostgresSettings } from './engines/postgres/options.ts';

const NO_TENANTS: TenantShare = { openMax: 0, connections: 0 };

export type DatabasePlace =
  /** The SQLite file; its folder is made where it is missing. */
  | { readonly kind: 'sqlite'; readonly file: string }
  | ({ readonly kind: 'postgres' } & PostgresSettings);

export interface EngineLimits {
  /** How long a statement waits for another process that writes (SQLite). */
  readonly busyTimeoutMs: number;
  /** How often changes of other processes are looked for. */
  readonly pollMs: number;
  /** How large the database file may grow; zero means as large as the disk allows (SQLite). */
  readonly databaseMaxBytes: number;
  /** How long a start waits for a database that does not answer (PostgreSQL). */
  readonly startWaitMs: number;
}

export interface EngineOptions {
  readonly database: DatabasePlace;
  /** Left out: no tenant has a database of its own. */
  readonly tenants?: TenantShare;
  readonly journalRoot: string;
  /** Our own journal, whose lock lives as long as the engine; null where we have none. */
  readonly owned: Ownership | null;
  /** True where a commit must survive a power cut. */
  readonly durable: boolean;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: FaultPoints;
  readonly onReport: (report: Report) => void;
  readonly queries: QueryWatch;
  readonly onWriterRestart: () => void;
}

/** Nothing is connected yet. */
export async function createEngine(options: EngineOptions): Promise<LedgerEngine> {
  const { database, owned, journalRoot, limits, durable } = options;
  const { clock, log, faults, onReport, onWriterRestart, queries } = options;
  const shared = { journalRoot, clock, log, faults, onReport, onWriterRestart, queries };
  if (database.kind === 'sqlite') {
    mkdirSync(dirname(database.file), { recursive: true, mode: 0o700 });
    makePrivate(database.file);
    return new SqliteEngine({ ...shared, ...limits, path: database.file, durable, owned });
  }
  const { PostgresEngine } = await import('./engines/postgres/engine.ts');
  const instance = owned && { name: owned.instance, directory: owned.directory };
  return new PostgresEngine({
    ...{ ...shared, ...limits, instance },
    ...{ settings: database, tenants: options.tenants ?? NO_TENANTS, random: systemRandom },
  });
}
