/**
 * The prompt that stood before a request, in the ledger's rows.
 */
import type { Kysely } from 'kysely';

export async function promptColumn(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('requests').addColumn('prompt_id', 'bigint').execute();
}
