/**
 * The second wall between tenants: on PostgreSQL a table shows and takes only rows of the
 * tenant that its transaction named, also to the table's owner. `*` names all of them, for what
 * serves every tenant. SQLite has no such thing.
 */
import { type Kysely, sql } from 'kysely';
import type { MigrationContext } from './context.ts';

/** Protects a table whose rows name their tenant's slug in `column`. */
export async function protectRows(
  db: Kysely<unknown>,
  context: MigrationContext,
  table: string,
  column = 'tenant',
): Promise<void> {
  if (context.dialect !== 'postgres') return;
  await protect(db, table, sql`${sql.ref(column)} = current_setting('esclusa.tenant', true)`);
}

/** Protects the ledger, whose rows point to the tenant's slug in the dictionary. */
export async function protectNamedRows(
  db: Kysely<unknown>,
  context: MigrationContext,
  table: string,
): Promise<void> {
  if (context.dialect !== 'postgres') return;
  const own = sql`tenant_id = (
    select names.id from names where names.text = current_setting('esclusa.tenant', true)
  )`;
  await protect(db, table, own);
}

/** Protects a table whose rows point to a person; that one's own protection decides. */
export async function protectRowsOfPeople(
  db: Kysely<unknown>,
  context: MigrationContext,
  table: string,
): Promise<void> {
  if (context.dialect !== 'postgres') return;
  const person = sql.ref(`${table}.user_id`);
  await protect(db, table, sql`exists (select from users where users.id = ${person})`);
}

async function protect(
  db: Kysely<unknown>,
  table: string,
  own: ReturnType<typeof sql>,
): Promise<void> {
  const name = sql.table(table);
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`alter table ${name} force row level security`.execute(db);
  await sql`
    create policy tenant_rows on ${name}
    using (${own} or (select current_setting('esclusa.tenant', true)) = '*')`.execute(db);
}
