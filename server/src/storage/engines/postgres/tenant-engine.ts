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
import { abandon, clientConfig, connect, type SessionLimits } from './client.ts';
import { takeAway } from './destroying.ts';
import { type DialGuard, guardedStream } from './guarded-socket.ts';
import { type Inspection, inspect } from './inspection.ts';
import { migratePostgres } from './migrating.ts';
import { HOT, START, WATCH } from './options.ts';
import { ConnectionPool, type PoolSettings } from './pool.ts';
import { ScopedDatabase } from './scoped-database.ts';
import { Sentinel } from './sentinel.ts';
import { codedError } from './sqlstate.ts';

export interface PostgresTenantOptions {
  readonly url: string;
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
    const { url, guard, clock } = this.#options;
    const found = await this.#look();
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
    const { version, schema } = await this.#look();
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
  async #look(): Promise<Inspection> {
    const { size, maxOverflow } = this.#options.pool;
    const demand = { processes: 1, poolSize: size, maxOverflow, besides: BESIDES };
    const client = await connect(this.#client(START)).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `The tenant's database does not answer: ${why}.`;
      throw new GatewayError('storage_unavailable', { message, cause });
    });
    try {
      return await inspect(client, demand);
    } catch (error) {
      throw codedError(error);
    } finally {
      abandon(client);
    }
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
