/**
 * What the repositories need from a database: reading, writing as a transaction, and the few
 * ways in which engines differ, as named capabilities.
 *
 * Every use says whose rows it touches; an engine with row-level security shows it no others.
 * The query builder is loaded when it is first asked for: a start does not need it.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** The slug of a tenant. null: across all tenants, or a table that belongs to none. */
export type TenantScope = string | null;

export type SqlValue = null | number | string | Uint8Array;

export interface Engine {
  /** `select … for share` keeps what was read as it is until the transaction ends. */
  readonly locksRows: boolean;
  /**
   * Reads with plain SQL, for the few statements that run before the query builder is worth
   * loading. `?` marks a parameter. Throws `storage_unavailable`.
   */
  read<Row>(
    tenant: TenantScope,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<readonly Row[]>;
  /** For reading only. Its queries throw `storage_unavailable`. */
  reader(tenant: TenantScope): Promise<Kysely<Schema>>;
  /** The same for questions that may take long: they keep nobody else waiting. */
  analyst(tenant: TenantScope): Promise<Kysely<Schema>>;
  /**
   * Runs `work` as one transaction, and again from its beginning where the database asks for
   * that: it must touch nothing but the transaction it is given. Throws what `work` throws,
   * `storage_unavailable`, and `ConstraintError`.
   */
  transact<T>(
    tenant: TenantScope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T>;
  /**
   * Resolves when nothing of the rows deleted so far is left in the database's files, or when
   * the server sees to that by itself. Throws `storage_unavailable`.
   */
  scrub(): Promise<void>;
}

/** A row broke a rule of its table; repositories say which coded error that is. */
export class ConstraintError extends Error {
  readonly rule: 'unique' | 'foreign_key' | 'other';

  constructor(rule: ConstraintError['rule'], message: string) {
    super(message);
    this.name = 'ConstraintError';
    this.rule = rule;
  }
}
