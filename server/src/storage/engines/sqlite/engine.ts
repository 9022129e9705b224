/**
 * SQLite behind two workers: one connection that writes, one that reads. Neither runs on the
 * event loop; a slow report holds up nobody who writes, and a lock held by another process
 * holds up nobody who reads.
 *
 * The writer is also the sink of the journal: it reads the segment files by itself, so that
 * the ledger's rows never pass through the main thread.
 */
import type { Kysely, Transaction } from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { FaultPoints } from '../../../kernel/fault.ts';
import type { Log } from '../../../kernel/log.ts';
import type { Report } from '../../applying/report.ts';
import type { SqlValue, TenantScope } from '../../engine.ts';
import type { Ownership } from '../../journal/ownership.ts';
import type {
  DatabaseFacts,
  DatabaseHealth,
  LedgerEngine,
  PoolStatistics,
} from '../../ledger-engine.ts';
import {
  eraseNames,
  eraseRows,
  type LedgerErasure,
  type LedgerPlace,
  type RunStatement,
} from '../../ledger-erasing.ts';
import {
  type AppliedSchema,
  judgeSchema,
  type SchemaState,
} from '../../migrations/compatibility.ts';
import { MIGRATION_NAMES, migrate } from '../../migrations/index.ts';
import { poolStatistics } from '../../pool-statistics.ts';
import { endOf, type QueryWatch, watched } from '../../query-watch.ts';
import type { Schema } from '../../schema.ts';
import { LedgerThread } from '../thread/ledger-thread.ts';
import type { StatementResult } from '../thread/protocol.ts';
import { WorkerClient } from '../thread/worker-client.ts';
import { Lease } from './connection-lease.ts';
import { asEraser } from './ledger-erasing.ts';
import type { ReaderData } from './reader-worker.ts';
import type { WriterData } from './writer-worker.ts';

export interface SqliteEngineOptions {
  readonly path: string;
  /** True where a commit must survive a power cut. */
  readonly durable: boolean;
  /** null: journals are none of its business. */
  readonly journalRoot: string | null;
  /** Our own journal, whose lock lives as long as this engine; null where we have none. */
  readonly owned: Ownership | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: FaultPoints;
  /** How long a statement waits for another process that writes. */
  readonly busyTimeoutMs: number;
  /** Zero: as large as the disk allows. */
  readonly databaseMaxBytes: number;
  /** How often the reader looks for changes of other processes. */
  readonly pollMs: number;
  readonly onReport: (report: Report) => void;
  readonly queries: QueryWatch;
  /** The writer is new and knows nothing of the journal. */
  readonly onWriterRestart: () => void;
}

const WRITER = new URL('./writer-worker.ts', import.meta.url);
const READER = new URL('./reader-worker.ts', import.meta.url);
const CALLS_MAX = 256;
const WAITERS_MAX = 64;
const OPEN_TIMEOUT_MS = 15_000;
const HEALTH_TIMEOUT_MS = 1500;
const TABLES = "select count(*) as tables from sqlite_master where type = 'table'";
const CLOSE_TIMEOUT_MS = 1000;
const REOPEN_DELAY_MS = 1000;
/** A call answers after its own busy wait, not before. */
const CALL_MARGIN_MS = 1000;

export class SqliteEngine implements LedgerEngine {
  /** Transactions that write come one after the other. */
  readonly locksRows = false;
  readonly ledger: LedgerThread;
  readonly #options: SqliteEngineOptions;
  readonly #writer: WorkerClient;
  readonly #reader: WorkerClient;
  readonly #lease: Lease;
  readonly #callTimeoutMs: number;
  #writerBuilder: Promise<Kysely<Schema>> | null = null;
  #readerBuilder: Promise<Kysely<Schema>> | null = null;
  #facts: DatabaseFacts | null = null;
  #isClosed = false;

  /** Starts both workers; nothing is opened yet. */
  constructor(options: SqliteEngineOptions) {
    this.#options = options;
    const { path, durable, journalRoot, owned, clock, busyTimeoutMs, pollMs } = options;
    this.#callTimeoutMs = busyTimeoutMs + CALL_MARGIN_MS;
    this.#lease = new Lease(clock, { waitersMax: WAITERS_MAX, waitMs: busyTimeoutMs });
    const synchronous = durable ? 'full' : 'normal';
    const instance = owned && { name: owned.instance, directory: owned.directory };
    const { databaseMaxBytes } = options;
    const writerData: WriterData = {
      ...{ path, busyTimeoutMs, databaseMaxBytes, synchronous },
      ...{ journalRoot: journalRoot ?? '', instance },
    };
    this.#writer = this.#start('writer', WRITER, writerData, () => void this.#reviveWriter());
    this.ledger = new LedgerThread(this.#writer, this.#callTimeoutMs);
    const readerData: ReaderData = { path, busyTimeoutMs, pollMs };
    this.#reader = this.#start('reader', READER, readerData, () => void this.#openReader());
  }

  /** Opens the file and brings its tables up to date; throws `storage_unavailable`. */
  async open(): Promise<void> {
    let found = await this.#lookAtSchema();
    if (found.state === 'behind') found = await this.#migrate();
    const { later } = found;
    if (later.length > 0) this.#options.log.warn('the database is of a newer version', { later });
    this.#facts = {
      ...{ version: process.versions.sqlite ?? '', role: null, roleRisk: null },
      migrations: MIGRATION_NAMES.length + later.length,
    };
    void this.#openReader();
  }

  recover(): Promise<boolean> {
    return this.ledger.recover();
  }

  async read<Row>(
    _tenant: TenantScope,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<readonly Row[]> {
    const call = { kind: 'query', sql, parameters } as const;
    const result = await watched(this.#options, sql, () =>
      this.#reader.call(call, this.#callTimeoutMs),
    );
    return (result as StatementResult).rows as readonly Row[];
  }

  reader(_tenant: TenantScope): Promise<Kysely<Schema>> {
    this.#readerBuilder ??= this.#build(this.#reader, null);
    return this.#readerBuilder;
  }

  analyst(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.reader(tenant);
  }

  async transact<T>(
    _tenant: TenantScope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T> {
    return (await this.writer()).transaction().execute(work);
  }

  /** One caller at a time; inside a transaction of its own it would wait for itself. */
  writer(): Promise<Kysely<Schema>> {
    this.#writerBuilder ??= this.#build(this.#writer, this.#lease);
    return this.#writerBuilder;
  }

  /** Deleted rows are overwritten where they stood; the log of writes still has them till here. */
  async scrub(): Promise<void> {
    await this.#lease.acquire();
    try {
      const sql = 'pragma wal_checkpoint(truncate)';
      const call = { kind: 'query', sql, parameters: [] } as const;
      const result = (await this.#writer.call(call, this.#callTimeoutMs)) as StatementResult;
      if (result.rows[0]?.busy !== 0) {
        const cause = new Error('another process reads what was deleted');
        throw new GatewayError('storage_unavailable', { cause });
      }
    } finally {
      this.#lease.release();
    }
  }

  eraseLedgerNames(tenant: string, how: LedgerErasure): Promise<void> {
    return this.#erasing((run) => eraseNames(run, tenant, how));
  }

  eraseLedgerRows(tenant: string, how: LedgerErasure, after: LedgerPlace, limit: number) {
    return this.#erasing((run) => eraseRows(run, tenant, how, { after, limit }));
  }

  #erasing<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    return asEraser((tenant, inside) => this.transact(tenant, inside), work);
  }

  async forgetBefore(createdBeforeMs: number, limit: number): Promise<number> {
    const { forgetRows } = await import('./ledger-forgetting.ts');
    return this.transact(null, (transaction) => forgetRows(transaction, createdBeforeMs, limit));
  }

  outage(): null {
    return null; // what the writer reports says more
  }

  pools(): ReadonlyMap<string, PoolStatistics> {
    return new Map();
  }

  /** A file has no pool: its two connections are those of the threads. */
  async health(): Promise<DatabaseHealth> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const base = { backend: 'sqlite' as const, pool: this.poolStatistics(), facts: this.#facts };
    try {
      const call = { kind: 'query', sql: TABLES, parameters: [] } as const;
      const answer = (await this.#reader.call(call, HEALTH_TIMEOUT_MS)) as StatementResult;
      const connection = { healthy: true as const, latencyMs: clock.monotonicMs() - startedMs };
      return { ...base, connection, tables: Number(answer.rows[0]?.tables) };
    } catch (error) {
      const cause = error instanceof GatewayError ? error.cause : error;
      const message = cause instanceof Error ? cause.message : String(cause);
      return { ...base, connection: { healthy: false, error: message }, tables: null };
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = [this.#writer, this.#reader];
    await Promise.allSettled(workers.map((each) => each.call({ kind: 'close' }, CLOSE_TIMEOUT_MS)));
    await Promise.all(workers.map((each) => each.close()));
  }

  async #lookAtSchema(): Promise<SchemaState> {
    const applied = await this.#writer.call({ kind: 'open' }, OPEN_TIMEOUT_MS);
    return judgeSchema(applied as AppliedSchema, MIGRATION_NAMES);
  }

  /** Another process, also one of a newer version, may be doing the same. */
  async #migrate(): Promise<SchemaState> {
    const nowMs = this.#options.clock.wallMs();
    try {
      await migrate((await this.writer()) as Kysely<unknown>, { dialect: 'sqlite', nowMs });
    } catch (error) {
      const found = await this.#lookAtSchema();
      if (found.state === 'behind') throw error;
      return found;
    }
    return this.#lookAtSchema();
  }

  #start(
    name: string,
    entry: URL,
    data: WriterData | ReaderData,
    onRestart: () => void,
  ): WorkerClient {
    const { clock, log, faults, onReport } = this.#options;
    return new WorkerClient({
      ...{ name, entry, data, callsMax: CALLS_MAX },
      ...{ clock, log, faults, onReport, onRestart },
    });
  }

  poolStatistics(): PoolStatistics {
    const busy = [this.#writer, this.#reader].filter((each) => each.isBusy).length;
    const open = { size: 2, maxOverflow: 0, open: 2, idle: 2 - busy, waiting: this.#lease.waiting };
    return poolStatistics({ ...open, timeoutMs: this.#options.busyTimeoutMs });
  }

  async #build(client: WorkerClient, lease: Lease | null): Promise<Kysely<Schema>> {
    const [{ Kysely: Builder }, { createWorkerDialect }] = await Promise.all([
      import('kysely'),
      import('./dialect.ts'),
    ]);
    const { clock } = this.#options;
    const dialect = createWorkerDialect({
      client,
      lease,
      clock,
      callTimeoutMs: this.#callTimeoutMs,
    });
    const { queries } = this.#options;
    return new Builder<Schema>({ dialect, log: (event) => queries.ended(...endOf(event)) });
  }

  /** Never rejects: a reader that cannot open the file tries again at its next query. */
  async #openReader(): Promise<void> {
    try {
      await this.#reader.call({ kind: 'open' }, OPEN_TIMEOUT_MS);
    } catch (error) {
      if (!this.#isClosed) this.#warn('the database reader cannot open the file yet', error);
    }
  }

  /** Never rejects. */
  async #reviveWriter(): Promise<void> {
    try {
      await this.#writer.call({ kind: 'open' }, OPEN_TIMEOUT_MS);
    } catch (error) {
      if (this.#isClosed) return;
      this.#warn('the database writer cannot open the file yet', error);
      this.#options.clock.setTimer(REOPEN_DELAY_MS, () => void this.#reviveWriter());
      return;
    }
    if (this.#options.journalRoot === null) return;
    this.recover().catch((error: unknown) => {
      if (!this.#isClosed) this.#warn('journals of earlier runs are not applied yet', error);
    });
    this.#options.onWriterRestart();
  }

  #warn(message: string, error: unknown): void {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    this.#options.log.warn(message, { error: cause instanceof Error ? cause.message : `${cause}` });
  }
}
