/**
 * Making one database hold the same rows of a tenant as another: both are walked in the order
 * of their keys, side by side. What is missing is copied and read back; what is too many is
 * taken away, where that is asked for. Nothing is changed in a database that is the tenant's home
 * already: it takes rows that the other one does not have.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Engine } from '../engine.ts';
import { requireNoHome } from './homes.ts';
import {
  deleteRows,
  digestOf,
  insertRows,
  KEYS_AT_ONCE,
  keysAfter,
  ROWS_AT_ONCE,
  rowsOf,
} from './own-rows.ts';
import { OWN_TABLES, type OwnTable } from './own-tables.ts';

export interface Copying {
  readonly from: Engine;
  readonly to: Engine;
  readonly tenant: string;
  /** What is not in `from` goes from `to`, too. */
  readonly removes: boolean;
  readonly signal: AbortSignal;
}

/** How many rows the tenant has there. Throws `storage_unavailable` where a copy differs. */
export async function copyRows(copying: Copying): Promise<number> {
  let rows = 0;
  for (const table of OWN_TABLES) rows += await copyTable(copying, table);
  return rows;
}

async function copyTable(copying: Copying, table: OwnTable): Promise<number> {
  const { from, to, tenant, removes, signal } = copying;
  let count = 0;
  for (let after = ''; ; ) {
    signal.throwIfAborted();
    const keys = await keysAfter(from, table, tenant, after);
    const isLast = keys.length < KEYS_AT_ONCE;
    const end = isLast ? null : (keys.at(-1) ?? null);
    const there = new Set(await keysBetween(to, table, tenant, after, end));
    const missing = keys.filter((key) => !there.delete(key));
    for (let at = 0; at < missing.length; at += ROWS_AT_ONCE) {
      signal.throwIfAborted();
      await copyBatch(copying, table, missing.slice(at, at + ROWS_AT_ONCE));
    }
    if (removes) await remove(to, table, tenant, [...there]);
    count += keys.length;
    if (end === null) return count;
    after = end;
  }
}

/** To the end where `end` is null. */
async function keysBetween(
  engine: Engine,
  table: OwnTable,
  tenant: string,
  after: string,
  end: string | null,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let from = after; ; ) {
    const page = await keysAfter(engine, table, tenant, from);
    const inside = end === null ? page : page.filter((key) => compare(key, end) <= 0);
    found.push(...inside);
    const last = page.at(-1);
    if (page.length < KEYS_AT_ONCE || inside.length < page.length || last === undefined) {
      return found;
    }
    from = last;
  }
}

/** A row that was deleted meanwhile is not copied; the rest must arrive as it left. */
async function copyBatch(
  { from, to, tenant }: Copying,
  table: OwnTable,
  keys: readonly string[],
): Promise<void> {
  const rows = await rowsOf(from, table, tenant, keys);
  await to.transact(tenant, async (transaction) => {
    await requireNoHome(to, transaction, tenant);
    await insertRows(transaction, table, rows);
  });
  const arrived = await rowsOf(
    to,
    table,
    tenant,
    rows.map((row) => String(row[table.key])),
  );
  if (digestOf(table, rows) === digestOf(table, arrived)) return;
  const cause = new Error(`copies of rows of ${table.name} differ from their originals`);
  throw new GatewayError('storage_unavailable', { cause });
}

async function remove(
  engine: Engine,
  table: OwnTable,
  tenant: string,
  keys: readonly string[],
): Promise<void> {
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const some = keys.slice(at, at + KEYS_AT_ONCE);
    await engine.transact(tenant, async (transaction) => {
      await requireNoHome(engine, transaction, tenant);
      await deleteRows(transaction, table, some);
    });
  }
}

/** By code units, which for our keys (ASCII) is the order of their bytes. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
