/**
 * What an installation knows of itself: which programs may work on its tables, and under which
 * secret its keys were made.
 */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';

export function installationTable(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await db.schema
      .createTable('installation')
      .addColumn('name', text, (column) => column.primaryKey().notNull())
      .addColumn('value', text, (column) => column.notNull())
      .execute();
    await (db as Kysely<Seed>)
      .insertInto('installation')
      .values({ name: 'schema_era', value: '1' })
      .execute();
  };
}

interface Seed {
  installation: { name: string; value: string };
}
