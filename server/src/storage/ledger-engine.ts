/**
 * A database as storage opens it: what the repositories need, the ledger behind its journal,
 * and how it is.
 */
import type { Engine } from './engine.ts';
import type { LedgerSink } from './journal/pipe.ts';
import type { ErasedRows, LedgerErasure, LedgerPlace } from './ledger-erasing.ts';

export interface LedgerEngine extends Engine {
  readonly ledger: EngineLedger;
  /**
   * Connects and brings the tables up to date. Throws `storage_unavailable`, not retryable
   * where the database can be reached and is not fit.
   */
  open(): Promise<void>;
  /** Applies the journals of dead owners, now and from time to time; false: one is unreadable. */
  recover(): Promise<boolean>;
  /**
   * Takes ledger rows made before an instant out of the ledger and leaves the sums of their days
   * in their place. Answers how many went; `limit` or more: there may be others. Where months
   * can be dropped whole, only those that ended before the instant go. Throws
   * `storage_unavailable`.
   */
  forgetBefore(createdBeforeMs: number, limit: number): Promise<number>;
  /** Makes a tenant's keys and people nobody in the ledger; its sums go with `erase`. */
  eraseLedgerNames(tenant: string, how: LedgerErasure): Promise<void>;
  /** Its rows, some at a time. */
  eraseLedgerRows(
    tenant: string,
    how: LedgerErasure,
    after: LedgerPlace,
    limit: number,
  ): Promise<ErasedRows>;
  /** Why the database does not answer, as was seen last; null: it does. */
  outage(): string | null;
  /** The pools by name, for figures; none where the engine has no pools. */
  pools(): ReadonlyMap<string, PoolStatistics>;
  /** Never rejects, and answers within two seconds whatever the database does. */
  health(): Promise<DatabaseHealth>;
  /** What is under way fails; harmless the second time. Never rejects. */
  close(): Promise<void>;
}

export interface EngineLedger extends LedgerSink {
  /** Our own journal is in the database to its end and will be removed. */
  retireJournal(): Promise<void>;
}

export interface DatabaseHealth {
  readonly backend: 'sqlite' | 'postgres';
  readonly connection: ConnectionHealth;
  readonly pool: PoolStatistics;
  /** How many there are; null where the database does not say. */
  readonly tables: number | null;
  /** What the start found; null before. */
  readonly facts: DatabaseFacts | null;
}

export type ConnectionHealth =
  | { readonly healthy: true; readonly latencyMs: number }
  | { readonly healthy: false; readonly error: string };

/** In numbers of connections. What is free is the capacity less what is checked out. */
export interface PoolStatistics {
  readonly poolSize: number;
  readonly maxOverflow: number;
  readonly checkedOut: number;
  readonly idle: number;
  /** Open connections beyond the pool's size. */
  readonly overflow: number;
  readonly totalAvailable: number;
  readonly waiting: number;
  readonly timeoutSeconds: number;
  /** Percent of the capacity, overflow included; two decimals. */
  readonly utilization: number;
}

export interface DatabaseFacts {
  readonly version: string;
  /** null: the engine has no roles. */
  readonly role: string | null;
  /** Why row-level security does not bind the role; null: it does, or there is none. */
  readonly roleRisk: string | null;
  readonly migrations: number;
}
