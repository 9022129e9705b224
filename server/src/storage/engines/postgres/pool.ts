/**
 * A pool of connections with what the driver's pool lacks: a connection that was idle is tried
 * before it is handed out, waiting ends with a coded error, overflow is closed when it comes
 * back, and who keeps a connection for long is named.
 *
 * 1. At most `size + maxOverflow` connections are open; beyond that callers wait `timeoutMs`.
 *    An exhausted pool never opens another connection.
 * 2. The connection that came back last is handed out first, so that the others grow old.
 * 3. A connection that failed is closed, not handed out again.
 */
import pg from 'pg';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { Log } from '../../../kernel/log.ts';
import type { PoolStatistics } from '../../ledger-engine.ts';
import { poolStatistics } from '../../pool-statistics.ts';
import type { Availability } from './availability.ts';
import { abandon, type SessionLimits } from './client.ts';
import { ConnectError, codedError, endsConnection, troubleOf } from './sqlstate.ts';

export interface PoolSettings {
  readonly size: number;
  readonly maxOverflow: number;
  /** The longest wait for a free connection. */
  readonly timeoutMs: number;
  /** The age at which a connection is replaced. */
  readonly recycleMs: number;
  readonly prePing: boolean;
  /** False: a connection serves one use, within the same bounds. */
  readonly isPooling: boolean;
}

export interface PoolOptions extends PoolSettings {
  /** For the log: `hot`, `analytics`. */
  readonly name: string;
  /** Who keeps a connection longer is named in the log. */
  readonly heldLongMs: number;
  readonly client: pg.ClientConfig;
  /** What each transaction tells the server, where its session was not told. */
  readonly limits?: SessionLimits | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly availability: Availability;
}

/** A connection in the hands of one caller, who gives it back once. */
export interface Lease {
  readonly client: pg.ClientBase;
  /** `error`: what the last statement ended with, if with one; decides whether it is kept. */
  release(error?: unknown): void;
}

/** A connection that rested longer may have been closed by whatever stands in between. */
const PING_AFTER_IDLE_MS = 5000;
const PING_MS = 1000;
const RETRY_AFTER_MS = 1000;
/** What the driver's pool says. */
const WAITED_TOO_LONG = /^timeout exceeded when trying to connect$/;

export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #pool: pg.Pool;
  readonly #lastUsedMs = new WeakMap<pg.ClientBase, number>();
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { size, maxOverflow, timeoutMs, recycleMs, isPooling, client, log, name } = options;
    const dialling = client.connectionTimeoutMillis ?? timeoutMs;
    class DiallingClient extends pg.Client {
      constructor(config?: string | pg.ClientConfig) {
        // The pool's own limit bounds the wait for a free connection; this one the dialling.
        super({ ...(config as pg.ClientConfig), connectionTimeoutMillis: dialling });
        // The pool listens to idle connections only. One that ends between two statements of
        // its holder would throw outside of any call; the next statement says the same.
        this.on('error', () => undefined);
      }
    }
    this.#pool = new pg.Pool({
      ...client,
      Client: DiallingClient,
      max: size + maxOverflow,
      min: size,
      connectionTimeoutMillis: timeoutMs,
      maxLifetimeSeconds: recycleMs / 1000,
      ...(!isPooling && { maxUses: 1 }),
    });
    this.#pool.on('error', () => undefined); // an idle connection ended; it is gone already
    this.#pool.on('connect', () => log.debug('a database connection was opened', { pool: name }));
    this.#pool.on('acquire', () => log.debug('a database connection is lent', { pool: name }));
    this.#pool.on('remove', () => log.debug('a database connection was closed', { pool: name }));
  }

  /**
   * A connection that works; `isFresh`: that certainly works, because the last one did not.
   * Throws `storage_unavailable`: none came free in time, or the database does not answer.
   */
  async lease(isFresh = false): Promise<Lease> {
    const { size, maxOverflow } = this.#options;
    for (let tries = size + maxOverflow; ; tries -= 1) {
      const client = await this.#checkOut();
      if (!this.#isDoubtful(client, isFresh)) return this.#hand(client);
      try {
        await this.#ping(client);
        return this.#hand(client);
      } catch (error) {
        discard(client);
        if (tries <= 0 || troubleOf(error) !== 'lost') throw codedError(error);
      }
    }
  }

  get name(): string {
    return this.#options.name;
  }

  get limits(): SessionLimits | null {
    return this.#options.limits ?? null;
  }

  statistics(): PoolStatistics {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    const { size, maxOverflow, timeoutMs } = this.#options;
    const state = { open: totalCount, idle: idleCount, waiting: waitingCount };
    return poolStatistics({ size, maxOverflow, timeoutMs, ...state });
  }

  /** Never waits for a server that is silent. */
  async close(waitMs: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(waitMs, resolve);
    await Promise.race([this.#pool.end().catch(() => undefined), patience]);
    timer.cancel();
  }

  async #checkOut(): Promise<pg.PoolClient> {
    const pending = this.#pool.connect();
    try {
      return await this.#options.availability.guard(pending);
    } catch (error) {
      pending.then(
        (client) => client.release(), // it came when nobody waited any more
        () => undefined,
      );
      throw this.#refusal(error);
    }
  }

  #refusal(cause: unknown): Error {
    const { size, maxOverflow, timeoutMs } = this.#options;
    const isExhausted = cause instanceof Error && WAITED_TOO_LONG.test(cause.message);
    if (cause instanceof GatewayError) return cause; // an outage that is known
    if (!isExhausted) return codedError(new ConnectError(cause));
    return new GatewayError('storage_unavailable', {
      message:
        `All ${size + maxOverflow} connections to the database were busy for ` +
        `${timeoutMs / 1000} s. Try again; the operator may raise DB_POOL_SIZE.`,
      retryAfterMs: RETRY_AFTER_MS,
      cause,
    });
  }

  #isDoubtful(client: pg.ClientBase, isFresh: boolean): boolean {
    const lastUsedMs = this.#lastUsedMs.get(client);
    if (lastUsedMs === undefined || !this.#options.prePing) return false; // just opened
    return isFresh || this.#options.clock.monotonicMs() - lastUsedMs > PING_AFTER_IDLE_MS;
  }

  async #ping(client: pg.ClientBase): Promise<void> {
    const query = { text: 'select 1', query_timeout: PING_MS };
    await this.#options.availability.guard(client.query(query));
  }

  #hand(client: pg.PoolClient): Lease {
    const watch = this.#watch();
    return {
      client,
      release: (error) => {
        watch.cancel();
        this.#lastUsedMs.set(client, this.#options.clock.monotonicMs());
        if (error !== undefined && endsConnection(error)) discard(client);
        else client.release(this.#isSurplus());
      },
    };
  }

  #isSurplus(): boolean {
    return this.#pool.totalCount > this.#options.size && this.#pool.waitingCount === 0;
  }

  /** Names who keeps a connection for long: the place where it was asked for. */
  #watch(): Timer {
    const { clock, log, name, heldLongMs } = this.#options;
    const { stack = '' } = new Error('held since');
    return clock.setTimer(heldLongMs, () => {
      log.warn('a database connection is kept for long', {
        ...{ pool: name, held_ms: heldLongMs },
        holder: stack.split('\n').slice(1).join('\n'),
      });
    });
  }
}

/** Closes a connection, whatever its server does. */
function discard(client: pg.PoolClient): void {
  client.release(true);
  abandon(client);
}
