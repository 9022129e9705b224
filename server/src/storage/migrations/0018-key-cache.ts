/** What an API key wants of the response cache. */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';

export function keyCacheColumn(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .alterTable('api_keys')
      .addColumn('cache_use', textType(context), (column) => column.notNull().defaultTo('default'))
      .execute();
  };
}
