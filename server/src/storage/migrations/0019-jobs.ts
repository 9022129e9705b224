/**
 * Background jobs, and what tenants may use. Jobs belong to the installation and not to a
 * tenant. The partial index is what lets a key come back once its job is over.
 */
import { type Kysely, sql } from 'kysely';
import { type MigrationContext, textType } from './context.ts';

export function jobTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await db.schema
      .createTable('jobs')
      .addColumn('id', text, (column) => column.primaryKey().notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('unique_key', text)
      .addColumn('payload', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('run_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('attempts', 'bigint', (column) => column.notNull())
      .addColumn('attempts_max', 'bigint', (column) => column.notNull())
      .addColumn('owner', text)
      .addColumn('lease_until_ms', 'bigint')
      .addColumn('last_error', text)
      .addColumn('ended_at_ms', 'bigint')
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await sql`create unique index jobs_by_key on jobs (unique_key) where state <> 'dead'`.execute(
      db,
    );
    await db.schema
      .createIndex('jobs_by_time')
      .on('jobs')
      .columns(['state', 'run_at_ms'])
      .execute();
    await allowanceColumns(db, context);
  };
}

async function allowanceColumns(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  for (const table of ['tenants', 'users', 'api_keys']) {
    await db.schema
      .alterTable(table)
      .addColumn('budget_soft', 'smallint', (column) => column.notNull().defaultTo(0))
      .execute();
  }
  await db.schema
    .alterTable('tenants')
    .addColumn('models', textType(context), (column) => column.notNull().defaultTo('{}'))
    .execute();
}
