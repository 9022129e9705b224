/**
 * The second wall between tenants, on a real PostgreSQL under the role that requests run under:
 * with the application's own filter taken away, rows of another tenant are still not seen, not
 * changed and not written. Also what holds for tables that come later.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { keyRecord } from '../../support/key-record.ts';
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
    await storage.keys.insert(keyRecord({ tenant, id: `key_${tenant}` }));
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
    await postgres.server.query(at.name, othersOf(tenant));
  }
  return at;
}

/** What people and the operators' own work leave of a tenant. */
function othersOf(slug: string): string {
  return `
    insert into users (id, tenant, email, username, username_key, roles, is_active, is_verified,
        limits, created_at_ms, version)
      values ('usr_${slug}', '${slug}', '${slug}@uni.example', '${slug}', '${slug}', '[]', 1, 1,
        '{}', 0, 1);
    insert into refresh_families (id, user_id, generation, client, source, created_at_ms,
        rotated_at_ms, expires_at_ms, version)
      values ('fam_${slug}', 'usr_${slug}', 1, '', '', 0, 0, 0, 0);
    insert into invitations (id, tenant, roles, token_hash, created_at_ms, expires_at_ms)
      values ('inv_${slug}', '${slug}', '[]', '${slug}', 0, 0);
    insert into tenant_hosts values ('${slug}.example', '${slug}');
    insert into audit_log (sequence, at_ms, tenant, actor, action, outcome, details, hash)
      values (abs(hashtext('${slug}')), 0, '${slug}', 'key_admin', 'x', 'success', '{}', '');
    insert into usage_days (day, tenant_id, key_id, model_id, provider_id, outcome, requests,
        cache_hits, input_tokens, cached_input_tokens, output_tokens, cost_nanousd, unpriced)
      select 1, id, id, id, id, 0, 1, 0, 0, 0, 0, 0, 0 from names where text = '${slug}'`;
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

/** Every table that is protected. */
const SEEN = {
  tenants: 'select slug as tenant from tenants',
  api_keys: 'select tenant from api_keys',
  audit_log: 'select tenant from audit_log',
  bodies: 'select tenant from bodies',
  data_homes: 'select tenant from data_homes',
  invitations: 'select tenant from invitations',
  refresh_families: "select replace(user_id, 'usr_', '') as tenant from refresh_families",
  requests: 'select names.text as tenant from requests join names on names.id = tenant_id',
  responses: 'select tenant from responses',
  tenant_hosts: 'select tenant from tenant_hosts',
  usage_days: 'select names.text as tenant from usage_days join names on names.id = tenant_id',
  users: 'select tenant from users',
};

/** Tables whose rows are no single tenant's, and why a tenant's transaction may see them all. */
const OPEN: Readonly<Record<string, string>> = {
  audit_head: 'the number and the hash that the chain of all tenants ends with',
  change_versions: 'a counter for each subject, which says that something changed',
  feature_flags: 'one setting for the installation; tenants in it are the operator’s words',
  installation: 'marks of the installation itself',
  jobs: 'the operators’ own work',
  journal_positions: 'how far each journal is applied',
  kysely_migration: 'which migrations were applied',
  kysely_migration_lock: 'the lock of migrations',
  names: 'the dictionary that rows of the ledger point to; its rows belong to nobody',
  prices: 'what vendors ask of everybody',
};
/** The tables that every tenant is in from the start. */
const WITH_DEFAULT = ['tenants', 'data_homes'];

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
    assert.equal(all.rows.length, WITH_DEFAULT.includes(table) ? 3 : 2, table);
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

test('a session of another tenant is neither changed, nor ended, nor made', async (t) => {
  const { runtime } = await twoTenants(t);
  const columns =
    'id, user_id, generation, client, source, created_at_ms, rotated_at_ms, expires_at_ms, version';
  const make = (id: string, user: string) =>
    asTenant(runtime, 'acme', (client) =>
      client.query(`insert into refresh_families (${columns})
        values ('${id}', '${user}', 1, '', '', 0, 0, 0, 0)`),
    );

  const changed = await asTenant(runtime, 'acme', async (client) => {
    const update = await client.query('update refresh_families set generation = 9');
    const deletion = await client.query("delete from refresh_families where id = 'fam_other'");
    return [update.rowCount, deletion.rowCount];
  });
  const taken = asTenant(runtime, 'acme', (client) =>
    client.query("update refresh_families set user_id = 'usr_other'"),
  );

  assert.deepEqual(changed, [1, 0]);
  await assert.rejects(taken, /row-level security policy/);
  await assert.rejects(make('fam_x', 'usr_other'), /row-level security policy/);
  assert.equal((await make('fam_x', 'usr_acme')).rowCount, 1);
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

test('every table is protected, or it is written down why it need not be', async () => {
  const { name } = await postgres.database();

  const tables = await postgres.server.query<{ table: string; isProtected: boolean }>(
    name,
    `select relname::text as table, relrowsecurity and relforcerowsecurity and exists (
         select from pg_policy where polrelid = c.oid) as "isProtected"
     from pg_class c where relnamespace = 'public'::regnamespace and relkind not in ('i', 'I', 'S')
       and not relispartition order by relname`,
  );
  const named = (isProtected: boolean) =>
    tables.filter((row) => row.isProtected === isProtected).map(({ table }) => table);

  assert.deepEqual(named(true), Object.keys(SEEN).sort());
  assert.deepEqual(named(false), Object.keys(OPEN));
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
