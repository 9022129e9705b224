/**
 * A PostgreSQL of one tenant: a small pool and the connection that watches, no ledger. One role
 * owns the tables and uses them: the wall round this data is the database itself.
 *
 * What it is asked for fails at once while the watch gets no answer.
 */
import type { Kysely, Transaction } from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { Log } from '../../../kernel/log.ts';
import type { Random } from '../../../kernel/random.ts';
import type { PlaceReport } from '../../../tenancy/ports/data-place.ts';
import type { SqlValue, TenantScope } from '../../engine.ts';
import type { PoolStatistics } from '../../ledger-engine.ts';
import { judgeSchema } from '../../migrations/compatibility.ts';
import { MIGRATION_NAMES } from '../../migrations/index.ts';
import type { TenantEngine } from '../../places/tenant-engine.ts';
import type { QueryWatch } from '../../query-watch.ts';
import type { Schema } from '../../schema.ts';
import { Availability } from './availability.ts';
import { overBudget } from './budget.ts';
import { abandon, clientConfig, connect, type SessionLimits } from './client.ts';
import { takeAway } from './destroying.ts';
import { type DialGuard, guardedStream } from './guarded-socket.ts';
import { type Inspection, inspect, requireBudget } from './inspection.ts';
import { migratePostgres } from './migrating.ts';
import { HOT, START, WATCH } from './options.ts';
import { ConnectionPool, type PoolSettings } from './pool.ts';
import { ScopedDatabase } from './scoped-database.ts';
import { Sentinel } from './sentinel.ts';
import { codedError } from './sqlstate.ts';

export interface PostgresTenantOptions {
  readonly url: string;
  /** Processes that may have it open, on all hosts. */
  readonly processes: number;
  /** Connections of a process to other databases of ours on the same server. */
  readonly others: () => Promise<number>;
  /** True where it is about to become a home: then what does not fit is refused. */
  readonly isNew: boolean;
  readonly guard: DialGuard;
  readonly pool: PoolSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly queries: QueryWatch;
}

const HELD_LONG_MS = 15_000;
const WATCH_POLL_MS = 1000;
/** How long an answer to the watch may take. */
const ANSWER_MS = 1500;
const CLOSE_MS = 1000;
/** The watch, and one while it is opened. */
const BESIDES = 2;
const POOL_NAMES = ['DB_TENANT_POOL_SIZE', 'DB_TENANT_MAX_OVERFLOW'] as const;

export class PostgresTenantEngine implements TenantEngine {
  readonly locksRows = true;
  readonly #options: PostgresTenantOptions;
  readonly #availability = new Availability();
  readonly #pool: ConnectionPool;
  readonly #database: ScopedDatabase;
  readonly #sentinel: Sentinel;
  #isClosed = false;

  /** Nothing is connected yet. */
  constructor(options: PostgresTenantOptions) {
    this.#options = options;
    const { clock, random, log, queries } = options;
    const availability = this.#availability;
    this.#pool = new ConnectionPool({
      ...options.pool,
      ...{ name: 'tenant', clock, log, availability, heldLongMs: HELD_LONG_MS },
      client: this.#client(HOT),
    });
    const pool = this.#pool;
    this.#database = new ScopedDatabase({
      ...{ pool, availability, clock, random, queries, echo: null },
    });
    this.#sentinel = new Sentinel({
      ...{ client: this.#client(WATCH), availability, clock, log },
      ...{ pollMs: WATCH_POLL_MS, deadlineMs: ANSWER_MS, report: () => undefined },
    });
  }

  async open(): Promise<void> {
    const { url, guard, clock, isNew } = this.#options;
    const found = await this.#look(isNew);
    if (judgeSchema(found.schema, MIGRATION_NAMES).state !== 'current') {
      const { role } = found;
      const roles = { runtime: role, writer: role };
      await coded(migratePostgres(url, roles, clock.wallMs(), guardedStream(guard)));
    }
    await this.#sentinel.start();
  }

  async probe(): Promise<PlaceReport> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const { version, schema } = await this.#look(true);
    const isPrepared = judgeSchema(schema, MIGRATION_NAMES).state === 'current';
    return { latencyMs: clock.monotonicMs() - startedMs, version, isPrepared };
  }

  read<Row>(tenant: TenantScope, sql: string, parameters: readonly SqlValue[]) {
    return this.#database.read<Row>(tenant, sql, parameters);
  }

  async reader(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#database.builder(tenant);
  }

  async analyst(tenant: TenantScope): Promise<Kysely<Schema>> {
    return this.#database.builder(tenant);
  }

  transact<T>(tenant: TenantScope, work: (transaction: Transaction<Schema>) => Promise<T>) {
    return this.#database.transact(tenant, work);
  }

  /** The server clears away what was deleted by itself (autovacuum). */
  async scrub(): Promise<void> {
    // Nothing that could hasten it.
  }

  statistics(): PoolStatistics {
    return this.#pool.statistics();
  }

  async destroy(tenant: string): Promise<void> {
    await this.close();
    const client = await coded(connect(this.#client(START)));
    try {
      await takeAway(client, tenant);
    } catch (error) {
      throw codedError(error);
    } finally {
      abandon(client);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sentinel.close();
    await this.#pool.close(this.#availability.isUp() ? CLOSE_MS : 0);
  }

  /** Throws what is in the way, in words that hold no password. */
  async #look(mustFit: boolean): Promise<Inspection> {
    const client = await connect(this.#client(START)).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `The tenant's database does not answer: ${why}.`;
      throw new GatewayError('storage_unavailable', { message, cause });
    });
    try {
      const found = await inspect(client);
      await this.#judgeBudget(found, mustFit);
      return found;
    } catch (error) {
      throw codedError(error);
    } finally {
      abandon(client);
    }
  }

  /** One that is a tenant's home already goes on, whatever became of the sizes since. */
  async #judgeBudget(found: Inspection, mustFit: boolean): Promise<void> {
    const { pool, processes, others, log } = this.#options;
    const demand = {
      ...{ processes, poolSize: pool.size, maxOverflow: pool.maxOverflow, besides: BESIDES },
      ...{ others: await others(), names: POOL_NAMES },
    };
    if (mustFit) return requireBudget(demand, found);
    const excess = overBudget(demand, found.supply);
    if (excess !== null) log.warn('a tenant’s server gives too few connections', { excess });
  }

  #client(limits: SessionLimits) {
    const { url, guard } = this.#options;
    return { ...clientConfig(url, 'tenant', limits), stream: guardedStream(guard) };
  }
}

async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw codedError(error);
  }
}
