/**
 * Goal: behind a PgBouncer that lends connections for one transaction each, nothing is mixed up
 * and nothing waits longer than without it.
 * Method: the whole program, a real PgBouncer with two connections, a real PostgreSQL. Where no
 * PgBouncer is installed only the settings are tested.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TestGateway } from '../support/gateway.ts';
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { chatOnce, startOnPostgres } from '../support/postgres-gateway.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';

const postgres = await postgresForFile();
const program = findPgBouncer();
const without = { skip: program === null && 'PgBouncer is not installed' };
const CONNECTIONS = 2;

interface World {
  readonly gateway: TestGateway;
  readonly at: TestDatabase;
}

/** More would be wanted than the server has, were it not for the pooler. */
async function setUp(t: TestContext): Promise<World> {
  assert.ok(program !== null);
  const at = await postgres.database();
  const port = await startPgBouncer(t, program, postgres.server.port, CONNECTIONS);
  const gateway = await startOnPostgres(t, at, {
    env: {
      ...{ DB_POOLER: 'transaction', DB_POOL_SIZE: '30', DB_MAX_OVERFLOW: '30' },
      ...{ DB_PROCESSES: '12', DB_POOL_TIMEOUT: '10' },
      DATABASE_URL: at.runtime.replace(`:${postgres.server.port}/`, `:${port}/`),
    },
  });
  return { gateway, at };
}

test('tenants are kept apart over two connections that all share', without, async (t) => {
  const { gateway, at } = await setUp(t);
  const slugs = ['acme', 'globex', 'initech'];
  const admins = await Promise.all(
    slugs.map(async (slug) => {
      await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
      return (await gateway.key({ tenant: slug, role: 'admin' })).secret;
    }),
  );

  const asked = Array.from({ length: 90 }, async (_, at) => {
    const which = at % slugs.length;
    const answer = await gateway.api('GET', '/api/v1/keys', undefined, admins[which]);
    const tenants = answer.body.data.map(({ tenant }: { tenant: string }) => tenant);
    return [answer.status, slugs[which], ...new Set(tenants)];
  });
  const answers = await Promise.all(asked);
  const [open] = await postgres.server.query<{ count: number }>(
    'postgres',
    `select count(*)::int as count from pg_stat_activity
     where datname = $1 and usename = 'esclusa_app'`,
    [at.name],
  );

  for (const [status, slug, ...tenants] of answers) {
    assert.equal(status, 200);
    assert.deepEqual(tenants, [slug]);
  }
  assert.ok((open?.count ?? 99) <= CONNECTIONS, `${open?.count} connections`);
  const { status, id } = await chatOnce(gateway);
  assert.equal(status, 200);
  assert.equal((await gateway.api('GET', `/api/v1/requests/${id}`)).status, 200);
  assert.equal((await gateway.api('GET', '/api/v1/health/database')).status, 200);
});

test('who waits for a lock is told within the bound, which no session had', without, async (t) => {
  const { gateway, at } = await setUp(t);
  const holder = await postgres.server.connect(at.name);
  t.after(() => holder.end());
  await holder.query('begin');
  await holder.query('lock table invitations in access exclusive mode');

  const invite = () => gateway.api('POST', '/api/v1/users/invitations', {});
  const refused = await invite();
  await holder.query('rollback');

  assert.equal(refused.status, 503);
  assert.equal((await invite()).status, 201);
});

test('the owner of the tables and the writer must go past the pooler', async (t) => {
  const at = await postgres.database();
  const start = (env: Record<string, string>) =>
    startOnPostgres(t, at, { env: { DB_POOLER: 'transaction', ...env } });

  await assert.rejects(start({}), /DATABASE_MIGRATION_URL.*past the pooler/s);
  await assert.rejects(start({ DB_POOLER: 'session' }), /DB_POOLER.*"session" is not accepted/s);
});
