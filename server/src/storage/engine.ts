/**
 * What the repositories need from a database: one query builder that reads, one that writes,
 * and the few ways in which engines differ, as named capabilities.
 *
 * The query builder is loaded when it is first asked for: a start does not need it. Work that
 * must be atomic runs inside `writer().transaction()`, and there only with the transaction it
 * was given; the root writer inside a transaction would wait for itself.
 */
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

export type SqlValue = null | number | string | Uint8Array;

export interface Engine {
  /**
   * Reads with plain SQL, for the few statements that run before the query builder is worth
   * loading. `?` marks a parameter. Throws `storage_unavailable`.
   */
  read<Row>(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]>;
  reader(): Promise<Kysely<Schema>>;
  writer(): Promise<Kysely<Schema>>;
  /**
   * Resolves when nothing of the rows deleted so far is left in the database's files. Throws
   * `storage_unavailable`.
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
