/**
 * What the roles of an installation may do, given by the owner after each migration. Requests
 * run under a role that cannot change the ledger, where another one writes it.
 *
 * Nobody gets rights on a partition: it is reached through its table, whose policies hold.
 */
import { type Kysely, sql } from 'kysely';

export interface GrantedRoles {
  readonly runtime: string;
  /** The same as `runtime` where there is no second role. */
  readonly writer: string;
}

/** Ours among the advisory locks of the database: any number nobody else takes. */
const LOCK = 7_206_311;

/** What only the role that writes the ledger may change. */
const LEDGER_TABLES: readonly string[] = [
  ...['requests', 'names', 'journal_positions', 'usage_days'],
];
const LEDGER_FUNCTIONS: readonly string[] = ['esclusa_make_partitions', 'esclusa_forget_ledger'];
/** What nobody but the owner may change. */
const OWN_TABLES: readonly string[] = ['kysely_migration', 'kysely_migration_lock'];
/** What may be added to and read, and never changed. */
const APPEND_ONLY: readonly string[] = ['audit_log'];

/**
 * Gives the rights again, harmlessly; needs the owner. Roles that are the owner need none. One
 * process at a time: the server refuses to change the same rights twice at once.
 */
export async function grantRights(db: Kysely<unknown>, roles: GrantedRoles): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
    await grantAll(transaction, roles);
  });
}

async function grantAll(db: Kysely<unknown>, roles: GrantedRoles): Promise<void> {
  const owner = await currentRole(db);
  const tables = await tableNames(db);
  for (const role of new Set([roles.runtime, roles.writer])) {
    if (role === owner) continue;
    await sql`grant usage on schema ${sql.id(await currentSchema(db))} to ${sql.id(role)}`.execute(
      db,
    );
    if (role === roles.writer) {
      for (const name of LEDGER_FUNCTIONS) {
        await sql`grant execute on function ${sql.id(name)} to ${sql.id(role)}`.execute(db);
      }
    }
    for (const table of tables) {
      const rights = rightsOn(table, role === roles.writer);
      await sql`grant ${sql.raw(rights)} on ${sql.id(table)} to ${sql.id(role)}`.execute(db);
    }
  }
}

function rightsOn(table: string, isWriter: boolean): string {
  if (OWN_TABLES.includes(table)) return 'select';
  if (LEDGER_TABLES.includes(table) && !isWriter) return 'select';
  return APPEND_ONLY.includes(table) ? 'select, insert' : 'select, insert, update, delete';
}

async function tableNames(db: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_class
    where relnamespace = to_regnamespace(current_schema()) and relkind in ('r', 'p')
      and not relispartition
    order by relname`.execute(db);
  return rows.map(({ name }) => name);
}

async function currentRole(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ role: string }>`select current_user::text as role`.execute(db);
  return rows[0]?.role ?? '';
}

async function currentSchema(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_schema()::text as name`.execute(db);
  return rows[0]?.name ?? 'public';
}
