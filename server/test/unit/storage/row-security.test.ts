/**
 * The second wall between tenants, on a real PostgreSQL under the role that requests run under:
 * with the application's own filter taken away, rows of another tenant are still not seen, not
 * changed and not written. Also what holds for tables that come later.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { ROLES, type TestDatabase } from '../../support/postgres-server.ts';
import { postgresForFile } from '../../support/postgres-storage.ts';
import { ledgerEntry } from '../../support/storage.ts';
import { tenantRecord } from '../../support/tenant-record.ts';

const postgres = await postgresForFile();
const bytes = (text: string) => new TextEncoder().encode(text);

/** Two tenants with one row each in every table that holds tenants' rows. */
async function twoTenants(t: TestContext): Promise<TestDatabase> {
  const at = await postgres.database();
  const storage = await postgres.openStorage(t, { at });
  for (const tenant of ['acme', 'other']) {
    const own = { tenant, createdAtMs: 1_700_000_000_000 };
    await storage.tenants.insert(tenantRecord(tenant));
    await storage.keys.insert({
      ...{ ...own, id: `key_${tenant}`, name: tenant, hint: 'esk_', secretHash: tenant },
      ...{ role: 'service', models: null, limits: {}, budget: null },
      ...{ expiresAtMs: null, revokedAtMs: null, scopes: null, addresses: null },
      cacheUse: 'default',
      ...{ previousHash: null, previousUntilMs: null },
    });
    const entry = ledgerEntry({ tenant });
    await storage.ledger.append(entry);
    await storage.ledgerQueries.get(entry.id, tenant);
    const body = { bytes: bytes(tenant), truncated: false };
    storage.bodies.keep({ ...own, requestId: `req_${tenant}`, request: body, response: null });
    await storage.bodies.get(`req_${tenant}`, tenant);
    await storage.responses.insert({
      ...{ ...own, id: `resp_${tenant}`, keyId: `key_${tenant}`, previousId: null },
      ...{ input: bytes('[]'), response: bytes('{}') },
    });
  }
  return at;
}

/** A transaction of the runtime role, with the tenant set as the engine sets it. */
async function asTenant<T>(
  url: string,
  tenant: string | null,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    if (tenant !== null)
      await client.query("select set_config('esclusa.tenant', $1, true)", [tenant]);
    return await work(client);
  } finally {
    await client.end();
  }
}

const SEEN = {
  tenants: 'select slug as tenant from tenants',
  api_keys: 'select tenant from api_keys',
  requests: 'select names.text as tenant from requests join names on names.id = tenant_id',
  bodies: 'select tenant from bodies',
  responses: 'select tenant from responses',
};

test('without any filter a tenant’s transaction sees its own rows and no others', async (t) => {
  const { runtime } = await twoTenants(t);

  for (const [table, sql] of Object.entries(SEEN)) {
    const seen = await asTenant(runtime, 'acme', (client) => client.query(sql));
    assert.deepEqual(seen.rows, [{ tenant: 'acme' }], table);
  }
});

test('a transaction that names no tenant sees nothing, one that names all sees all', async (t) => {
  const { runtime } = await twoTenants(t);

  for (const [table, sql] of Object.entries(SEEN)) {
    const nobody = await asTenant(runtime, null, (client) => client.query(sql));
    const all = await asTenant(runtime, '*', (client) => client.query(sql));
    assert.equal(nobody.rows.length, 0, table);
    assert.equal(all.rows.length, table === 'tenants' ? 3 : 2, table);
  }
});

test('the name of a tenant ends with its transaction', async (t) => {
  const { runtime } = await twoTenants(t);

  const after = await asTenant(runtime, 'acme', async (client) => {
    await client.query('commit');
    return client.query(SEEN.api_keys);
  });

  assert.equal(after.rows.length, 0);
});

test('rows of another tenant are neither changed, nor deleted, nor written', async (t) => {
  const { runtime } = await twoTenants(t);

  const changed = await asTenant(runtime, 'acme', async (client) => {
    const update = await client.query("update api_keys set role = 'admin' where id = 'key_other'");
    const deletion = await client.query('delete from responses');
    return [update.rowCount, deletion.rowCount];
  });
  const forged = asTenant(runtime, 'acme', (client) =>
    client.query("insert into bodies values ('req_x', 'other', 0, null, 0, null, 0)"),
  );

  assert.deepEqual(changed, [0, 1]);
  await assert.rejects(forged, /row-level security policy/);
});

test('the role of requests can add nothing to the ledger and take nothing from it', async (t) => {
  const { runtime } = await twoTenants(t);

  for (const sql of [
    'delete from requests',
    'update requests set cost_nanousd = 0',
    "insert into names (text) values ('x')",
    'delete from audit_log',
    'select * from requests_default',
    'alter table requests disable row level security',
  ]) {
    const tried = asTenant(runtime, '*', (client) => client.query(sql));
    await assert.rejects(tried, /permission denied|must be owner/, sql);
  }
});

test('the owner of the tables is bound, too', async (t) => {
  const { owner } = await twoTenants(t);

  const seen = await asTenant(owner, 'acme', (client) => client.query(SEEN.api_keys));

  assert.deepEqual(seen.rows, [{ tenant: 'acme' }]);
});

test('every table that names a tenant is protected, every text sorts by its bytes', async () => {
  const { name } = await postgres.database();

  const open = await postgres.server.query(
    name,
    `select distinct c.relname::text as table from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attname in ('tenant', 'tenant_id')
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition and not (c.relrowsecurity and c.relforcerowsecurity)`,
  );
  const sorted = await postgres.server.query(
    name,
    `select c.relname::text || '.' || a.attname as column from pg_attribute a
     join pg_class c on c.oid = a.attrelid join pg_collation l on l.oid = a.attcollation
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and attnum > 0
       and l.collname <> 'C' and c.relname not like 'kysely%'`,
  );
  const reachable = await postgres.server.query(
    name,
    `select relname::text from pg_class where relispartition and relkind = 'r'
       and has_table_privilege('${ROLES.runtime}', oid, 'select')`,
  );

  assert.deepEqual([open, sorted, reachable], [[], [], []]);
});
