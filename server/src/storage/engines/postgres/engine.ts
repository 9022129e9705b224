/**
 * PostgreSQL behind two pools and two connections apart: requests of people in the hot pool,
 * long questions in the analytics pool, the ledger in a thread with its own connection, and one
 * that watches. No part can take the connections of another.
 */
import { Kysely, type Transaction } from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import { sleep } from '../../../kernel/deadline.ts';
import type { SqlValue, TenantScope } from '../../engine.ts';
import type { DatabaseHealth, LedgerEngine, PoolStatistics } from '../../ledger-engine.ts';
import { endOf, watched } from '../../query-watch.ts';
import type { Schema } from '../../schema.ts';
import { LedgerThread } from '../thread/ledger-thread.ts';
import { WorkerClient } from '../thread/worker-client.ts';
import { Availability } from './availability.ts';
import { clientConfig, type SessionLimits } from './client.ts';
import { createScopedDialect, readOnce, type ScopeOptions } from './dialect.ts';
import type { Inspection } from './inspection.ts';
import { forgetRows } from './ledger-forgetting.ts';
import { openDatabase } from './opening.ts';
import { ANALYTICS, HOT, LEDGER, type PostgresOptions, WATCH } from './options.ts';
import { ConnectionPool } from './pool.ts';
import { Sentinel } from './sentinel.ts';
import { troubleOf } from './sqlstate.ts';
import type { WriterData } from './writer-worker.ts';

const WRITER = new URL('./writer-worker.ts', import.meta.url);
const CALLS_MAX = 256;
const LEDGER_CALL_MS = 5000;
const CLOSE_MS = 1000;
const HEALTH_MS = 1500;
const HELD_LONG_MS = 15_000;
const CONFLICTS_MAX = 6;
const CONFLICT_DELAY_MS = 20;
const TABLES =
  'select count(*) as tables from information_schema.tables where table_schema = current_schema()';
const NEVER = new AbortController().signal;

export class PostgresEngine implements LedgerEngine {
  readonly ledger: LedgerThread;
  readonly #options: PostgresOptions;
  readonly #availability = new Availability();
  readonly #hot: ConnectionPool;
  readonly #analytics: ConnectionPool;
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
    this.#sentinel = new Sentinel({
      client: clientConfig(settings.url, 'watch', WATCH),
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

  async read<Row>(
    tenant: TenantScope,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<readonly Row[]> {
    const scope = this.#scope(this.#hot, tenant);
    const ask = () => readOnce(scope, numbered(sql), parameters);
    return (await watched(this.#options, sql, ask)).rows as Row[];
  }

  async reader(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#builder(this.#hot, tenant);
  }

  async analyst(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#builder(this.#analytics, tenant);
  }

  async transact<T>(
    tenant: TenantScope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T> {
    let wasLost = false;
    for (let conflicts = 0; ; ) {
      let isCommitting = false;
      const onCommit = () => {
        isCommitting = true;
      };
      try {
        const db = this.#builder(this.#hot, tenant, { onCommit, isFresh: wasLost });
        return await db.transaction().execute(work);
      } catch (error) {
        const trouble = error instanceof GatewayError ? troubleOf(error.cause) : null;
        if (trouble === 'conflict' && conflicts < CONFLICTS_MAX) {
          conflicts += 1;
          await this.#rest(conflicts);
        } else if (trouble === 'lost' && !isCommitting && !wasLost) wasLost = true;
        else throw error;
      }
    }
  }

  /** The server clears away what was deleted by itself (autovacuum). */
  async scrub(): Promise<void> {
    // Nothing that a role without rights on the tables could hasten.
  }

  forgetBefore(createdBeforeMs: number, limit: number): Promise<number> {
    return forgetRows(this.#options.settings, createdBeforeMs, limit);
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
      client: clientConfig(database.url, name, limits),
    });
  }

  #builder(
    pool: ConnectionPool,
    tenant: TenantScope,
    more: { readonly onCommit?: () => void; readonly isFresh?: boolean } = {},
  ): Kysely<Schema> {
    const dialect = createScopedDialect({ ...this.#scope(pool, tenant), ...more });
    const { queries } = this.#options;
    return new Kysely<Schema>({ dialect, log: (event) => queries.ended(...endOf(event)) });
  }

  #scope(pool: ConnectionPool, tenant: TenantScope): ScopeOptions {
    const { settings, log } = this.#options;
    const echo = (sql: string): void => log.debug('sql', { sql });
    const base = { pool, availability: this.#availability, tenant };
    return settings.echo ? { ...base, echo } : base;
  }

  /** Longer each time, and never the same for two who met. */
  async #rest(conflicts: number): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = CONFLICT_DELAY_MS * 2 ** conflicts * random.float();
    await sleep(clock, delayMs, NEVER);
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

/** `?` marks a parameter; no statement of ours has it in a text. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replace(/\?/g, () => {
    count += 1;
    return `$${count}`;
  });
}
