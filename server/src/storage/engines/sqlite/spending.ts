/**
 * The sum of what a scope spent, straight from an index. A scope is `key:<id>` or
 * `tenant:<slug>`; exchanges without a price add nothing.
 */
import type { Connection } from './connection.ts';

const SCOPE_COLUMNS = new Map([
  ['key', 'key_id'],
  ['tenant', 'tenant_id'],
]);

/** Throws for a scope of another kind, and what SQLite said. */
export function spentNanousd(connection: Connection, scopeId: string, sinceMs: number): number {
  const colon = scopeId.indexOf(':');
  const column = SCOPE_COLUMNS.get(scopeId.slice(0, colon));
  if (column === undefined) throw new Error(`no spending is kept for the scope ${scopeId}`);
  const row = connection
    .prepare(
      'select coalesce(sum(cost_nanousd), 0) as spent from requests ' +
        `where ${column} = (select id from names where text = ?) and created_at_ms >= ?`,
    )
    .get(scopeId.slice(colon + 1), sinceMs);
  return Number(row?.spent);
}
