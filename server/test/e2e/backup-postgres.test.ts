/**
 * Goal: a copy of an installation on PostgreSQL has the rows of every tenant, also of one with a
 * database of its own, although row-level security hides them; a restore is one transaction.
 * Method: real servers with three roles, the whole program under calls, PostgreSQL's own clients
 * run by the command line.
 */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { afterwards, temporaryFolder } from '../support/afterwards.ts';
import { ask, PRICED, populate, sums } from '../support/backed-up.ts';
import { type CommandEnv, jsonOf, runCommand, startCommand } from '../support/command.ts';
import type { TestGateway } from '../support/gateway.ts';
import { installationOn, load, startOnPostgres } from '../support/postgres-gateway.ts';
import { PostgresServer, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const SECRET = 'a-secret-that-all-who-share-a-database-have';
const RANGES = { DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8' };

function envOf(at: TestDatabase, dataDir: string, more: CommandEnv = {}): CommandEnv {
  return {
    ...RANGES,
    ESCLUSA_DATA_DIR: dataDir,
    ...installationOn(at),
    ...more,
  };
}

function start(
  t: TestContext,
  at: TestDatabase,
  port = 5432,
  folder?: string,
): Promise<TestGateway> {
  return startOnPostgres(t, at, {
    config: PRICED,
    ...(folder !== undefined && { folder }),
    env: { ...RANGES, DB_TENANT_ALLOWED_PORTS: `${port}` },
  });
}

function passwordOf({ owner }: TestDatabase): string {
  return decodeURIComponent(new URL(owner).password);
}

async function moveToOwn(gateway: TestGateway, own: PostgresServer): Promise<string> {
  const url = new URL((await own.createDatabase()).owner);
  const to = {
    ...{ kind: 'postgres', host: url.hostname, port: own.port, ssl: 'disable' },
    ...{ database: url.pathname.slice(1), user: decodeURIComponent(url.username) },
    password: decodeURIComponent(url.password),
  };
  const begun = await gateway.api('POST', '/api/v1/tenants/acme/move', { to });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  await until('the move', async () => {
    const { body } = await gateway.api('GET', '/api/v1/tenants/acme');
    return body.job?.status === 'done';
  });
  return to.database;
}

test('every tenant’s rows come back, in the shared database and in one of its own', async (t) => {
  const own = await PostgresServer.start();
  t.after(() => own.stop());
  const at = await postgres.database();
  const gateway = await start(t, at, own.port);
  const world = await populate(gateway);
  const database = await moveToOwn(gateway, own);
  const body = { model: 'priced', input: 'Hola' };
  const kept = await gateway.api('POST', '/v1/responses', body, world.acme.secret);
  assert.equal(kept.status, 200, JSON.stringify(kept.body));
  const env = envOf(at, join(gateway.folder, 'data'), {
    DB_TENANT_ALLOWED_PORTS: `${own.port}`,
  });
  await until('the ledger', async () => (await sums(env)).get('acme')?.requests === 41);
  let isOver = false;
  const calling = load(
    () => (isOver ? Promise.resolve({ status: 0 }) : ask(gateway, world.other.secret)),
    5000,
    4,
  );

  const made = await jsonOf(['backup', temporaryFolder(t)], env);
  isOver = true;
  await calling;
  await gateway.close();

  assert.equal(made.exitCode, 0, made.text);
  assert.ok(!made.text.includes(passwordOf(at)), 'no password is said');
  const fresh = await postgres.server.createDatabase();
  const folder = temporaryFolder(t);
  const there = envOf(fresh, join(folder, 'data'), { DB_TENANT_ALLOWED_PORTS: `${own.port}` });
  const leftAlone = await jsonOf(['restore', made.body.path], there);
  assert.equal(leftAlone.exitCode, 0, leftAlone.text);
  assert.deepEqual(leftAlone.body.left_alone, ['acme'], 'its database has data');

  const again = await postgres.server.createDatabase();
  await own.query(database, 'drop schema public cascade; create schema public');
  await own.query(database, 'alter schema public owner to esclusa_owner');
  const ownFolder = temporaryFolder(t);
  const anew = envOf(again, join(ownFolder, 'data'), { DB_TENANT_ALLOWED_PORTS: `${own.port}` });
  const restored = await jsonOf(['restore', made.body.path], anew);
  assert.equal(restored.exitCode, 0, restored.text);
  assert.deepEqual(restored.body.left_alone, []);
  const copy = await start(t, again, own.port, ownFolder);
  assert.equal((await ask(copy, world.acme.secret)).status, 200, 'its key is known');
  const response = `/v1/responses/${kept.body.id}`;
  const read = await copy.api('GET', response, undefined, world.acme.secret);
  assert.equal(read.status, 200, 'the login of its database opens');
  const foreign = await copy.api('GET', response, undefined, world.other.secret);
  assert.equal(foreign.status, 404);
  const figures = await sums(anew);
  const innova = figures.get('innova') ?? { requests: 0, cost: 0 };
  assert.ok(innova.requests >= 20 && innova.cost > 0);
  assert.equal(innova.cost % innova.requests, 0, 'every call costs the same');
  assert.equal((await runCommand(['audit', 'verify'], anew)).exitCode, 0);
  const [rights] = await postgres.server.query<{ open: boolean; walls: string }>(
    again.name,
    `select has_function_privilege('public', 'esclusa_make_partitions(bigint, integer)', 'execute')
       as open, (select count(*) from pg_policies)::text as walls`,
  );
  const [before] = await postgres.server.query<{ walls: string }>(
    at.name,
    'select count(*)::text as walls from pg_policies',
  );
  assert.deepEqual(rights, { open: false, walls: before?.walls }, 'rights and walls are as before');
});

test('a tenant’s database that does not answer is named, and no backup is made', async (t) => {
  const own = await PostgresServer.start();
  t.after(() => own.stop());
  const at = await postgres.database();
  const gateway = await start(t, at, own.port);
  await populate(gateway);
  const database = await moveToOwn(gateway, own);
  await own.kill();
  const backups = temporaryFolder(t);

  const refused = await jsonOf(['backup', backups], {
    ...envOf(at, temporaryFolder(t), { DB_TENANT_ALLOWED_PORTS: `${own.port}` }),
  });

  assert.deepEqual([refused.exitCode, refused.code], [1, 'backup_unreachable'], refused.text);
  assert.match(refused.text, new RegExp(`127\\.0\\.0\\.1:${own.port}/${database}.*ECONNREFUSED`));
  assert.doesNotMatch(refused.text, /esclusa_owner|p@ss/);
  assert.deepEqual(readdirSync(backups), []);
});

test('a role that rows or tables are hidden from makes no backup', async (t) => {
  const at = await postgres.database();
  const gateway = await start(t, at);
  await populate(gateway);
  const dataDir = join(gateway.folder, 'data');
  const backups = temporaryFolder(t);

  const refused = await jsonOf(['backup', backups], {
    ...envOf(at, dataDir),
    DATABASE_MIGRATION_URL: at.runtime,
  });

  assert.deepEqual([refused.exitCode, refused.code], [1, 'backup_role'], refused.text);
  assert.match(refused.body.error.message, /esclusa_app .*DATABASE_MIGRATION_URL/);
  assert.deepEqual(readdirSync(backups), []);
});

test('a database with tables is kept under another name, or not touched at all', async (t) => {
  const at = await postgres.database();
  const gateway = await start(t, at);
  const world = await populate(gateway);
  const env = envOf(at, temporaryFolder(t));
  const made = await jsonOf(['backup', temporaryFolder(t)], env);
  assert.equal(made.exitCode, 0, made.text);
  const late = await gateway.key({ tenant: 'acme' });
  const tables = async (schema: string) =>
    (
      await postgres.server.query<{ n: string }>(
        at.name,
        'select count(*)::text as n from pg_tables where schemaname like $1',
        [schema],
      )
    )[0]?.n;

  const running = await jsonOf(['restore', made.body.path, '--replace'], env);
  await gateway.close();
  const refused = await jsonOf(['restore', made.body.path], env);
  const count = await tables('public');
  const archive = join(temporaryFolder(t), 'cut-off');
  cpSync(made.body.path, archive, { recursive: true });
  const dump = join(archive, 'database/main.dump');
  const bytes = readFileSync(dump);
  writeFileSync(dump, bytes.subarray(0, bytes.length - 2000));
  const damaged = await jsonOf(['restore', archive, '--replace'], env);

  assert.equal(running.code, 'restore_in_use', running.text);
  assert.equal(refused.code, 'restore_not_empty', refused.text);
  assert.equal(damaged.code, 'backup_damaged', damaged.text);
  assert.equal(await tables('before_restore_%'), '0');

  const restored = await jsonOf(['restore', made.body.path, '--replace'], env);
  assert.equal(restored.exitCode, 0, restored.text);
  assert.equal(await tables('before_restore_%'), count, 'what was there is there still');
  const again = await start(t, at, 5432, temporaryFolder(t));
  assert.equal((await ask(again, world.acme.secret)).status, 200);
  assert.equal((await ask(again, late.secret)).status, 401, 'it was made after the backup');
});

test('a restore that the database refuses in the middle leaves it as it was', async (t) => {
  const at = await postgres.database();
  const gateway = await start(t, at);
  await populate(gateway);
  const env = envOf(at, temporaryFolder(t));
  const made = await jsonOf(['backup', temporaryFolder(t)], env);
  await gateway.close();
  const fresh = await postgres.server.createDatabase();
  // Policies come last: everything before them has been done by then.
  await postgres.server.query(
    fresh.name,
    `create function public.refuse() returns event_trigger language plpgsql as
       $$ begin raise exception 'no policies here'; end $$;
     create event trigger refuse on ddl_command_end when tag in ('CREATE POLICY')
       execute function public.refuse()`,
  );

  const failed = await jsonOf(['restore', made.body.path], {
    ...envOf(fresh, join(temporaryFolder(t), 'data')),
  });

  assert.equal(failed.code, 'backup_tool_failed', failed.text);
  assert.match(failed.text, /no policies here/);
  const [left] = await postgres.server.query<{ n: string }>(
    fresh.name,
    "select count(*)::text as n from pg_tables where schemaname = 'public'",
  );
  assert.equal(left?.n, '0');
});

for (const [signal, code] of [
  ['SIGTERM', 1],
  ['SIGKILL', null],
] as const) {
  test(`a restore that is ended by ${signal} halfway leaves the database empty`, async (t) => {
    const at = await postgres.database();
    const gateway = await start(t, at);
    await populate(gateway);
    const made = await jsonOf(['backup', temporaryFolder(t)], envOf(at, temporaryFolder(t)));
    const fresh = await postgres.server.createDatabase();
    const query = (sql: string) =>
      postgres.server.query<{ n: string }>(fresh.name, `select count(*)::text as n from ${sql}`);
    const holder = await postgres.server.connect(fresh.name);
    afterwards(t, () => holder.end());
    // Policies come last: the rows are there by then, and wait with the whole transaction.
    await holder.query(
      `create function hold() returns event_trigger language plpgsql as
         $$ begin perform pg_advisory_xact_lock(77); end $$;
       create event trigger hold on ddl_command_end when tag in ('CREATE POLICY')
         execute function hold();
       select pg_advisory_lock(77)`,
    );

    const child = startCommand(
      ['restore', made.body.path],
      envOf(fresh, join(temporaryFolder(t), 'data')),
    );
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const waits = "pg_locks where locktype = 'advisory' and not granted";
    await until('the last step', async () => (await query(waits))[0]?.n === '1', 20_000);
    child.kill(signal);
    await holder.query('select pg_advisory_unlock(77)');

    assert.equal(await gone, code);
    const sessions = "pg_stat_activity where application_name = 'esclusa backup'";
    await until('its end', async () => (await query(sessions))[0]?.n === '0', 20_000);
    const tables = "pg_tables where schemaname = 'public'";
    assert.equal((await query(tables))[0]?.n, '0');
  });
}

test('a backup of one engine is not brought back to the other', async (t) => {
  const at = await postgres.database();
  const gateway = await start(t, at);
  await populate(gateway);
  const env = envOf(at, temporaryFolder(t));
  const made = await jsonOf(['backup', temporaryFolder(t)], env);

  const other = await jsonOf(['restore', made.body.path], {
    ESCLUSA_DATA_DIR: join(gateway.folder, 'file'),
    ESCLUSA_MASTER_SECRET: SECRET,
  });

  assert.deepEqual([other.exitCode, other.code], [1, 'backup_other_engine'], other.text);
});
