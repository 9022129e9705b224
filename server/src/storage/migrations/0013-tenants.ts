/**
 * Changes of tenants that every process hears of, and the hosts they are served under.
 */
import { type Kysely, sql } from 'kysely';
import { type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function tenantColumns(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await db.schema
      .alterTable('tenants')
      .addColumn('version', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
    // Those that are there already are read by whoever has read nothing yet.
    await sql`update tenants set version = 1`.execute(db);
    await sql`update change_versions set version = version + 1 where subject = 'tenants'`.execute(
      db,
    );
    await db.schema.createIndex('tenants_by_version').on('tenants').column('version').execute();
    await db.schema
      .createTable('tenant_hosts')
      .addColumn('host', text, (column) => column.primaryKey().notNull())
      .addColumn('tenant', text, (column) => column.notNull().references('tenants.slug'))
      .execute();
    await db.schema.createIndex('hosts_by_tenant').on('tenant_hosts').column('tenant').execute();
    await protectRows(db, context, 'tenant_hosts');
  };
}
