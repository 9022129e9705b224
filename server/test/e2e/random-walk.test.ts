/**
 * Goal: whatever the people and programs of two tenants call, nobody sees or changes a row of
 * the other tenant, also where every filter of the program's own was forgotten.
 * Method: random calls over all operations of the program's own reference, on both engines; on
 * PostgreSQL as the runtime role. The seed of a walk stands in what fails.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { ROLES, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { type Operation, operationsOf } from '../support/random-walk/operations.ts';
import { createTenantSide, type TenantSide } from '../support/random-walk/tenant-side.ts';
import { type WalkReport, walk } from '../support/random-walk/walk.ts';
import { withoutFilters } from '../support/random-walk/without-filters.ts';

const postgres = await postgresForFile();
const CONFIG = { config: { capture: { enabled: true } } };
const SEED = Math.floor(Math.random() * 2 ** 31);

type Query = (sql: string) => Promise<readonly unknown[]>;

/** Rows that name a tenant, of every table there is. */
async function rowsOf(query: Query, tables: readonly string[], slug: string): Promise<string> {
  const rows: unknown[] = [];
  for (const table of tables) {
    const own = table === 'requests' || table === 'usage_days' ? 'tenant_id' : 'tenant';
    const named = `(select id from names where text = '${slug}')`;
    const value = own === 'tenant' ? `'${slug}'` : named;
    rows.push(table, await query(`select * from ${table} where ${own} = ${value} order by 1, 2`));
  }
  return JSON.stringify(rows, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
}

/** What was acknowledged is written a little later: the last exchange is waited for. */
function settled(gateway: TestGateway, query: Query, tables: readonly string[]) {
  return async ({ slug, ids }: TenantSide): Promise<string> => {
    const last = [...(ids.get('/api/v1/requests') ?? [])].at(-1);
    await gateway.api('GET', `/api/v1/requests/${last ?? ''}`);
    return rowsOf(query, tables, slug);
  };
}

async function walkOver(
  gateway: TestGateway,
  query: Query,
  tables: readonly string[],
  steps: number,
  isWalked: (operation: Operation) => boolean = () => true,
): Promise<WalkReport> {
  assert.ok(tables.length >= 8, `only ${tables.length} tables have rows of tenants`);
  const sides = [
    await createTenantSide(gateway, 'acme', 'marca-7f31d', ADMIN_KEY),
    await createTenantSide(gateway, 'globex', 'signo-b25c9', ADMIN_KEY),
  ] as const;
  const operations = (await operationsOf(gateway)).filter(isWalked);
  const read = settled(gateway, query, tables);
  const { url } = gateway;
  const report = await walk({ url, operations, sides, seed: SEED, steps, rowsOf: read });
  const names = operations.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual([...report.walked].sort(), names.sort());
  assert.ok(report.successes > report.calls / 5, `${report.successes} of ${report.calls} did work`);
  return report;
}

function clean({ violations, calls }: WalkReport): void {
  const shown = violations.slice(0, 10).join('\n');
  assert.equal(violations.length, 0, `seed ${SEED}, ${calls} calls:\n${shown}`);
}

function onSqlite(gateway: TestGateway, t: TestContext) {
  const file = join(gateway.folder, 'data', 'esclusa.sqlite');
  const db = new DatabaseSync(file, { readOnly: true });
  t.after(() => db.close());
  const query: Query = async (sql) => db.prepare(sql).all();
  const tables = db
    .prepare(
      `select distinct m.name from sqlite_schema m join pragma_table_info(m.name) c
       where m.type = 'table' and c.name in ('tenant', 'tenant_id') order by 1`,
    )
    .all()
    .map(({ name }) => String(name));
  return { query, tables };
}

async function onPostgres(at: TestDatabase) {
  const query: Query = (sql) => postgres.server.query(at.name, sql);
  const found = await postgres.server.query<{ name: string }>(
    at.name,
    `select distinct c.relname as name from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attname in ('tenant', 'tenant_id')
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition order by 1`,
  );
  return { query, tables: found.map(({ name }) => name) };
}

test('on SQLite a random walk never meets the other tenant', async (t) => {
  const gateway = await startGateway(CONFIG);
  t.after(() => gateway.close());
  const { query, tables } = onSqlite(gateway, t);

  clean(await walkOver(gateway, query, tables, 100));
});

test('on PostgreSQL a random walk never meets the other tenant', async (t) => {
  const at = await postgres.database();
  const gateway = await startOnPostgres(t, at, CONFIG);
  const { query, tables } = await onPostgres(at);

  clean(await walkOver(gateway, query, tables, 100));
});

test('with every filter of the program forgotten, row-level security stands alone', async (t) => {
  const at = await postgres.database();
  const gateway = await startOnPostgres(t, at, CONFIG);
  const { query, tables } = await onPostgres(at);
  const forgotten = withoutFilters(t);

  const report = await walkOver(gateway, query, tables, 0);

  clean(report);
  assert.ok(forgotten() > 100, `only ${forgotten()} filters were taken out`);
});

test('the same walk does meet it under a role that row-level security does not bind', async (t) => {
  const at = await postgres.database();
  const role = `careless_${at.name}`;
  await postgres.server.query(
    'postgres',
    `create role ${role} login bypassrls password 'careless' in role ${ROLES.runtime}`,
  );
  const runtime = at.runtime.replace(/\/\/[^@]+@/, `//${role}:careless@`);
  const gateway = await startOnPostgres(t, { ...at, runtime }, CONFIG);
  const { query, tables } = await onPostgres(at);
  withoutFilters(t);

  // Nobody takes the other's callers away, and each list is asked for so often, with so many
  // filters of its own, that some of the questions are for all there is.
  const lists = ['keys', 'users', 'requests', 'audit'].map((name) => `/api/v1/${name}`);
  const isWalked = ({ method, path }: Operation) =>
    method === 'GET' ? lists.includes(path) : path === '/v1/chat/completions';

  const { violations } = await walkOver(gateway, query, tables, 800, isWalked);

  for (const path of lists) {
    const isSeen = violations.some((text) => text.includes(`GET ${path}`));
    assert.ok(isSeen, `seed ${SEED}: nothing was seen of ${path}`);
  }
});
