/**
 * The whole program on PostgreSQL: what works on a file works there, under roles that row-level
 * security binds, within the connections the server gives. Real server, real sockets; only the
 * model is the built-in one.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { chatOnce, load, startOnPostgres } from '../support/postgres-gateway.ts';
import { ROLES, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();

const HEALTH = '/api/v1/health/database';

/** Starts and expects not to; answers what was said. */
async function refusal(
  database: Partial<TestDatabase>,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const started = startGateway({ env: { DATABASE_URL: database.runtime ?? '', ...env } });
  const failed: unknown = await started.then(
    (gateway) => gateway.close(),
    (error: unknown) => error,
  );
  assert(failed instanceof Error, 'the start was not refused');
  return failed.message;
}

async function health(gateway: TestGateway) {
  return (await gateway.api('GET', HEALTH)).body;
}

test('keys, exchanges and figures are kept, and are there after a restart', async (t) => {
  const database = await postgres.database();
  const env = { ESCLUSA_MASTER_SECRET: 'a-secret-that-two-starts-of-a-test-have-in-common' };
  const first = await startOnPostgres(t, database, { env });
  const key = await first.key({ name: 'kept' });
  const chat = await chatOnce(first, key.secret);
  const row = await first.api('GET', `/api/v1/requests/${chat.id}`);
  await first.close();

  const second = await startOnPostgres(t, database, { env });
  const again = await chatOnce(second, key.secret);
  const rows = await second.api('GET', '/api/v1/requests?limit=10');
  const usage = await second.api('GET', '/api/v1/usage?by=model');

  assert.deepEqual([chat.status, row.status, again.status], [200, 200, 200]);
  assert.deepEqual(
    rows.body.data.map(({ id }: { id: string }) => id),
    [again.id, chat.id],
  );
  assert.equal(usage.body.data[0].requests, 2);
});

test('two that start at once on an empty database make its tables once', async (t) => {
  const database = await postgres.server.createDatabase();

  const both = await Promise.all([startOnPostgres(t, database), startOnPostgres(t, database)]);
  const chats = await Promise.all(both.map((gateway) => chatOnce(gateway)));
  const [tenants] = await postgres.server.query(
    database.name,
    'select count(*)::int as n from tenants',
  );

  assert.deepEqual(
    chats.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(tenants?.n, 1);
});

test('a key that one process makes or revokes is known to another within 2 s', async (t) => {
  const database = await postgres.database();
  const env = { ESCLUSA_MASTER_SECRET: 'a-secret-that-two-processes-of-a-test-have-in-common' };
  const [one, other] = await Promise.all([
    startOnPostgres(t, database, { env }),
    startOnPostgres(t, database, { env }),
  ]);
  const key = await one.key();

  await until(
    'the key at the other',
    async () => (await chatOnce(other, key.secret)).status === 200,
    2000,
  );
  await one.api('DELETE', `/api/v1/keys/${key.id}`);
  await until(
    'its end there',
    // Who asked too often before it was known is told to wait.
    async () => [401, 429].includes((await chatOnce(other, key.secret)).status),
    2000,
  );
});

test('the database’s health adds up: connection, pool, tables, role', async (t) => {
  const gateway = await startOnPostgres(t, await postgres.database());

  const { status, body } = await gateway.api('GET', HEALTH);
  const anonymous = await fetch(`${gateway.url}${HEALTH}`);
  const all = await gateway.api('GET', '/api/v1/health');

  const { connection, pool, tables, migrations, row_security: rowSecurity } = body.checks;
  assert.deepEqual(
    [status, body.status, body.backend, anonymous.status],
    [200, 'healthy', 'postgres', 401],
  );
  assert.deepEqual([connection.healthy, connection.test_query], [true, 'ok']);
  assert.deepEqual([pool.stats.pool_size, pool.stats.max_overflow, pool.stats.timeout], [4, 2, 1]);
  assert.equal(pool.stats.checked_out + pool.stats.total_available, 6);
  assert.equal(pool.healthy, true);
  assert(tables.count >= 9, `${tables.count} tables`);
  assert.equal(migrations.healthy, true);
  assert.deepEqual([body.role, rowSecurity], [ROLES.runtime, { healthy: true }]);
  assert.equal(all.body.checks.database.backend, 'postgres');
});

test('on a file the same answer has the same shape', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());

  const { status, body } = await gateway.api('GET', HEALTH);

  assert.deepEqual(
    [status, body.status, body.backend, body.role],
    [200, 'healthy', 'sqlite', null],
  );
  const { pool_size: size, checked_out: out, total_available: free } = body.checks.pool.stats;
  assert.equal(out + free, size);
  assert(body.checks.tables.count >= 9);
});

test('1000 questions for its health, 50 at once, are answered, and nothing leaks', async (t) => {
  const gateway = await startOnPostgres(t, await postgres.database());

  const { statuses } = await load(() => gateway.api('GET', HEALTH), 1000, 50);

  assert.deepEqual([...statuses], [[200, 1000]]);
  await until('every connection is back', async () => {
    return (await health(gateway)).checks.pool.stats.checked_out === 0;
  });
});

test('1000 questions to the pool, 50 at once, are answered, and nothing leaks', async (t) => {
  const gateway = await startOnPostgres(t, await postgres.database(), {
    env: { DB_POOL_TIMEOUT: '30' },
  });

  const { statuses } = await load(() => gateway.api('GET', '/api/v1/keys'), 1000, 50);

  assert.deepEqual([...statuses], [[200, 1000]]);
  // The pool serves background work too: what is out at one moment need not be a leak.
  await until('every connection is back', async () => {
    const { stats } = (await health(gateway)).checks.pool;
    const { checked_out: out, overflow, total_available: free, waiting } = stats;
    return out + overflow + waiting === 0 && free === 6;
  });
});

test('all connections are ended, and the next request succeeds', async (t) => {
  const gateway = await startOnPostgres(t, await postgres.database());
  await load(() => gateway.api('GET', '/api/v1/keys'), 20, 5);

  const ended = await postgres.server.terminateBackends();
  const next = await gateway.api('GET', '/api/v1/keys');
  const made = await gateway.api('POST', '/api/v1/keys', { name: 'after' });
  const chat = await chatOnce(gateway);
  const row = await gateway.api('GET', `/api/v1/requests/${chat.id}`);

  assert(ended >= 4, `${ended} connections were ended`);
  assert.deepEqual([next.status, made.status, chat.status, row.status], [200, 201, 200, 200]);
});

test('an exhausted pool answers 503 with a time to come back, and never a 401', async (t) => {
  const database = await postgres.database();
  const gateway = await startOnPostgres(t, database, {
    env: { DB_POOL_SIZE: '2', DB_MAX_OVERFLOW: '0' },
  });
  const locker = await lockTable(t, database, 'tenants');

  // Two hold the pool until their lock times out; the others wait a second and are refused.
  const asking = load(() => gateway.api('GET', '/api/v1/tenants'), 10, 10);
  const isExhausted = async () => {
    const { body } = await gateway.api('GET', '/metrics');
    return /^esclusa_database_pool_exhausted\{pool="hot"\} 1$/m.test(body);
  };
  await until('the pool is told to be exhausted', isExhausted);
  const { statuses } = await asking;
  const refused = await Promise.all([1, 2, 3].map(() => gateway.api('GET', '/api/v1/tenants')));
  await locker.query('rollback');
  const after = await gateway.api('GET', '/api/v1/tenants');

  assert.deepEqual([...statuses.keys()], [503]);
  for (const { body, headers } of refused) {
    assert.equal(body.error.code, 'storage_unavailable');
    assert.notEqual(headers.get('retry-after'), null, JSON.stringify(body));
  }
  assert.equal(after.status, 200);
  const isFree = async () => (await health(gateway)).checks.pool.stats.checked_out === 0;
  await until('all connections to be back', isFree);
  assert.equal(await isExhausted(), false);
});

test('a start that needs more connections than there are is refused with numbers', async () => {
  const database = await postgres.database();

  const message = await refusal(database, {
    ...{ DB_POOL_SIZE: '20', DB_MAX_OVERFLOW: '40', DB_PROCESSES: '8' },
    DB_ANALYTICS_POOL_SIZE: '4',
  });

  assert.match(message, /allows 77 connections \(0\.8 × max_connections 100 − 3 reserved\)/);
  assert.match(message, /8 × \(DB_POOL_SIZE 20 \+ DB_MAX_OVERFLOW 40 \+ 7 of each process\) = 536/);
});

test('production refuses a role that row-level security does not bind', async () => {
  const { owner, name } = await postgres.database();
  const superuser = `postgres://postgres@127.0.0.1:${postgres.server.port}/${name}`;
  const env = { ENVIRONMENT: 'production', ESCLUSA_MASTER_SECRET: 'x'.repeat(40) };

  const asOwner = await refusal({ runtime: owner }, env);
  const asSuperuser = await refusal({ runtime: superuser }, env);

  assert.match(asOwner, /"esclusa_owner" owns the tables, so row-level security does not bind it/);
  assert.match(asSuperuser, /"postgres" is a superuser/);
});

test('a role that may not make tables is told whose address to give', async () => {
  const empty = await postgres.server.createDatabase();

  const message = await refusal(empty, {});

  assert.match(message, /permission denied/);
  assert.match(message, /Set DATABASE_MIGRATION_URL/);
});

async function lockTable(t: TestContext, database: TestDatabase, table: string) {
  const locker = await postgres.server.connect(database.name);
  t.after(() => locker.end());
  await locker.query(`begin; lock table ${table} in access exclusive mode`);
  return locker;
}
