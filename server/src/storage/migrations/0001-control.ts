/**
 * Tenants, API keys and prices, and the change versions by which processes notice each
 * other's writes.
 */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function controlTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    const text = textType(context);
    await createTenants(db, text);
    await createChangeVersions(db, text);
    await createApiKeys(db, text);
    await createPrices(db, text);
    await protectRows(db, context, 'api_keys');
    const rows = db as Kysely<Seed>;
    await rows
      .insertInto('tenants')
      .values({ id: 'ten_default', slug: 'default', name: 'Default', created_at_ms: context.nowMs })
      .execute();
    await rows
      .insertInto('change_versions')
      .values([
        { subject: 'api_keys', version: 0 },
        { subject: 'tenants', version: 0 },
      ])
      .execute();
    await protectRows(db, context, 'tenants', 'slug');
  };
}

type TextType = ReturnType<typeof textType>;

/** The columns as they were at this migration, whatever became of the tables later. */
interface Seed {
  tenants: { id: string; slug: string; name: string; created_at_ms: number };
  change_versions: { subject: string; version: number };
}

async function createTenants(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('tenants')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('slug', text, (column) => column.notNull().unique())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}

async function createChangeVersions(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('change_versions')
    .addColumn('subject', text, (column) => column.primaryKey().notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .execute();
}

async function createApiKeys(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('tenant', text, (column) => column.notNull().references('tenants.slug'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('hint', text, (column) => column.notNull())
    .addColumn('secret_hash', text, (column) => column.notNull().unique())
    .addColumn('role', text, (column) => column.notNull())
    .addColumn('models', text)
    .addColumn('limits', text, (column) => column.notNull())
    .addColumn('budget_limit_nanousd', 'bigint')
    .addColumn('budget_period', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('version', 'bigint', (column) => column.notNull())
    .execute();
  const index = (name: string) => db.schema.createIndex(name).on('api_keys');
  await index('api_keys_by_version').column('version').execute();
  await index('api_keys_by_tenant').columns(['tenant', 'id']).execute();
}

async function createPrices(db: Kysely<unknown>, text: TextType): Promise<void> {
  await db.schema
    .createTable('prices')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('model', text, (column) => column.notNull())
    .addColumn('input_picousd', 'bigint', (column) => column.notNull())
    .addColumn('cached_input_picousd', 'bigint', (column) => column.notNull())
    .addColumn('cache_write_picousd', 'bigint')
    .addColumn('output_picousd', 'bigint', (column) => column.notNull())
    .addColumn('effective_from_ms', 'bigint', (column) => column.notNull())
    .execute();
}
