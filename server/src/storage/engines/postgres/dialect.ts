/**
 * Kysely over a pool, for one scope. Each query by itself runs in a read-only transaction that
 * shows its tenant's rows; what is to be written runs in a transaction of `transact`.
 *
 * Invariants: a connection is held from `begin` to `commit`, not while the caller thinks; what
 * the driver throws leaves here as an error of ours with its cause; a query that lost its
 * connection is asked once more on another, because reading twice harms nobody.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type pg from 'pg';
import { assert } from '../../../kernel/assert.ts';
import type { TenantScope } from '../../engine.ts';
import type { Availability } from './availability.ts';
import type { ConnectionPool, Lease } from './pool.ts';
import { beginning } from './scope.ts';
import { codedError, endsConnection, troubleOf } from './sqlstate.ts';
import { storable } from './text.ts';

export interface ScopeOptions {
  readonly pool: ConnectionPool;
  readonly availability: Availability;
  readonly tenant: TenantScope;
  /** Told of each statement, without its values. */
  readonly echo?: (sql: string) => void;
  /** Told before a commit is sent: from then on nobody knows without an answer. */
  readonly onCommit?: () => void;
  /** The transaction's connection must be tried first: the last one was lost. */
  readonly isFresh?: boolean;
}

export function createScopedDialect(options: ScopeOptions): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new ScopedDriver(options),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** Asks one question, twice where the connection was lost. Throws coded errors. */
export async function readOnce(
  options: ScopeOptions,
  sql: string,
  parameters: readonly unknown[],
): Promise<pg.QueryResult> {
  try {
    return await attemptRead(options, sql, parameters, false);
  } catch (error) {
    if (troubleOf(error) !== 'lost') throw codedError(error);
  }
  try {
    return await attemptRead(options, sql, parameters, true);
  } catch (error) {
    throw codedError(error);
  }
}

async function attemptRead(
  { pool, availability, tenant, echo }: ScopeOptions,
  sql: string,
  parameters: readonly unknown[],
  isFresh: boolean,
): Promise<pg.QueryResult> {
  echo?.(sql);
  const lease = await pool.lease(isFresh);
  const run = (text: string, values?: unknown[]) =>
    availability.guard(lease.client.query(text, values));
  try {
    await run(beginning(tenant, 'read only', pool.limits));
    const result = await run(sql, parameters.map(asParameter));
    await run('commit');
    lease.release();
    return result;
  } catch (error) {
    await giveBack(lease, error);
    throw error;
  }
}

/** After a failed statement the transaction is ended, or the connection. */
async function giveBack(lease: Lease, error: unknown): Promise<void> {
  if (isUnusableAfter(error)) {
    lease.release(BROKEN);
    return;
  }
  try {
    await lease.client.query('rollback');
    lease.release(error);
  } catch {
    lease.release(BROKEN);
  }
}

/** Ours: we stopped waiting, and do not know what the connection does. */
function isUnusableAfter(error: unknown): boolean {
  return endsConnection(error) || troubleOf(error) === 'ours';
}

const BROKEN = Object.assign(new Error('given up'), { code: '08006' });

class ScopedDriver implements Driver {
  readonly #options: ScopeOptions;

  constructor(options: ScopeOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    // The pool is there already.
  }

  async acquireConnection(): Promise<ScopedConnection> {
    return new ScopedConnection(this.#options);
  }

  async beginTransaction(connection: ScopedConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: ScopedConnection): Promise<void> {
    this.#options.onCommit?.();
    await connection.end('commit');
  }

  async rollbackTransaction(connection: ScopedConnection): Promise<void> {
    await connection.end('rollback').catch(() => undefined);
  }

  async releaseConnection(connection: ScopedConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    // The pool outlives the scope.
  }
}

class ScopedConnection implements DatabaseConnection {
  readonly #options: ScopeOptions;
  #lease: Lease | null = null;

  constructor(options: ScopeOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    assert(this.#lease === null, 'a connection has one transaction');
    const { pool, tenant, isFresh = false } = this.#options;
    this.#lease = await pool.lease(isFresh);
    await this.#run(beginning(tenant, 'read write', pool.limits));
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const result =
      this.#lease === null
        ? await readOnce(this.#options, sql, parameters)
        : await this.#run(sql, parameters);
    return {
      rows: result.rows as Row[],
      ...(result.rowCount !== null && { numAffectedRows: BigInt(result.rowCount) }),
    };
  }

  streamQuery(): never {
    throw new Error('answers of the database are pages, not streams');
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    if (this.#lease === null) return;
    await this.#run(how);
    this.release();
  }

  /** A connection in whose transaction nobody knows what happened is closed with it. */
  release(error?: unknown): void {
    const lease = this.#lease;
    this.#lease = null;
    lease?.release(error);
  }

  async #run(sql: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult> {
    const lease = this.#lease;
    if (lease === null) throw codedError(BROKEN);
    this.#options.echo?.(sql);
    try {
      const pending = lease.client.query(sql, parameters.map(asParameter));
      return await this.#options.availability.guard(pending);
    } catch (error) {
      if (isUnusableAfter(error) || sql === 'rollback') this.release(BROKEN);
      throw codedError(error);
    }
  }
}

function asParameter(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}
