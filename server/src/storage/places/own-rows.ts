/**
 * Rows of a tenant in one table of its own data, as moving and erasing them needs: pages of
 * keys, whole rows, and their digest.
 */
import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Engine, SqlValue } from '../engine.ts';
import type { Schema } from '../schema.ts';
import type { OwnTable } from './own-tables.ts';

export type OwnRow = Readonly<Record<string, SqlValue>>;

/** Whole rows are large: at most so many pass at once. */
export const ROWS_AT_ONCE = 20;
export const KEYS_AT_ONCE = 500;

/** The keys behind `after`, in their order. */
export async function keysAfter(
  engine: Engine,
  { name, key }: OwnTable,
  tenant: string,
  after: string,
): Promise<readonly string[]> {
  const rows = await engine.read<{ key: string }>(
    tenant,
    `select ${key} as key from ${name} where tenant = ? and ${key} > ? order by ${key} limit ?`,
    [tenant, after, KEYS_AT_ONCE],
  );
  return rows.map((row) => row.key);
}

export async function rowsOf(
  engine: Engine,
  { name, key, columns }: OwnTable,
  tenant: string,
  keys: readonly string[],
): Promise<readonly OwnRow[]> {
  if (keys.length === 0) return [];
  const marks = keys.map(() => '?').join(', ');
  return engine.read<OwnRow>(
    tenant,
    `select ${columns.join(', ')} from ${name} where tenant = ? and ${key} in (${marks})` +
      ` order by ${key}`,
    [tenant, ...keys],
  );
}

export async function insertRows(
  transaction: Transaction<Schema>,
  { name, key, columns }: OwnTable,
  rows: readonly OwnRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const values = rows.map(
    (row) => sql`(${sql.join(columns.map((column) => row[column] ?? null))})`,
  );
  await sql`insert into ${sql.table(name)} (${names}) values ${sql.join(values)}
    on conflict (${sql.ref(key)}) do nothing`.execute(transaction);
}

export async function deleteRows(
  transaction: Transaction<Schema>,
  { name, key }: Pick<OwnTable, 'name' | 'key'>,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await sql`delete from ${sql.table(name)}
    where ${sql.ref(key)} in (${sql.join(keys)})`.execute(transaction);
}

/** Equal for rows with equal values, whichever database they come from. */
export function digestOf({ columns }: OwnTable, rows: readonly OwnRow[]): string {
  const hash = createHash('sha256');
  for (const row of rows) {
    for (const column of columns) {
      const value = row[column] ?? null;
      const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
      hash.update(`${column}:${bytes.length}:`).update(bytes);
    }
  }
  return hash.digest('hex');
}
