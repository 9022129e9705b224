/**
 * Taking a tenant's own PostgreSQL away: its tables are dropped where the database is the
 * tenant's alone. Where it is anybody else's as well only the tenant's rows go, and what is not
 * of this program is never touched.
 */
import type pg from 'pg';
import { OWN_TABLES } from '../../places/own-tables.ts';
import { beginning } from './scope.ts';

/** Every table a migration makes, with those of the migrations themselves. */
export const OUR_TABLES: readonly string[] = [
  ...['api_keys', 'audit_head', 'audit_log', 'bodies', 'change_versions', 'data_homes'],
  ...['feature_flags', 'installation', 'invitations', 'jobs', 'journal_positions', 'names'],
  ...['prices', 'refresh_families', 'requests', 'responses', 'tenant_hosts', 'tenants'],
  ...['usage_days', 'users', 'kysely_migration', 'kysely_migration_lock'],
];

/** The tenant that every new database has. */
const EVERYWHERE = 'default';
const IS_OURS = `
  select to_regclass('data_homes') is not null and to_regclass('installation') is not null
    as ours`;
const IS_SHARED = `
  select exists (select from data_homes where tenant not in ($1, $2))
    or exists (select from installation where name <> 'schema_era') as shared`;

/** In one transaction. Throws what the driver says. */
export async function takeAway(client: pg.ClientBase, tenant: string): Promise<void> {
  if ((await client.query<{ ours: boolean }>(IS_OURS)).rows[0]?.ours !== true) return;
  await client.query(beginning(null, 'read write'));
  const { rows } = await client.query<{ shared: boolean }>(IS_SHARED, [tenant, EVERYWHERE]);
  if (rows[0]?.shared === true) await takeRowsAway(client, tenant);
  else await client.query(`drop table if exists ${OUR_TABLES.join(', ')} cascade`);
  await client.query('commit');
}

async function takeRowsAway(client: pg.ClientBase, tenant: string): Promise<void> {
  for (const { name } of OWN_TABLES) {
    await client.query(`delete from ${name} where tenant = $1`, [tenant]);
  }
  await client.query('delete from data_homes where tenant = $1', [tenant]);
}
