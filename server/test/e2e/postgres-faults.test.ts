/**
 * The database fails in every way we know, under traffic, on a real PostgreSQL: chats with
 * known keys go on, nobody is told that a good key is bad, nothing hangs, and nothing that was
 * acknowledged is missing when the database is back, without a restart.
 *
 * Each test lets chats run before, during and after its fault and then counts rows by hand.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { generateSecret } from '../../src/identity/secret.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { TestGateway } from '../support/gateway.ts';
import { chatOnce, startOnPostgres } from '../support/postgres-gateway.ts';
import { ROLES, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const { server } = postgres;

/** A refusal must come within this time, whatever the database does. */
const REFUSED_WITHIN_MS = 5000;
/** What was made anywhere before this time is known here. */
const NOTICED_WITHIN_MS = 3000;
/** Back to work after the fault is over. */
const BACK_WITHIN_MS = 5000;
/** Well formed, so that only the database could say that it is nobody's. */
const UNKNOWN_KEY = generateSecret(systemRandom);

interface Scene {
  readonly gateway: TestGateway;
  readonly database: TestDatabase;
  readonly key: string;
  /** Ids of the chats that were answered with 200. */
  readonly answered: string[];
  /** Lets chats run, a few at once; each must be answered. */
  chats(count: number): Promise<void>;
}

async function scene(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const database = await postgres.database();
  const gateway = await startOnPostgres(t, database, { env });
  const { secret: key } = await gateway.key({ name: 'known' });
  const answered: string[] = [];
  await until('the key to be known', async () => (await chatOnce(gateway, key)).status === 200);
  return {
    ...{ gateway, database, key, answered },
    async chats(count) {
      const all = Array.from({ length: count }, () => chatOnce(gateway, key));
      for (const { status, id } of await Promise.all(all)) {
        assert.equal(status, 200, 'a chat with a known key failed');
        answered.push(id);
      }
    },
  };
}

/** The control plane refuses in time, and says that it is the database and nothing else. */
async function assertRefuses({ gateway }: Scene, path = '/api/v1/keys'): Promise<void> {
  const startedMs = performance.now();
  const { status, body } = await gateway.api('GET', path);
  const tookMs = performance.now() - startedMs;
  assert.deepEqual([status, body.error?.code], [503, 'storage_unavailable'], path);
  assert(tookMs < REFUSED_WITHIN_MS, `${path} was refused after ${Math.round(tookMs)} ms`);
}

/** A key that nobody knows may be a good one: as soon as the outage is noticed it gets 503. */
async function assertUndecided({ gateway }: Scene): Promise<void> {
  await until(
    'an unknown key to be told 503',
    async () => (await chatOnce(gateway, UNKNOWN_KEY)).status === 503,
    NOTICED_WITHIN_MS,
  );
  for (let times = 0; times < 20; times += 1) {
    assert.equal((await chatOnce(gateway, UNKNOWN_KEY)).status, 503);
  }
}

/** Works again by itself, and every chat that was answered is in the ledger, once. */
async function assertWhole({ gateway, database, answered }: Scene): Promise<void> {
  await until(
    'the control plane to work again',
    async () => (await gateway.api('GET', '/api/v1/keys')).status === 200,
    BACK_WITHIN_MS,
  );
  const missing = async () => {
    const rows = await server.query<{ id: string }>(database.name, 'select id from requests');
    const ids = rows.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'an exchange is booked twice');
    return answered.filter((id) => !ids.includes(id));
  };
  await until('all exchanges in the ledger', async () => (await missing()).length === 0, 20_000);
}

test('killed: chats go on, the control plane refuses, nothing is lost, no restart', async (t) => {
  const it = await scene(t);
  await it.chats(20);

  await server.kill();
  await it.chats(50);
  await assertRefuses(it);
  await assertUndecided(it);
  const health = await it.gateway.api('GET', '/api/v1/health/database');
  const all = await it.gateway.api('GET', '/api/v1/health');
  const live = await it.gateway.api('GET', '/health/live');
  await it.chats(50);
  await server.start();

  await it.chats(20);
  await assertWhole(it);
  assert.deepEqual([health.status, all.status, live.status], [503, 503, 200]);
  assert.equal(all.body.status, 'unhealthy');
});

test('frozen: nobody hangs, chats go on, and thawed it works again', async (t) => {
  const it = await scene(t);
  await it.chats(20);

  server.freeze();
  t.after(() => server.thaw());
  await Promise.all([it.chats(50), assertRefuses(it), assertRefuses(it, '/api/v1/requests')]);
  const startedMs = performance.now();
  const health = await it.gateway.api('GET', '/api/v1/health/database');
  const askedMs = performance.now() - startedMs;
  await assertUndecided(it);
  await it.chats(50);
  server.thaw();

  await it.chats(20);
  await assertWhole(it);
  assert.equal(health.status, 503);
  assert(askedMs < 2500, `its health was told after ${Math.round(askedMs)} ms`);
});

test('without connections to give: 503 and never 401, also for keys nobody knows', async (t) => {
  const it = await scene(t);
  t.after(() => server.query('postgres', `alter role ${ROLES.runtime} connection limit -1`));

  await server.query('postgres', `alter role ${ROLES.runtime} connection limit 0`);
  await server.terminateBackends();
  await it.chats(50);
  await assertRefuses(it);
  await assertUndecided(it);
  await server.query('postgres', `alter role ${ROLES.runtime} connection limit -1`);

  await it.chats(20);
  await assertWhole(it);
});

test('full: exchanges wait in the journal, and are counted as waiting', async (t) => {
  const it = await scene(t);
  const raise = "raise exception 'no space left on device' using errcode = '53100'";

  await failInserts(it, raise, 1);
  await it.chats(50);
  const waiting = await until('the lag to be seen', async () => {
    const { body } = await it.gateway.api('GET', '/health/ready');
    return body.degraded.includes('database') && body;
  });
  const metrics = await it.gateway.api('GET', '/metrics');
  await mendInserts(it);

  await assertWhole(it);
  assert.equal(waiting.status, 'degraded');
  assert.match(String(metrics.body), /^esclusa_journal_backlog_bytes [1-9]/m);
});

test('deadlocks and serialization failures, three in ten: nobody sees one', async (t) => {
  const it = await scene(t);
  const conflict = `if random() < 0.5 then raise exception 'deadlock' using errcode = '40P01';
    else raise exception 'serialization' using errcode = '40001'; end if`;

  await failInserts(it, conflict, 0.3);
  await failInserts(it, conflict, 0.3, 'api_keys');
  await it.chats(100);
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, at) =>
      it.gateway.api('POST', '/api/v1/keys', { name: `k${at}` }),
    ),
  );

  await assertWhole(it);
  assert.deepEqual([...new Set(made.map(({ status }) => status))], [201]);
  const rows = await server.query<{ n: number }>(
    it.database.name,
    "select count(*)::int as n from api_keys where name like 'k_%' and name <> 'known'",
  );
  assert.equal(rows[0]?.n, 40);
});

test('slow inserts: chats are as quick as before, and nothing is lost', async (t) => {
  const it = await scene(t);
  await it.chats(20);
  const quick = await durationOf(() => it.chats(20));

  await failInserts(it, 'perform pg_sleep(0.2)', 1);
  const slow = await durationOf(() => it.chats(20));
  await mendInserts(it);

  await assertWhole(it);
  // Far from five seconds, and far above the noise of a busy machine.
  assert(slow < quick + 2000, `20 chats took ${slow} ms, and ${quick} ms before`);
});

test('a locked table: who needs it is refused in time, and nobody else notices', async (t) => {
  const it = await scene(t);
  const locker = await server.connect(it.database.name);
  t.after(() => locker.end());

  await locker.query('begin; lock table requests, api_keys in access exclusive mode');
  await Promise.all([
    it.chats(50),
    assertRefuses(it, '/api/v1/keys'),
    assertRefuses(it, '/api/v1/requests'),
  ]);
  const tenants = await it.gateway.api('GET', '/api/v1/tenants');
  await locker.query('rollback');

  await assertWhole(it);
  assert.equal(tenants.status, 200);
});

test('read-only: reading goes on, writing is refused, exchanges wait', async (t) => {
  const it = await scene(t);
  const readOnly = (value: string) =>
    server.query(
      'postgres',
      `alter database ${it.database.name} set default_transaction_read_only = ${value}`,
    );

  await readOnly('on');
  await server.terminateBackends();
  await it.chats(50);
  const listed = await it.gateway.api('GET', '/api/v1/keys');
  await readOnly('off');
  await server.terminateBackends();

  await assertWhole(it);
  assert.equal(listed.status, 200);
});

test('NUL and lone surrogates in names and prompts do not fail, and are kept', async (t) => {
  const it = await scene(t);
  const odd = 'a\u0000b \ud800 c';

  const chat = await chatOnce(it.gateway, it.key, odd);
  const named = await it.gateway.api('POST', '/api/v1/keys', { name: 'x', models: ['mock'] });
  const wrong = await it.gateway.chat({ model: odd, messages: [] }, it.key);
  await wrong.text();

  it.answered.push(chat.id, wrong.headers.get('x-request-id') ?? '');
  await assertWhole(it);
  const row = await it.gateway.api('GET', `/api/v1/requests/${it.answered.at(-1)}`);
  assert.deepEqual([chat.status, named.status, row.status], [200, 201, 200]);
  assert(wrong.status < 500, `answered with ${wrong.status}`);
});

/** Lets a share of the inserts into a table end as `statement` says. */
async function failInserts(
  { database }: Scene,
  statement: string,
  share: number,
  table = 'requests',
): Promise<void> {
  await server.query(
    database.name,
    `create function fault_${table}() returns trigger language plpgsql as $$ begin
       if random() < ${share} then ${statement}; end if; return new; end $$;
     create trigger fault before insert on ${table}
       for each row execute function fault_${table}()`,
  );
}

async function mendInserts({ database }: Scene): Promise<void> {
  await server.query(database.name, 'drop function fault_requests() cascade');
}

async function durationOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return Math.round(performance.now() - startedMs);
}
