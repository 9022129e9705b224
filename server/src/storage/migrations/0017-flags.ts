/**
 * Feature flags that somebody changed, and the arm of an experiment in the ledger's rows.
 */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';

export function flagTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await db.schema
      .createTable('feature_flags')
      .addColumn('name', text, (column) => column.primaryKey().notNull())
      .addColumn('definition', text, (column) => column.notNull())
      .addColumn('rollout', text)
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_by', text, (column) => column.notNull())
      .execute();
    await db.schema.alterTable('requests').addColumn('arm_id', 'bigint').execute();
    await db.schema
      .createIndex('requests_by_arm')
      .on('requests')
      .columns(['arm_id', 'created_at_ms'])
      .where('arm_id', 'is not', null)
      .execute();
    await (db as Kysely<Seed>)
      .insertInto('change_versions')
      .values({ subject: 'flags', version: 0 })
      .execute();
  };
}

/** The columns as they were at this migration, whatever became of the tables later. */
interface Seed {
  change_versions: { subject: string; version: number };
}
