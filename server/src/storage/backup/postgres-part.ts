/**
 * A PostgreSQL database as one archive of `pg_dump`, as it was at one moment. Every row is
 * counted at that moment by ourselves, and again in the archive: row-level security hides rows
 * without a word, and a backup without them would look like any other.
 */
import type pg from 'pg';
import { appliedSchema } from '../engines/postgres/inspection.ts';
import type { AppliedSchema } from '../migrations/compatibility.ts';
import { makePrivate } from '../private-file.ts';
import { countRows, type RowCounts } from './copied-rows.ts';
import { BackupError } from './failure.ts';
import { clientEnvironment, openSession, type PostgresTarget } from './postgres-session.ts';
import { findTool, startTool } from './postgres-tools.ts';
import type { OwnPlace } from './sqlite-part.ts';

export interface PostgresFacts {
  readonly serverVersion: number;
  readonly schemaName: string;
  readonly rows: RowCounts;
  readonly schema: AppliedSchema;
  readonly mark: string | null;
  readonly dedicated: readonly OwnPlace[];
}

export interface Surroundings {
  /** `PATH`, where the clients of PostgreSQL are looked for first. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

const VERSION_STEP = 10_000;
const LOCK_WAIT_MS = 30_000;

export function majorOf(serverVersion: number): number {
  return Math.floor(serverVersion / VERSION_STEP);
}

/** Throws what is in the way; the archive is looked at before it is believed. */
export async function dumpPostgres(
  target: PostgresTarget,
  to: string,
  surroundings: Surroundings,
): Promise<PostgresFacts> {
  const client = await openSession(target);
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    const serverVersion = Number(
      (await ask(client, "select current_setting('server_version_num') as value"))[0]?.value,
    );
    const tool = await findTool('pg_dump', majorOf(serverVersion), surroundings.searchPath);
    await requireReadable(client);
    const snapshot = (await ask(client, 'select pg_export_snapshot() as value'))[0]?.value ?? '';
    const schemaName = (await ask(client, 'select current_schema()::text as value'))[0]?.value;
    const facts = { serverVersion, schemaName: schemaName ?? 'public' };
    makePrivate(to);
    const env = await clientEnvironment(target, surroundings.searchPath);
    const dump = startTool(
      tool,
      dumpWords(facts.schemaName, snapshot, to),
      env,
      surroundings.signal,
    );
    const [rows, about] = await Promise.all([countAll(client), factsOf(client), dump.done]);
    return { ...facts, rows, ...about };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Why an archive does not hold these rows; null: it does. */
export async function faultOfArchive(
  path: string,
  { rows, serverVersion }: Pick<PostgresFacts, 'rows' | 'serverVersion'>,
  surroundings: Surroundings,
): Promise<string | null> {
  const tool = await findTool('pg_restore', majorOf(serverVersion), surroundings.searchPath);
  const env = { PATH: surroundings.searchPath, LC_ALL: 'C' };
  const words = ['--data-only', '--file=-', path];
  const { child, done } = startTool(tool, words, env, surroundings.signal);
  try {
    const found = child.stdout === null ? {} : await countRows(child.stdout);
    await done;
    const tables = new Set([...Object.keys(rows), ...Object.keys(found)]);
    for (const table of tables) {
      const [has, wants] = [found[table] ?? 0, rows[table] ?? 0];
      if (has !== wants) return `${table} has ${has} rows in place of ${wants}`;
    }
    return null;
  } catch (error) {
    if (error instanceof BackupError && error.code === 'backup_tool_failed') {
      return error.details.why ?? 'it cannot be read';
    }
    throw error;
  }
}

function dumpWords(schema: string, snapshot: string, file: string): readonly string[] {
  return [
    ...['--format=custom', '--compress=6', '--no-password', '--enable-row-security'],
    ...['--no-owner', '--no-privileges', '--no-publications', '--no-subscriptions'],
    ...['--no-security-labels', '--no-tablespaces', `--lock-wait-timeout=${LOCK_WAIT_MS}`],
    ...[`--schema="${schema.replaceAll('"', '""')}"`, `--snapshot=${snapshot}`],
    `--file=${file}`,
  ];
}

const OWN_TABLES = `
  select quote_ident(nspname) || '.' || quote_ident(relname) as value
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where nspname = current_schema() and relkind = 'r'
  order by 1`;

/** Rows are read under the role that owns the tables, or one that nothing is hidden from. */
async function requireReadable(client: pg.Client): Promise<void> {
  const tables = await ask(client, OWN_TABLES);
  if (tables.length === 0) {
    throw new BackupError('backup_no_source', { why: 'the database has no tables' });
  }
  const [hidden] = await ask(
    client,
    `select current_user::text as value from pg_class
     where relnamespace = to_regnamespace(current_schema()) and relkind in ('r', 'p')
       and not has_table_privilege(oid, 'select')
     limit 1`,
  );
  if (hidden !== undefined) throw new BackupError('backup_role', { role: hidden.value });
}

async function countAll(client: pg.Client): Promise<RowCounts> {
  const counts: Record<string, number> = {};
  for (const { value: table } of await ask(client, OWN_TABLES)) {
    const [row] = await ask(client, `select count(*)::text as value from only ${table}`);
    counts[table] = Number(row?.value);
  }
  return counts;
}

async function factsOf(client: pg.Client) {
  const marks = await ask(client, "select value from installation where name = 'master_secret'");
  const { rows: dedicated } = await client.query<{ id: string; slug: string; place: string }>(
    'select id, slug, place from tenants where place is not null order by slug',
  );
  return {
    schema: await appliedSchema(client, {
      ...{ has_migrations: true, has_rights: true, has_era: true },
    }),
    mark: marks[0]?.value ?? null,
    dedicated: dedicated.map((row): OwnPlace => ({ ...row, place: JSON.parse(row.place) })),
  };
}

async function ask(client: pg.Client, sql: string): Promise<readonly { readonly value: string }[]> {
  return (await client.query<{ value: string }>(sql)).rows;
}
