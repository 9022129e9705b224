/**
 * What adapters on Redis stand on, and what a store is made of. `client.ts` provides it.
 */
import type { RedisCommander } from 'ioredis';
import type { Breaker } from '../../gateway/ports/breaker.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import type { RedisAddress } from './connection.ts';
import type { RedisFailureKind } from './failure.ts';
import type { Allowance, RequestWaits } from './request-waits.ts';

export interface RedisStore {
  /** `cache` or `state`. */
  readonly name: string;
  /** Keys are spread over nodes: a command takes those of one slot. */
  readonly isCluster: boolean;
  /**
   * Runs commands that a request waits for: at most 25 ms, and at most what the request has
   * left. `op` names them in metrics and messages; it must come from code, never from a caller.
   * Rejects with a `RedisFailure` and nothing else.
   */
  hot<T>(op: string, run: (client: RedisCommander) => Promise<T>): Promise<T>;
  /**
   * The same for a command that several requests wait for together, each of them bounded by
   * `hotMs` and its own `allowance`. Where it fails, it counts as so many.
   */
  together<T>(
    op: string,
    run: (client: RedisCommander) => Promise<T>,
    requests: number,
  ): Promise<T>;
  readonly hotMs: number;
  /** What the request that runs now may wait for shared stores in all. */
  allowance(): Allowance;
  /**
   * Runs commands that no request waits for: at most 500 ms in all. `idempotent`: a connection
   * that broke is no reason to give up while there is time; such commands are sent again.
   */
  background<T>(
    op: string,
    run: (client: RedisCommander) => Promise<T>,
    options?: RunOptions,
  ): Promise<T>;
  /** One client for each primary, for what must visit them all: `background`'s `node`. */
  masters(): readonly RedisCommander[];
  publish(channel: string, message: string | Buffer): Promise<void>;
  /**
   * Listens for as long as the store lives or until the returned function is called, over
   * every loss of the connection. Messages sent meanwhile are lost: see `onResubscribed`.
   */
  subscribe(channel: string, listener: (message: Buffer) => void): () => void;
  /** Told when subscriptions hold again after a gap, and the first time. */
  onResubscribed(listener: () => void): () => void;
  /** Told when the store became usable, the first time included. */
  onReturn(listener: () => void): () => void;
  state(): StoreReport;
  /** Ends every connection at once; commands under way fail. */
  close(): void;
}

export interface StoreReport {
  readonly kind: 'connecting' | 'up' | 'down';
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What went wrong last; null while it is up. */
  readonly reason: string | null;
  /** What the server says to writes while it takes none; null otherwise. */
  readonly refusing: string | null;
}

export interface RunOptions {
  readonly idempotent?: boolean;
  /** One of `masters()`. */
  readonly node?: RedisCommander;
}

export interface RedisStoreOptions {
  readonly name: string;
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly breaker: Breaker;
  readonly meters?: StoreMeters;
  /** What requests may wait in all; shared by the stores of a process. */
  readonly waits?: RequestWaits;
  /** Longest wait for a hot command; 25. */
  readonly hotMs?: number;
  /** Longest wait for a background command; 500. */
  readonly backgroundMs?: number;
}

/** Told synchronously; must neither throw nor wait. */
export interface StoreMeters {
  done(op: string, durationMs: number): void;
  failed(op: string, kind: RedisFailureKind): void;
}
