/**
 * Kysely over the database workers. The reader takes any number of single statements; the
 * writer serves one caller at a time, for one statement or for a whole transaction.
 *
 * Invariants: only the writer has transactions, and each begins `immediate`, so that it waits
 * for other processes at its start and never fails in its middle; a connection is bound to the
 * worker it began with; one that ended badly is reset before the next caller has it.
 */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import { assert } from '../../../kernel/assert.ts';
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { SqlValue } from '../../engine.ts';
import type { StatementResult } from '../thread/protocol.ts';
import type { WorkerClient } from '../thread/worker-client.ts';
import type { Lease } from './connection-lease.ts';

export interface DialectOptions {
  readonly client: WorkerClient;
  readonly callTimeoutMs: number;
  /** null: reads only. */
  readonly lease: Lease | null;
  readonly clock: Clock;
}

/** A transaction never waits for anything but the database; one that lasts longer is ended. */
const TRANSACTION_MAX_MS = 10_000;

/** Our migrations may run inside a transaction, and two processes may try them at once. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** The driver's lease bounds the wait; Kysely's own queue would not. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export function createWorkerDialect(options: DialectOptions): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new WorkerDriver(options),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class WorkerDriver implements Driver {
  readonly #options: DialectOptions;

  constructor(options: DialectOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    // The engine starts its workers itself.
  }

  async acquireConnection(): Promise<WorkerConnection> {
    await this.#options.lease?.acquire();
    return new WorkerConnection(this.#options);
  }

  async beginTransaction(connection: WorkerConnection): Promise<void> {
    assert(this.#options.lease !== null, 'transactions belong to the writer');
    await connection.begin();
  }

  async commitTransaction(connection: WorkerConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: WorkerConnection): Promise<void> {
    connection.reset();
  }

  async releaseConnection(connection: WorkerConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    // The engine ends them, too.
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly #options: DialectOptions;
  readonly #generation: number;
  /** Runs while a transaction is, or may be, open. */
  #timer: Timer | null = null;
  #isReleased = false;

  constructor(options: DialectOptions) {
    this.#options = options;
    this.#generation = options.client.generation;
  }

  async begin(): Promise<void> {
    this.#timer = this.#options.clock.setTimer(TRANSACTION_MAX_MS, () => this.release());
    await this.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commit(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('commit'));
    this.#timer?.cancel();
    this.#timer = null;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { client, callTimeoutMs } = this.#options;
    if (this.#isReleased) throw unavailable('the transaction took too long and was ended');
    if (client.generation !== this.#generation) {
      throw unavailable('the database worker of this transaction has ended');
    }
    const call = { kind: 'query', sql, parameters: parameters as readonly SqlValue[] } as const;
    const { rows, changes } = (await client.call(call, callTimeoutMs)) as StatementResult;
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  streamQuery(): never {
    throw new Error('results of the database workers are pages, not streams');
  }

  /** Ends the transaction, if one may be open. Messages keep their order: nobody sees it. */
  reset(): void {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    if (this.#options.client.generation === this.#generation) {
      this.#options.client.post({ kind: 'reset' });
    }
  }

  release(): void {
    if (this.#isReleased) return;
    this.reset();
    this.#isReleased = true;
    this.#options.lease?.release();
  }
}

function unavailable(why: string): GatewayError {
  return new GatewayError('storage_unavailable', { cause: new Error(why) });
}
