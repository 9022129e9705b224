/**
 * The dictionary of the ledger, read: numbers back to texts, and texts to numbers inside a
 * query.
 */
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

export type Names = ReadonlyMap<number, string>;

/** Keeps a statement below every engine's number of parameters. */
const IDS_PER_STATEMENT = 500;

/** The texts of these entries; nulls are passed over. */
export async function loadNames(db: Kysely<Schema>, ids: Iterable<number | null>): Promise<Names> {
  const wanted = [...new Set(ids)].filter((id) => id !== null);
  const names = new Map<number, string>();
  for (let at = 0; at < wanted.length; at += IDS_PER_STATEMENT) {
    const rows = await db
      .selectFrom('names')
      .selectAll()
      .where('id', 'in', wanted.slice(at, at + IDS_PER_STATEMENT))
      .execute();
    for (const { id, text } of rows) names.set(id, text);
  }
  return names;
}

/** The number of a text; null, which equals nothing, where the dictionary lacks it. */
export function nameId(text: string) {
  return sql<number>`(select id from names where text = ${text})`;
}
