/**
 * Brings an archive back into a PostgreSQL database, as one transaction: what `pg_restore`
 * writes goes through `psql`, and the commit is said only when the archive was read to its end
 * and the server has done all of it: whoever is killed before leaves nothing behind. Rows come
 * before row-level security is switched on, so that nothing is hidden from itself.
 *
 * What is there is never deleted: its schema is given another name, for the operator to drop.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type pg from 'pg';
import { BackupError } from './failure.ts';
import type { PostgresPart } from './manifest.ts';
import { majorOf, type Surroundings } from './postgres-part.ts';
import { clientEnvironment, openSession, type PostgresTarget } from './postgres-session.ts';
import { findTool, startTool } from './postgres-tools.ts';

export interface Destination {
  readonly serverMajor: number;
  /** The schema that has no tables, or whose tables may go. */
  readonly schema: string;
  readonly isEmpty: boolean;
}

const WHOLE = 'all of the archive is here';

/** Looks at a database and changes nothing. Throws `restore_in_use`. */
export async function lookAt(target: PostgresTarget): Promise<Destination> {
  const client = await openSession(target);
  try {
    const { rows } = await client.query<{ version: string; schema: string; tables: string }>(
      `select current_setting('server_version_num') as version, current_schema()::text as schema,
         (select count(*) from pg_class where relnamespace = to_regnamespace(current_schema())
            and relkind in ('r', 'p')) as tables`,
    );
    const { version = '', schema = 'public', tables = '0' } = rows[0] ?? {};
    await requireQuiet(client);
    return { serverMajor: majorOf(Number(version)), schema, isEmpty: Number(tables) === 0 };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function requireQuiet(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select application_name as name from pg_stat_activity
     where datname = current_database() and application_name like 'esclusa %'
       and application_name <> 'esclusa backup' and pid <> pg_backend_pid()
     limit 1`,
  );
  const [other] = rows;
  if (other !== undefined) throw new BackupError('restore_in_use', { where: other.name });
}

/**
 * `aside`: the name that a schema with tables is given. Throws `backup_tool_failed` and
 * `interrupted`, with the database as it was.
 */
export async function restorePostgres(
  target: PostgresTarget,
  archive: { readonly file: string; readonly part: PostgresPart },
  { serverMajor, schema, isEmpty }: Destination,
  aside: string,
  { searchPath, signal }: Surroundings,
): Promise<void> {
  const { file, part } = archive;
  if (part.schema !== schema) {
    throw new BackupError('backup_other_engine', {
      ...{ has: `schema ${part.schema}`, wants: `schema ${schema}` },
    });
  }
  const reading = Math.max(serverMajor, majorOf(part.serverVersion));
  const reader = await findTool('pg_restore', reading, searchPath);
  const writer = await findTool('psql', serverMajor, searchPath);
  const env = await clientEnvironment(target, searchPath);
  const words = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--file=-'];
  const into = startTool(writer, words, { ...env, PSQLRC: '/dev/null' }, signal);
  const from = startTool(
    reader,
    readWords(schema, file),
    { PATH: searchPath, LC_ALL: 'C' },
    signal,
  );
  const { stdin } = into.child;
  if (stdin === null || from.child.stdout === null) throw new Error('the clients have no pipes');
  try {
    stdin.write(isEmpty ? 'begin;\n' : `begin;\n${moveAside(schema, aside)}`);
    from.child.stdout.pipe(stdin, { end: false });
    await Promise.race([
      Promise.all([from.done, once(from.child.stdout, 'end')]),
      endOf(into.done),
    ]);
    stdin.write(
      `\nrevoke execute on all functions in schema ${quoted(schema)} from public;
       select '${WHOLE}';\n`,
    );
    await Promise.race([hears(into.child, WHOLE), endOf(into.done)]);
    stdin.end('commit;\n');
    await into.done;
  } catch (error) {
    from.child.kill();
    stdin.destroy();
    await into.done.catch(() => undefined); // its transaction is over before anybody goes on
    throw error;
  }
}

/** Takes away what was restored into a database that was empty before. Never rejects. */
export async function emptyAgain(target: PostgresTarget, part: PostgresPart): Promise<void> {
  const client = await openSession(target).catch(() => null);
  if (client === null) return;
  try {
    const tables = Object.keys(part.rows).join(', ');
    await client.query(`drop table if exists ${tables} cascade`);
    const { rows } = await client.query<{ name: string }>(
      `select oid::regprocedure::text as name from pg_proc
       where pronamespace = to_regnamespace(current_schema()) and proname like 'esclusa\\_%'`,
    );
    for (const { name } of rows) await client.query(`drop function if exists ${name} cascade`);
  } catch {
    // it is left as it is; the next restore finds it and says so
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Resolves when a client has said so; its output is read to its end. */
function hears({ stdout }: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve) => {
    let heard = '';
    stdout?.on('data', (chunk) => {
      heard = `${heard.slice(-word.length)}${chunk}`;
      if (heard.includes(word)) resolve();
    });
  });
}

/** Ended before it was told to: it has failed, and says why. */
async function endOf(done: Promise<void>): Promise<never> {
  await done;
  throw new BackupError('backup_tool_failed', { tool: 'psql', why: 'it ended too early' });
}

function readWords(schema: string, file: string): readonly string[] {
  return [
    ...['--no-owner', '--no-privileges', '--no-security-labels', '--no-tablespaces'],
    ...['--enable-row-security', `--schema=${schema}`, '--file=-', file],
  ];
}

function moveAside(schema: string, aside: string): string {
  const [old, kept] = [quoted(schema), quoted(aside)];
  return `alter schema ${old} rename to ${kept};\ncreate schema ${old};\n`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
