/**
 * Prompts and answers, where they are kept: a table of its own, so that the ledger stays narrow
 * and what people wrote is erased without touching it. The index finds what is due.
 */
import type { Kysely } from 'kysely';
import { bytesType, type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function bodyTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const bytes = bytesType(context);
    const text = textType(context);
    await db.schema
      .createTable('bodies')
      .addColumn('request_id', text, (column) => column.primaryKey().notNull())
      .addColumn('tenant', text, (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('request', bytes)
      .addColumn('request_truncated', 'smallint', (column) => column.notNull())
      .addColumn('response', bytes)
      .addColumn('response_truncated', 'smallint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('bodies_by_time')
      .on('bodies')
      .columns(['created_at_ms', 'request_id'])
      .execute();
    await protectRows(db, context, 'bodies');
  };
}
