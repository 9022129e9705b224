/**
 * PostgreSQL behind two pools and two connections apart: requests of people in the hot pool,
 * long questions in the analytics pool, the ledger in a thread with its own connection, and one
 * that watches. No part can take the connections of another.
 */
import type { Kysely, Transaction } from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { SqlValue, TenantScope } from '../../engine.ts';
import type { DatabaseHealth, LedgerEngine, PoolStatistics } from '../../ledger-engine.ts';
import {
  eraseNames,
  eraseRows,
  type LedgerErasure,
  type LedgerPlace,
} from '../../ledger-erasing.ts';
import type { Schema } from '../../schema.ts';
import { LedgerThread } from '../thread/ledger-thread.ts';
import { WorkerClient } from '../thread/worker-client.ts';
import { Availability } from './availability.ts';
import { clientConfig, type SessionLimits } from './client.ts';
import type { Inspection } from './inspection.ts';
import { asEraser } from './ledger-erasing.ts';
import { forgetRows } from './ledger-forgetting.ts';
import { openDatabase } from './opening.ts';
import { ANALYTICS, HOT, LEDGER, type PostgresOptions, WATCH } from './options.ts';
import { ConnectionPool } from './pool.ts';
import { ScopedDatabase } from './scoped-database.ts';
import { Sentinel } from './sentinel.ts';
import type { WriterData } from './writer-worker.ts';

const WRITER = new URL('./writer-worker.ts', import.meta.url);
const CALLS_MAX = 256;
const LEDGER_CALL_MS = 5000;
const CLOSE_MS = 1000;
const HEALTH_MS = 1500;
const HELD_LONG_MS = 15_000;
const TABLES =
  'select count(*) as tables from information_schema.tables where table_schema = current_schema()';

export class PostgresEngine implements LedgerEngine {
  readonly locksRows = true;
  readonly ledger: LedgerThread;
  readonly #options: PostgresOptions;
  readonly #availability = new Availability();
  readonly #hot: ConnectionPool;
  readonly #analytics: ConnectionPool;
  readonly #requests: ScopedDatabase;
  readonly #reports: ScopedDatabase;
  readonly #sentinel: Sentinel;
  readonly #writer: WorkerClient;
  #found: Inspection | null = null;
  #asking: Promise<DatabaseHealth> | null = null;
  #isClosed = false;

  /** Starts the ledger's thread; nothing is connected yet. */
  constructor(options: PostgresOptions) {
    this.#options = options;
    const { settings, clock, log, faults, pollMs, onReport, journalRoot, instance } = options;
    this.#hot = this.#pool('hot', HOT, options.settings.pool);
    const analytics = { ...settings.pool, size: settings.analyticsSize, maxOverflow: 0 };
    this.#analytics = this.#pool('analytics', ANALYTICS, analytics);
    this.#requests = this.#scoped(this.#hot);
    this.#reports = this.#scoped(this.#analytics);
    this.#sentinel = new Sentinel({
      client: clientConfig(settings.url, 'watch', WATCH, settings.isPooled),
      availability: this.#availability,
      ...{ clock, log, pollMs, deadlineMs: HEALTH_MS, report: onReport },
    });
    const data: WriterData = {
      url: settings.writerUrl ?? settings.url,
      ...{ limits: LEDGER, journalRoot, instance },
    };
    this.#writer = new WorkerClient({
      ...{ name: 'writer', entry: WRITER, data, callsMax: CALLS_MAX },
      ...{ clock, log, faults, onReport, onRestart: () => this.#writerRestarted() },
    });
    this.ledger = new LedgerThread(this.#writer, LEDGER_CALL_MS);
  }

  async open(): Promise<void> {
    this.#found = await openDatabase(this.#options);
    await this.#sentinel.start();
    await this.#openLedger();
    const { settings, log } = this.#options;
    const { size, maxOverflow } = settings.pool;
    const { version, role } = this.#found;
    log.info('pool.ready', { version, role, size, max_overflow: maxOverflow });
  }

  recover(): Promise<boolean> {
    return this.ledger.recover();
  }

  read<Row>(
    tenant: TenantScope,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<readonly Row[]> {
    return this.#requests.read(tenant, sql, parameters);
  }

  async reader(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#requests.builder(tenant);
  }

  async analyst(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#reports.builder(tenant);
  }

  transact<T>(
    tenant: TenantScope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T> {
    return this.#requests.transact(tenant, work);
  }

  /** The server clears away what was deleted by itself (autovacuum). */
  async scrub(): Promise<void> {
    // Nothing that a role without rights on the tables could hasten.
  }

  forgetBefore(createdBeforeMs: number, limit: number): Promise<number> {
    return forgetRows(this.#options.settings, createdBeforeMs, limit);
  }

  eraseLedgerNames(tenant: string, how: LedgerErasure): Promise<void> {
    return asEraser(this.#options.settings, (run) => eraseNames(run, tenant, how));
  }

  eraseLedgerRows(tenant: string, how: LedgerErasure, after: LedgerPlace, limit: number) {
    const range = { after, limit };
    return asEraser(this.#options.settings, (run) => eraseRows(run, tenant, how, range));
  }

  outage(): string | null {
    return this.#availability.outage?.message ?? null;
  }

  pools(): ReadonlyMap<string, PoolStatistics> {
    const pools = [this.#hot, this.#analytics];
    return new Map(pools.map((pool) => [pool.name, pool.statistics()]));
  }

  health(): Promise<DatabaseHealth> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sentinel.close();
    const waitMs = this.#availability.isUp() ? CLOSE_MS : 0;
    await Promise.all([this.#hot.close(waitMs), this.#analytics.close(waitMs)]);
    await this.#writer.call({ kind: 'close' }, CLOSE_MS).catch(() => undefined);
    await this.#writer.close();
  }

  async #ask(): Promise<DatabaseHealth> {
    const { clock } = this.#options;
    const found = this.#found;
    const facts = found && {
      ...{ version: found.version, role: found.role, roleRisk: found.roleRisk },
      migrations: found.schema.migrations.length,
    };
    const base = { backend: 'postgres' as const, facts };
    const startedMs = clock.monotonicMs();
    try {
      const { outage } = this.#availability;
      if (outage !== null) throw outage;
      const { rows } = await this.#sentinel.ask(TABLES);
      const connection = { healthy: true as const, latencyMs: clock.monotonicMs() - startedMs };
      return { ...base, connection, pool: this.#hot.statistics(), tables: rows[0]?.tables ?? null };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const connection = { healthy: false as const, error: message };
      return { ...base, connection, pool: this.#hot.statistics(), tables: null };
    }
  }

  #pool(name: string, limits: SessionLimits, settings: PostgresOptions['settings']['pool']) {
    const { clock, log, settings: database } = this.#options;
    return new ConnectionPool({
      ...settings,
      ...{ name, clock, log, availability: this.#availability, heldLongMs: HELD_LONG_MS },
      client: clientConfig(database.url, name, limits, database.isPooled),
      limits: database.isPooled ? limits : null,
    });
  }

  #scoped(pool: ConnectionPool): ScopedDatabase {
    const { settings, clock, random, log, queries } = this.#options;
    const echo = settings.echo ? (sql: string): void => log.debug('sql', { sql }) : null;
    const availability = this.#availability;
    return new ScopedDatabase({ pool, availability, clock, random, echo, queries });
  }

  async #openLedger(): Promise<void> {
    try {
      await this.#writer.call({ kind: 'open' }, LEDGER_CALL_MS);
    } catch (error) {
      const why = error instanceof GatewayError ? error.cause : error;
      const fields = { error: why instanceof Error ? why.message : String(why) };
      this.#options.log.warn('the next months of the ledger could not be made', fields);
    }
  }

  #writerRestarted(): void {
    void this.#openLedger();
    this.recover().catch(() => undefined); // was reported, and is tried again
    this.#options.onWriterRestart();
  }
}
