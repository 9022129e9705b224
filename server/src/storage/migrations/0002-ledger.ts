/**
 * The ledger: narrow rows, the dictionary they point into, and how far each journal is applied.
 *
 * Each index serves a page (newest first, by time and id) and the sums over the same rows
 * without touching the table. On SQLite the table is its own primary-key tree; on PostgreSQL it
 * is divided by time, so that what is old can be dropped whole.
 */
import { type Kysely, sql } from 'kysely';
import { generatedKey, type MigrationContext, textType } from './context.ts';
import { createPartitions } from './ledger-partitions.ts';
import { protectNamedRows } from './row-security.ts';

export function ledgerTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    await createNames(db, context);
    await createRequests(db, context);
    await createIndexes(db);
    await protectNamedRows(db, context, 'requests');
    await db.schema
      .createTable('journal_positions')
      .addColumn('instance', textType(context), (column) => column.primaryKey().notNull())
      .addColumn('segment', 'bigint', (column) => column.notNull())
      .addColumn('byte_offset', 'bigint', (column) => column.notNull())
      .execute();
  };
}

async function createNames(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  const key = generatedKey(context);
  await db.schema
    .createTable('names')
    .addColumn('id', key.type, key.define)
    .addColumn('text', textType(context), (column) => column.notNull().unique())
    .execute();
}

async function createRequests(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  const text = textType(context);
  const table = db.schema
    .createTable('requests')
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('tenant_id', 'bigint', (column) => column.notNull())
    .addColumn('key_id', 'bigint', (column) => column.notNull())
    .addColumn('correlation_id', text)
    .addColumn('dialect', 'smallint', (column) => column.notNull())
    .addColumn('operation', 'smallint', (column) => column.notNull())
    .addColumn('model_id', 'bigint', (column) => column.notNull())
    .addColumn('provider_id', 'bigint')
    .addColumn('provider_model_id', 'bigint')
    .addColumn('stream', 'smallint', (column) => column.notNull())
    .addColumn('status', 'smallint', (column) => column.notNull())
    .addColumn('outcome', 'smallint', (column) => column.notNull())
    .addColumn('error_id', 'bigint')
    .addColumn('cache', 'smallint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('input_tokens', 'bigint', (column) => column.notNull())
    .addColumn('cached_input_tokens', 'bigint', (column) => column.notNull())
    .addColumn('cache_write_tokens', 'bigint', (column) => column.notNull())
    .addColumn('output_tokens', 'bigint', (column) => column.notNull())
    .addColumn('reasoning_tokens', 'bigint', (column) => column.notNull())
    .addColumn('usage_source', 'smallint', (column) => column.notNull())
    .addColumn('cost_nanousd', 'bigint')
    .addColumn('price_id', 'bigint')
    .addColumn('duration_us', 'bigint', (column) => column.notNull())
    .addColumn('first_token_us', 'bigint')
    .addColumn('config_generation', 'bigint', (column) => column.notNull());
  if (context.dialect === 'sqlite') {
    await table
      .addPrimaryKeyConstraint('requests_key', ['id'])
      .modifyEnd(sql`without rowid`)
      .execute();
    return;
  }
  // A unique index of a partitioned table holds the column it is divided by.
  await table
    .addPrimaryKeyConstraint('requests_key', ['created_at_ms', 'id'])
    .modifyEnd(sql`partition by range (created_at_ms)`)
    .execute();
  await createPartitions(db, context.nowMs);
  await db.schema.createIndex('requests_by_id').on('requests').column('id').execute();
}

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  const index = (name: string) => db.schema.createIndex(name).on('requests');
  await index('requests_by_tenant')
    .columns(['tenant_id', 'created_at_ms', 'id', 'cost_nanousd'])
    .execute();
  await index('requests_by_key')
    .columns(['key_id', 'created_at_ms', 'id', 'cost_nanousd'])
    .execute();
  await index('requests_by_time').columns(['created_at_ms', 'id']).execute();
}
