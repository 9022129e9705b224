/**
 * Users, the families of their refresh tokens, and invitations; limits, budget and suspension
 * of tenants; scopes and addresses of API keys.
 */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function peopleTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    await createPeople(db, textType(context));
    await protectRows(db, context, 'users');
    await protectRows(db, context, 'invitations');
  };
}

type TextType = ReturnType<typeof textType>;

async function createPeople(db: Kysely<unknown>, text: TextType): Promise<void> {
  await createUsers(db, text);
  await createFamilies(db, text);
  await createInvitations(db, text);
  await extendTenants(db, text);
  await extendKeys(db, text);
  await (db as Kysely<Seed>)
    .insertInto('change_versions')
    .values([
      { subject: 'users', version: 0 },
      { subject: 'families', version: 0 },
    ])
    .execute();
}

/** The columns as they were at this migration, whatever became of the tables later. */
interface Seed {
  change_versions: { subject: string; version: number };
}

async function createUsers(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('tenant', text, (column) => column.notNull().references('tenants.slug'))
    .addColumn('email', text, (column) => column.notNull().unique())
    .addColumn('username', text, (column) => column.notNull())
    .addColumn('username_key', text, (column) => column.notNull().unique())
    .addColumn('password_hash', text)
    .addColumn('subject', text, (column) => column.unique())
    .addColumn('roles', text, (column) => column.notNull())
    .addColumn('is_active', 'bigint', (column) => column.notNull())
    .addColumn('is_verified', 'bigint', (column) => column.notNull())
    .addColumn('models', text)
    .addColumn('limits', text, (column) => column.notNull())
    .addColumn('budget_limit_nanousd', 'bigint')
    .addColumn('budget_period', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_login_at_ms', 'bigint')
    .addColumn('removed_at_ms', 'bigint')
    .addColumn('version', 'bigint', (column) => column.notNull())
    .execute();
  const index = (name: string) => db.schema.createIndex(name).on('users');
  await index('users_by_version').column('version').execute();
  await index('users_by_tenant').columns(['tenant', 'id']).execute();
}

async function createFamilies(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('refresh_families')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('user_id', text, (column) => column.notNull().references('users.id'))
    .addColumn('generation', 'bigint', (column) => column.notNull())
    .addColumn('client', text, (column) => column.notNull())
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('rotated_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('end_reason', text)
    .addColumn('version', 'bigint', (column) => column.notNull())
    .execute();
  const index = (name: string) => db.schema.createIndex(name).on('refresh_families');
  await index('families_by_version').column('version').execute();
  await index('families_by_user').columns(['user_id', 'id']).execute();
}

async function createInvitations(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('invitations')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('tenant', text, (column) => column.notNull().references('tenants.slug'))
    .addColumn('email', text)
    .addColumn('roles', text, (column) => column.notNull())
    .addColumn('token_hash', text, (column) => column.notNull().unique())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .execute();
}

async function extendTenants(db: Kysely<unknown>, text: TextType): Promise<void> {
  const add = (name: string) => db.schema.alterTable('tenants').addColumn(name, 'bigint').execute();
  await add('suspended_at_ms');
  await add('budget_limit_nanousd');
  const word = (name: string) => db.schema.alterTable('tenants').addColumn(name, text).execute();
  await word('budget_period');
  await word('limits');
}

async function extendKeys(db: Kysely<unknown>, text: TextType): Promise<void> {
  const add = (name: string) => db.schema.alterTable('api_keys').addColumn(name, text).execute();
  await add('scopes');
  await add('addresses');
  await add('previous_hash');
  await db.schema.alterTable('api_keys').addColumn('previous_until_ms', 'bigint').execute();
}
