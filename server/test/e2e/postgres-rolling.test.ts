/**
 * A deployment that rolls forward and back on one PostgreSQL: a newer version migrates while
 * this one serves, and this one starts again on what the newer left. Real server, real sockets.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { afterwards } from '../support/afterwards.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { chatOnce, startOnPostgres } from '../support/postgres-gateway.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();

/** What a version after this one would do, in one transaction as ours are. */
const LATER_MIGRATION = `
  begin;
  create table later_things (id text primary key);
  alter table tenants add column later_colour text not null default 'blue';
  alter table api_keys add column later_note text;
  alter table requests add column later_figure bigint;
  create index later_index on requests (model_id, created_at_ms);
  insert into kysely_migration values ('9999-later', '2030-01-01T00:00:00.000Z');
  commit`;

interface Traffic {
  /** What was answered so far: how often each status, of chats and of the control plane. */
  readonly statuses: Map<string, number>;
  stop(): Promise<void>;
}

/** Chats and keys made, one after the other, until it is stopped. */
function startTraffic(t: TestContext, gateway: TestGateway): Traffic {
  const statuses = new Map<string, number>();
  let isStopped = false;
  const note = (what: string, status: number): void => {
    statuses.set(`${what} ${status}`, (statuses.get(`${what} ${status}`) ?? 0) + 1);
  };
  const loop = async (ask: () => Promise<void>): Promise<void> => {
    while (!isStopped) await ask();
  };
  const loops = [
    loop(async () => note('chat', (await chatOnce(gateway)).status)),
    loop(async () =>
      note('key', (await gateway.api('POST', '/api/v1/keys', { name: 'n' })).status),
    ),
    loop(async () => note('list', (await gateway.api('GET', '/api/v1/requests')).status)),
  ];
  const stop = async (): Promise<void> => {
    isStopped = true;
    await Promise.all(loops);
  };
  afterwards(t, stop);
  return { statuses, stop };
}

test('a newer version migrates while this one serves, and nothing fails', async (t) => {
  const database = await postgres.database();
  const gateway = await startOnPostgres(t, database);
  const traffic = startTraffic(t, gateway);
  const chats = () => traffic.statuses.get('chat 200') ?? 0;
  await until('traffic', () => chats() > 20);

  await asOwner(database, LATER_MIGRATION);
  const before = chats();
  await until('traffic behind the migration', () => chats() > before + 20);
  // Both at once: what a rollback of two instances is.
  const back = await Promise.all([startOnPostgres(t, database), startOnPostgres(t, database)]);
  const answers = await Promise.all(back.map((each) => chatOnce(each)));
  const rows = await Promise.all(
    answers.map(({ id }, at) => back[at]?.api('GET', `/api/v1/requests/${id}`)),
  );
  await traffic.stop();

  assert.deepEqual([...traffic.statuses.keys()].sort(), ['chat 200', 'key 201', 'list 200']);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.deepEqual(
    rows.map((row) => row?.status),
    [200, 200],
  );
  const [applied] = await postgres.server.query(
    database.name,
    "select count(*)::int as n from kysely_migration where name = '9999-later'",
  );
  assert.equal(applied?.n, 1);
});

test('a version that the tables have left behind is refused by name', async (t) => {
  const database = await postgres.database();
  await asOwner(database, LATER_MIGRATION);
  await asOwner(database, "update installation set value = '2' where name = 'schema_era'");

  await assert.rejects(startOnPostgres(t, database), {
    code: 'storage_unavailable',
    message: /newer version \(migration 9999-later\), and of era 2, not 1/,
  });
});

test('a host with another master secret does not start, and is told which variable', async (t) => {
  const database = await postgres.database();
  const first = await startOnPostgres(t, database);
  const key = await first.key();
  const other = { ESCLUSA_MASTER_SECRET: 'another-secret-than-the-one-of-the-database' };

  await assert.rejects(startOnPostgres(t, database, { env: other }), {
    name: 'MasterSecretError',
    message: /^ESCLUSA_MASTER_SECRET .* is not the one this database was made under/,
  });
  const again = await startOnPostgres(t, database);

  assert.equal((await chatOnce(again, key.secret)).status, 200);
});

test('a file whose secret is gone does not start with a new one in its place', async (t) => {
  const first = await startGateway();
  t.after(() => first.close());
  await first.server.close('now');
  const env = { ESCLUSA_MASTER_SECRET: 'another-secret-than-the-one-of-the-database' };

  const second = startGateway({ folder: first.folder, env });

  await assert.rejects(second, { name: 'MasterSecretError', message: /secrets adopt/ });
});

async function asOwner(database: TestDatabase, sql: string): Promise<void> {
  const client = new pg.Client(database.owner);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
