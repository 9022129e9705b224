/**
 * What is left of ledger rows that were forgotten: sums for each day and each of what figures
 * are asked by and budgets are counted by. Periods of budgets begin with a day of UTC, so that
 * nothing about a budget is lost with the rows.
 *
 * On PostgreSQL months are forgotten whole, by a function that runs with its owner's rights.
 */
import { type Kysely, sql } from 'kysely';
import type { MigrationContext } from './context.ts';
import { createForgetting } from './ledger-forgetting.ts';
import { protectNamedRows } from './row-security.ts';

export function usageDays(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const table = db.schema
      .createTable('usage_days')
      .addColumn('day', 'bigint', (column) => column.notNull())
      .addColumn('tenant_id', 'bigint', (column) => column.notNull())
      .addColumn('key_id', 'bigint', (column) => column.notNull())
      .addColumn('model_id', 'bigint', (column) => column.notNull())
      // Zero where there is none: a key has no gaps.
      .addColumn('provider_id', 'bigint', (column) => column.notNull())
      .addColumn('outcome', 'smallint', (column) => column.notNull())
      .addColumn('requests', 'bigint', (column) => column.notNull())
      .addColumn('cache_hits', 'bigint', (column) => column.notNull())
      .addColumn('input_tokens', 'bigint', (column) => column.notNull())
      .addColumn('cached_input_tokens', 'bigint', (column) => column.notNull())
      .addColumn('output_tokens', 'bigint', (column) => column.notNull())
      .addColumn('cost_nanousd', 'bigint', (column) => column.notNull())
      .addColumn('unpriced', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_days_key', [
        ...(['tenant_id', 'day', 'key_id', 'model_id', 'provider_id', 'outcome'] as const),
      ]);
    if (context.dialect === 'sqlite') await table.modifyEnd(sql`without rowid`).execute();
    else await table.execute();
    await db.schema
      .createIndex('usage_days_by_key')
      .on('usage_days')
      .columns(['key_id', 'day', 'cost_nanousd'])
      .execute();
    await protectNamedRows(db, context, 'usage_days');
    if (context.dialect === 'postgres') await createForgetting(db);
  };
}
