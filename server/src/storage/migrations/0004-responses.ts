/**
 * Responses that clients go on from. One row holds a response and the items of its own request;
 * what came before is found by `previous_id`. The index finds what is due to be erased.
 */
import type { Kysely } from 'kysely';
import { bytesType, type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function responseTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const bytes = bytesType(context);
    const text = textType(context);
    await db.schema
      .createTable('responses')
      .addColumn('id', text, (column) => column.primaryKey().notNull())
      .addColumn('tenant', text, (column) => column.notNull())
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('previous_id', text)
      .addColumn('input', bytes, (column) => column.notNull())
      .addColumn('response', bytes, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('responses_by_time')
      .on('responses')
      .columns(['created_at_ms', 'id'])
      .execute();
    await protectRows(db, context, 'responses');
  };
}
