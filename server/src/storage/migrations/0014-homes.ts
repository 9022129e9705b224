/**
 * Where tenants' own data lies, what is being done with it, and whose rows a database takes:
 * every database says by itself whether it is a tenant's home, so that who was sent to the wrong
 * one is refused by it.
 */
import { type Kysely, sql } from 'kysely';
import { type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function homeTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await db.schema.alterTable('tenants').addColumn('place', text).execute();
    await db.schema.alterTable('tenants').addColumn('job', text).execute();
    await db.schema.alterTable('tenants').addColumn('erased_at_ms', 'bigint').execute();
    await db.schema
      .createTable('data_homes')
      .addColumn('tenant', text, (column) => column.primaryKey().notNull())
      .addColumn('state', text, (column) => column.notNull())
      .execute();
    await sql`insert into data_homes (tenant, state) select slug, 'open' from tenants`.execute(db);
    await protectRows(db, context, 'data_homes');
  };
}
