/**
 * A tenant with a database of its own, over the whole program and a real PostgreSQL: its rows
 * lie there and nowhere else, also while it is down; where it lies is not asked for every time.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OUR_TABLES } from '../../src/storage/engines/postgres/destroying.ts';
import type { NewKey, TestGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { PostgresServer, ROLES, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const MARK = 'canario-7f3a';

interface World {
  readonly gateway: TestGateway;
  readonly at: TestDatabase;
  readonly own: PostgresServer;
  readonly database: Readonly<Record<string, unknown>>;
}

/** Two tenants; `own` is a server of its own for the one that will move. */
async function setUp(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<World> {
  const own = await PostgresServer.start();
  t.after(() => own.stop());
  const at = await postgres.database();
  const gateway = await startOnPostgres(t, at, {
    config: { capture: { enabled: true } },
    env: {
      DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8',
      DB_TENANT_ALLOWED_PORTS: `${own.port},${postgres.server.port}`,
      ...env,
    },
  });
  for (const slug of ['acme', 'innova']) {
    const made = await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
    assert.equal(made.status, 201);
  }
  const url = new URL((await own.createDatabase()).owner);
  const database = {
    ...{ host: url.hostname, port: own.port, database: url.pathname.slice(1), ssl: 'disable' },
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return { gateway, at, own, database };
}

/** Runs a model and keeps the response; the captured bodies hold the mark. */
async function respond(gateway: TestGateway, key: string) {
  const answer = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', input: MARK }),
  });
  const body = (await answer.json()) as { readonly id?: string };
  return { status: answer.status, id: body.id ?? '', request: answer.headers.get('x-request-id') };
}

async function counts(server: PostgresServer, database: string, tenant: string) {
  const count = async (table: string) =>
    Number(
      (
        await server.query<{ n: string }>(
          database,
          `select count(*) as n from ${table} where tenant = $1`,
          [tenant],
        )
      )[0]?.n,
    );
  return { bodies: await count('bodies'), responses: await count('responses') };
}

async function move(gateway: TestGateway, slug: string, to: unknown): Promise<void> {
  const begun = await gateway.api('POST', `/api/v1/tenants/${slug}/move`, { to });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const state = async () => (await gateway.api('GET', `/api/v1/tenants/${slug}`)).body.job;
  await until('the move to end', async () => (await state()).status !== 'running', 20_000);
  assert.deepEqual([(await state()).status, (await state()).error], ['done', null]);
}

function keyOf(gateway: TestGateway, tenant: string, more: NewKey = {}) {
  return gateway.key({ tenant, ...more });
}

test('a tenant moves to a database of its own and back; rows never cross', async (t) => {
  const { gateway, at, own, database } = await setUp(t);
  const name = String(database.database);
  const acme = await keyOf(gateway, 'acme');
  const innova = await keyOf(gateway, 'innova');
  const before = await respond(gateway, innova.secret);
  await respond(gateway, acme.secret);
  const read = (id: string, key: string) =>
    gateway.api('GET', `/v1/responses/${id}`, undefined, key);
  const detail = (id: string | null) => gateway.api('GET', `/api/v1/requests/${id}`);
  await until(
    'bodies',
    async () => (await counts(postgres.server, at.name, 'innova')).bodies === 1,
  );

  await move(gateway, 'innova', { kind: 'postgres', ...database });
  const after = await respond(gateway, innova.secret);
  await detail(after.request);

  assert.deepEqual(await counts(postgres.server, at.name, 'innova'), { bodies: 0, responses: 0 });
  assert.deepEqual(await counts(own, name, 'innova'), { bodies: 2, responses: 2 });
  assert.deepEqual(await counts(own, name, 'acme'), { bodies: 0, responses: 0 });
  for (const { id, request } of [before, after]) {
    assert.equal((await read(id, innova.secret)).status, 200);
    assert.equal((await read(id, acme.secret)).status, 404);
    assert.match(JSON.stringify((await detail(request)).body), new RegExp(MARK));
  }
  const shown = await gateway.api('GET', '/api/v1/tenants/innova');
  assert.equal(shown.body.database.kind, 'postgres');
  assert.doesNotMatch(JSON.stringify(shown.body), /p@ss|password|sealed|esclusa_owner/);
  const [row] = await postgres.server.query<{ place: string }>(
    at.name,
    "select place from tenants where slug = 'innova'",
  );
  assert.doesNotMatch(row?.place ?? '', /p@ss|esclusa_owner/);

  await move(gateway, 'innova', { kind: 'shared' });
  assert.deepEqual(await counts(postgres.server, at.name, 'innova'), { bodies: 2, responses: 2 });
  assert.deepEqual(await counts(own, name, 'innova'), { bodies: 0, responses: 0 });
  assert.equal((await read(before.id, innova.secret)).status, 200);
});

test('while a tenant’s database is down it gets 503, others go on, nothing crosses', async (t) => {
  const { gateway, at, own, database } = await setUp(t);
  const acme = await keyOf(gateway, 'acme');
  const innova = await keyOf(gateway, 'innova');
  await move(gateway, 'innova', { kind: 'postgres', ...database });
  const kept = await respond(gateway, innova.secret);
  assert.equal(kept.status, 200);

  await own.kill();
  await until('the outage', async () => (await respond(gateway, innova.secret)).status === 503);
  const refused = await respond(gateway, innova.secret);
  const read = await gateway.api('GET', `/v1/responses/${kept.id}`, undefined, innova.secret);
  const other = await respond(gateway, acme.secret);
  const chat = await gateway.chat(
    { model: 'mock', messages: [{ role: 'user', content: MARK }] },
    innova.secret,
  );

  assert.deepEqual([refused.status, read.status], [503, 503]);
  assert.deepEqual([other.status, chat.status], [200, 200]);
  assert.deepEqual(await counts(postgres.server, at.name, 'innova'), { bodies: 0, responses: 0 });

  await own.start();
  await until('the database', async () => (await respond(gateway, innova.secret)).status === 200);
  const again = await gateway.api('GET', `/v1/responses/${kept.id}`, undefined, innova.secret);
  assert.equal(again.status, 200);
  assert.deepEqual(await counts(postgres.server, at.name, 'innova'), { bodies: 0, responses: 0 });
});

for (const flags of ['true', 'false']) {
  test(`1000 questions ask once where a tenant lies, with both flags ${flags}`, async (t) => {
    const env = { ENABLE_REDIS_CACHE: flags, ENABLE_CONNECTION_POOLING: flags };
    const { gateway, at, own, database } = await setUp(t, env);
    await move(gateway, 'innova', { kind: 'postgres', ...database });
    const innova = await keyOf(gateway, 'innova');
    const { id } = await respond(gateway, innova.secret);
    const second = await startOnPostgres(t, at, {
      env: {
        DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8',
        DB_TENANT_ALLOWED_PORTS: String(own.port),
        ...env,
      },
      folder: gateway.folder,
    });
    const read = (from: TestGateway) => statusOf(from, id, innova.secret);
    await until('the other process', async () => (await read(second)) === 200);
    const asked = async () =>
      Number(
        /esclusa_tenant_routes_total\{result="read"\} (\d+)/.exec(await metrics(gateway))?.[1],
      );
    const before = await asked();

    const total = 1000;
    for (let at = 0; at < total; at += 20) {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => read(gateway)));
      assert.deepEqual(new Set(statuses), new Set([200]));
    }

    assert.ok((await asked()) - before <= total * 0.2, `${await asked()} after ${before}`);
    await move(gateway, 'innova', { kind: 'shared' });
    const startedMs = performance.now();
    await until('the change there', async () => (await read(second)) === 200, 5000);
    assert.ok(performance.now() - startedMs < 5000);
  });
}

async function statusOf(gateway: TestGateway, id: string, key: string): Promise<number> {
  return (await gateway.api('GET', `/v1/responses/${id}`, undefined, key)).status;
}

async function metrics(gateway: TestGateway): Promise<string> {
  return (await gateway.api('GET', '/metrics')).body as string;
}

test('addresses inside are refused unless the operator allows them', async (t) => {
  const { gateway, database, own } = await setUp(t, { DB_TENANT_ALLOWED_RANGES: '10.9.0.0/16' });
  const tried = async (changes: object) => {
    const body = { ...database, ...changes };
    const answer = await gateway.api('POST', '/api/v1/tenants/innova/database/test', body);
    return answer.status === 200 ? answer.body.healthy : answer.status;
  };

  for (const host of [
    ...['127.0.0.1', '169.254.169.254', '[::1]', '::ffff:10.0.0.1', '0x7f.1', '2130706433'],
    ...['a@b', 'x#y', 'x\\y', '/var/run/postgresql', '127.0.0.1:80', '10.0.0.1'],
  ]) {
    assert.equal(await tried({ host }), 400, host);
  }
  assert.equal(await tried({ host: 'acme.example', port: 6379 }), 400);
  // A name is judged by what it resolves to, when it is called.
  const named = await gateway.api('POST', '/api/v1/tenants/innova/database/test', {
    ...{ ...database, host: 'localhost', port: own.port },
  });
  assert.equal(named.body.healthy, false);
  assert.match(named.body.error, /not allowed/);
  assert.doesNotMatch(JSON.stringify(named.body), /p@ss/);
});

test('a database that can be used says so, and the shared one is nobody’s own', async (t) => {
  const { gateway, at, database } = await setUp(t);
  const shared = { ...database, port: postgres.server.port, database: at.name };

  const usable = await gateway.api('POST', '/api/v1/tenants/innova/database/test', database);
  const wrong = { ...database, password: 'not-this-one' };
  const refused = await gateway.api('POST', '/api/v1/tenants/innova/database/test', {
    ...{ ...wrong, database: 'missing' },
  });
  const to = { kind: 'postgres', ...shared };
  const begun = await gateway.api('POST', '/api/v1/tenants/innova/move', { to });
  const job = async () => (await gateway.api('GET', '/api/v1/tenants/innova')).body.job;
  await until('the move to end', async () => (await job()).status !== 'running');

  assert.deepEqual([usable.body.healthy, usable.body.prepared], [true, false]);
  assert.equal(refused.body.healthy, false);
  assert.equal(begun.status, 202);
  assert.equal((await job()).status, 'failed');
  assert.match((await job()).error, /belongs to an installation/);
  const key = await keyOf(gateway, 'innova');
  assert.equal((await respond(gateway, key.secret)).status, 200);
});

/** An empty database on the server of the shared one, as a tenant's own. */
async function databaseBeside() {
  const url = new URL((await postgres.server.createDatabase()).owner);
  return {
    ...{ host: url.hostname, port: postgres.server.port, database: url.pathname.slice(1) },
    ...{ user: url.username, password: decodeURIComponent(url.password), ssl: 'disable' },
  };
}

test('the start counts databases of tenants on the same server', async (t) => {
  const at = await postgres.database();
  const allowed = {
    DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8',
    DB_TENANT_ALLOWED_PORTS: `${postgres.server.port}`,
  };
  const first = await startOnPostgres(t, at, { env: allowed });
  await first.api('POST', '/api/v1/tenants', { slug: 'innova', name: 'Innova' });
  await move(first, 'innova', { kind: 'postgres', ...(await databaseBeside()) });
  await first.close();
  const sizes = { DB_POOL_SIZE: '55', DB_MAX_OVERFLOW: '10', DB_ANALYTICS_POOL_SIZE: '4' };

  // 72 of the 77 that may be opened fit alone; with the tenant's 3 + 2 + 1 they are 78.
  const crowded = startOnPostgres(t, at, { env: sizes });
  await assert.rejects(crowded, /\+ 6 to other databases of ours there\) = 78 may be opened/);
  const fits = await startOnPostgres(t, at, { env: { ...sizes, DB_POOL_SIZE: '54' } });

  assert.equal((await fits.api('GET', '/health/ready')).status, 200);
});

test('a tenant’s server is judged for all processes and all that lies there', async (t) => {
  const at = await postgres.database();
  const start = (processes: number) =>
    startOnPostgres(t, at, {
      env: {
        ...{ DB_PROCESSES: `${processes}`, DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '0' },
        ...{ DB_ANALYTICS_POOL_SIZE: '1', DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8' },
        DB_TENANT_ALLOWED_PORTS: `${postgres.server.port}`,
      },
    });
  const gateway = await start(6);
  await gateway.api('POST', '/api/v1/tenants', { slug: 'innova', name: 'Innova' });
  const path = '/api/v1/tenants/innova/database/test';

  // Beside the shared one, which may take 1 + 0 + 1 + 3 of each process.
  const { body } = await gateway.api('POST', path, await databaseBeside());

  assert.equal(body.healthy, true, body.error);
  const more = await start(7);
  const crowded = (await more.api('POST', path, await databaseBeside())).body;
  assert.equal(crowded.healthy, false);
  assert.match(crowded.error, /7 × \(DB_TENANT_POOL_SIZE 3 \+ DB_TENANT_MAX_OVERFLOW 2 \+ 2 of/);
  assert.match(crowded.error, /\+ 5 to other databases of ours there\) = 84 may be opened/);
});

async function tablesOf(server: PostgresServer, database: string): Promise<readonly string[]> {
  const rows = await server.query<{ name: string }>(
    database,
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
     and relkind in ('r', 'p') and not relispartition order by relname`,
  );
  return rows.map(({ name }) => name);
}

async function erase(gateway: TestGateway, slug: string): Promise<void> {
  const begun = await gateway.api('DELETE', `/api/v1/tenants/${slug}`);
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const job = async () => (await gateway.api('GET', `/api/v1/tenants/${slug}`)).body.job;
  await until('the erasure to end', async () => (await job()).status === 'done', 20_000);
}

test('an erased tenant leaves its database empty, but for what never was ours', async (t) => {
  const { gateway, own, database } = await setUp(t);
  const name = String(database.database);
  await move(gateway, 'innova', { kind: 'postgres', ...database });
  const innova = await keyOf(gateway, 'innova');
  assert.equal((await respond(gateway, innova.secret)).status, 200);
  assert.deepEqual(await tablesOf(own, name), [...OUR_TABLES].sort());
  const owner = `set role ${ROLES.owner}; `;
  await own.query(name, `${owner} create table somebody_elses as select 1 as kept`);

  await erase(gateway, 'innova');

  assert.deepEqual(await tablesOf(own, name), ['somebody_elses']);
});

test('a database has one tenant: another is refused, and would lose nothing', async (t) => {
  const { gateway, own, database } = await setUp(t);
  const name = String(database.database);
  await move(gateway, 'innova', { kind: 'postgres', ...database });
  const innova = await keyOf(gateway, 'innova');
  const to = { kind: 'postgres', ...database };
  const job = async () => (await gateway.api('GET', '/api/v1/tenants/acme')).body.job;

  await gateway.api('POST', '/api/v1/tenants/acme/move', { to });
  await until('the move to end', async () => (await job()).status !== 'running');
  // As it may stand since before that was refused.
  await own.query(name, "insert into data_homes (tenant, state) values ('acme', 'open')");
  await own.query(name, "insert into bodies values ('req_x', 'acme', 0, null, 0, null, 0)");
  const kept = await respond(gateway, innova.secret);
  await erase(gateway, 'innova');

  assert.match((await job()).error, /to another tenant/);
  assert.equal(kept.status, 200);
  assert.deepEqual(await counts(own, name, 'innova'), { bodies: 0, responses: 0 });
  assert.deepEqual(await counts(own, name, 'acme'), { bodies: 1, responses: 0 });
});
