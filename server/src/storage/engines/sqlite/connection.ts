/**
 * One SQLite connection inside a worker: WAL, foreign keys on, a busy wait, and a bounded
 * cache of prepared statements.
 *
 * A transaction opened by the main thread spans several messages; whoever else works on this
 * connection waits for `free()`.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { systemClock } from '../../../kernel/clock.ts';
import type { SqlValue } from '../../engine.ts';
import type { Row, StatementResult } from '../thread/protocol.ts';
import { isUnavailable, resultCodeOf } from './result-codes.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly busyTimeoutMs: number;
  /** Zero: as large as the disk allows. */
  readonly databaseMaxBytes: number;
  /** `full`: a commit survives a power cut. `normal`: only a crash of the process. */
  readonly synchronous: 'full' | 'normal';
  readonly readOnly: boolean;
}

const STATEMENTS_MAX = 200;
const WAL_KEPT_BYTES = 67_108_864;
const OPEN_RETRY_MS = 20;

export class Connection {
  readonly #database: DatabaseSync;
  readonly #busyTimeoutMs: number;
  readonly #statements = new Map<string, StatementSync>();
  #waiting: (() => void)[] = [];

  private constructor(database: DatabaseSync, busyTimeoutMs: number) {
    this.#database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** Opens the file, making it if need be. Throws what SQLite said. */
  static open(options: ConnectionOptions): Connection {
    const { path, busyTimeoutMs, databaseMaxBytes, synchronous, readOnly } = options;
    const database = new DatabaseSync(path, {
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
    });
    switchToWal(database, busyTimeoutMs);
    database.exec(`pragma synchronous = ${synchronous}`);
    database.exec(`pragma journal_size_limit = ${WAL_KEPT_BYTES}`);
    if (databaseMaxBytes > 0) {
      const size = Number(database.prepare('pragma page_size').get()?.page_size);
      database.exec(`pragma max_page_count = ${Math.floor(databaseMaxBytes / size)}`);
    }
    // What is deleted must not stay readable in pages that are free.
    database.exec(readOnly ? 'pragma query_only = on' : 'pragma secure_delete = on');
    return new Connection(database, busyTimeoutMs);
  }

  execute(sql: string, parameters: readonly SqlValue[]): StatementResult {
    const statement = this.prepare(sql);
    try {
      if (statement.columns().length > 0) {
        return { rows: statement.all(...parameters) as unknown as Row[], changes: 0 };
      }
      return { rows: [], changes: Number(statement.run(...parameters).changes) };
    } finally {
      this.#settle();
    }
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined && this.#statements.size >= STATEMENTS_MAX) {
      this.#statements.delete(oldest);
    }
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * Runs `work` as one transaction; waits at most `busyTimeoutMs` for another writer. Only
   * while nothing else has a transaction open here.
   */
  transaction(busyTimeoutMs: number, work: () => void): void {
    this.#database.exec(`pragma busy_timeout = ${busyTimeoutMs}`);
    try {
      this.#database.exec('begin immediate');
      work();
      this.#database.exec('commit');
    } catch (error) {
      this.reset();
      throw error;
    } finally {
      this.#database.exec(`pragma busy_timeout = ${this.#busyTimeoutMs}`);
    }
  }

  /** Resolves while no transaction is open. */
  async free(): Promise<void> {
    while (this.#database.isTransaction) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Ends the transaction that is open, if there is one. */
  reset(): void {
    if (this.#database.isTransaction) this.#database.exec('rollback');
    this.#settle();
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #settle(): void {
    if (this.#waiting.length === 0 || this.#database.isTransaction) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Two processes that open a new file at once may find it locked in spite of the busy wait. */
function switchToWal(database: DatabaseSync, patienceMs: number): void {
  const endMs = systemClock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      database.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (!isUnavailable(resultCodeOf(error)) || systemClock.monotonicMs() >= endMs) {
        database.close();
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS);
    }
  }
}
