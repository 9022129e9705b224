/**
 * What a tenant may ask for, over the whole program on both engines: everything that is kept of
 * it, and that nothing is. Method: words that stand nowhere else are planted in every place that
 * takes some, and looked for afterwards in whole tables and files.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  ADMIN_KEY,
  type GatewayOptions,
  startGateway,
  type TestGateway,
} from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';
import { filesWith } from '../support/planted.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const MARK = 'canario-5c19';
const MESSAGES = [{ role: 'user', content: 'Hola' }];
const OPTIONS: GatewayOptions = { config: { capture: { enabled: true } } };

interface World {
  readonly gateway: TestGateway;
  /** Where the mark still stands: tables, or files. */
  traces(): Promise<readonly string[]>;
}

async function onSqlite(t: TestContext): Promise<World> {
  const gateway = await startGateway(OPTIONS);
  t.after(() => gateway.close());
  // Also in the file of its own, and in what the database keeps beside it.
  const traces = async () =>
    filesWith(join(gateway.folder, 'data'), MARK).filter((file) => !file.includes('journal'));
  return { gateway, traces };
}

async function onPostgres(t: TestContext): Promise<World> {
  const at = await postgres.database();
  const gateway = await startOnPostgres(t, at, OPTIONS);
  const tables = await postgres.server.query<{ name: string }>(
    at.name,
    `select relname as name from pg_class
     where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
  );
  const traces = async () => {
    const found: string[] = [];
    const hex = Buffer.from(MARK).toString('hex');
    for (const { name } of tables) {
      const rows = await postgres.server.query(
        at.name,
        `select 1 from ${name} t where t::text like $1 or t::text like $2 limit 1`,
        [`%${MARK}%`, `%${hex}%`],
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  };
  return { gateway, traces };
}

/** Plants the mark, and answers what stands where. */
async function plant({ gateway }: World) {
  await gateway.api('POST', '/api/v1/tenants', {
    ...{ slug: 'acme', name: `Acme ${MARK}`, hosts: [`${MARK}.example`] },
  });
  await gateway.api('POST', '/api/v1/users', {
    ...{ email: `ana@${MARK}.example`, username: `ana-${MARK}`, password: PASSWORD },
    ...{ tenant: 'acme', roles: ['admin'] },
  });
  await gateway.api('POST', '/api/v1/users/invitations', {
    ...{ email: `eva@${MARK}.example`, roles: ['student'], tenant: 'acme' },
  });
  const budget = { limit_usd: '7.25', period: 'month' } as const;
  const { secret, id } = await gateway.key({ tenant: 'acme', name: `key ${MARK}`, budget });
  assert.equal((await login(gateway.url, `ana-${MARK}`)).status, 200);
  const answer = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      'x-correlation-id': `corr-${MARK}`,
      'idempotency-key': `once-${MARK}`,
    },
    body: JSON.stringify({ model: 'mock', input: MARK }),
  });
  assert.equal(answer.status, 200);
  const request = answer.headers.get('x-request-id') ?? '';
  const detail = await gateway.api('GET', `/api/v1/requests/${request}`);
  assert.equal(detail.body.correlation_id, `corr-${MARK}`);
  return { secret, id, request };
}

async function exported(gateway: TestGateway, slug: string, key: string): Promise<string> {
  const answer = await fetch(`${gateway.url}/api/v1/tenants/${slug}/export`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
  return answer.text();
}

async function erase(gateway: TestGateway, query = ''): Promise<Record<string, number>> {
  const begun = await gateway.api('DELETE', `/api/v1/tenants/acme${query}`);
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const job = async () => (await gateway.api('GET', '/api/v1/tenants/acme')).body.job;
  await until('the erasure to end', async () => (await job()).status === 'done', 20_000);
  return (await job()).removed as Record<string, number>;
}

for (const [name, open] of [
  ['sqlite', onSqlite],
  ['postgres', onPostgres],
] as const) {
  test(`${name}: an export has everything of the tenant, and no secret`, async (t) => {
    const world = await open(t);
    const { gateway } = world;
    const { secret, id, request } = await plant(world);
    await gateway.key({ tenant: 'default', name: 'of another' });

    const text = await exported(gateway, 'acme', ADMIN_KEY);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

    const kinds = lines.map(({ kind }) => kind);
    const expected = ['tenant', 'host', 'api_key', 'user', 'session', 'invitation', 'request'];
    for (const kind of [...expected, 'audit']) assert.ok(kinds.includes(kind), kind);
    const row = lines.find((line) => line.kind === 'request' && line.id === request);
    assert.deepEqual(
      [row?.dialect, row?.outcome, row?.model, row?.key_id, row?.correlation_id],
      ['responses', 'completed', 'mock', id, `corr-${MARK}`],
    );
    const key = lines.find((line) => line.kind === 'api_key' && line.id === id);
    assert.deepEqual([key?.budget_limit_nanousd, key?.budget_period], [7_250_000_000, 'month']);
    assert.match(String(lines.find(({ kind }) => kind === 'body')?.request), new RegExp(MARK));
    assert.match(String(lines.find(({ kind }) => kind === 'response')?.input), new RegExp(MARK));
    assert.equal(lines.at(-1)?.kind, 'end');
    for (const hidden of [secret, 'argon2', 'secret_hash', 'password_hash', 'token_hash']) {
      assert.ok(!text.includes(hidden), hidden);
    }
    assert.ok(!text.includes('of another'));
  });

  test(`${name}: an export is as long as the tenant, and in pages`, async (t) => {
    const { gateway } = await open(t);
    await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
    const { secret } = await gateway.key({ tenant: 'acme' });
    const total = 250;
    const ask = () => gateway.chat({ model: 'mock', messages: MESSAGES }, secret);
    for (let at = 0; at < total; at += 25) {
      await Promise.all(
        Array.from({ length: 25 }, async () => assert.equal((await ask()).status, 200)),
      );
    }

    const text = await exported(gateway, 'acme', ADMIN_KEY);

    const end = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
    assert.equal(end.counts.request, total);
    const ids = new Set(
      [...text.matchAll(/"kind":"request","id":"(req_\w+)"/g)].map(([, id]) => id),
    );
    assert.equal(ids.size, total);
  });

  test(`${name}: an administrator exports their own tenant and no other`, async (t) => {
    const world = await open(t);
    await plant(world);
    const { gateway } = world;
    const admin = await gateway.key({ tenant: 'acme', role: 'admin' });

    const own = await exported(gateway, 'acme', admin.secret);
    const refused = async (slug: string) =>
      (await gateway.api('POST', `/api/v1/tenants/${slug}/export`, undefined, admin.secret)).status;

    assert.match(own, /"kind":"end"/);
    assert.deepEqual([await refused('default'), await refused('nowhere')], [403, 403]);
  });

  test(`${name}: an erased tenant leaves figures without persons, and a proof`, async (t) => {
    const world = await open(t);
    const { gateway } = world;
    const { secret, id, request } = await plant(world);
    assert.notDeepEqual(await world.traces(), []);

    const removed = await erase(gateway);

    assert.deepEqual(
      [removed.keys, removed.users, removed.invitations, removed.hosts, removed.own_rows],
      [1, 1, 1, 1, 2],
    );
    assert.deepEqual(await world.traces(), []);
    const row = await gateway.api('GET', `/api/v1/requests/${request}`);
    assert.equal(row.status, 200, JSON.stringify(row.body));
    assert.match(row.body.key_id, /^erased_/);
    assert.equal(row.body.correlation_id, request);
    const refused = await gateway.api('GET', '/api/v1/auth/me', undefined, secret);
    assert.ok([401, 403].includes(refused.status));
    assert.equal((await gateway.api('GET', `/api/v1/keys/${id}`)).status, 404);
    const again = await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'New' });
    const resumed = await gateway.api('POST', '/api/v1/tenants/acme/resume');
    assert.deepEqual([again.status, resumed.status], [409, 409]);
    const audit = await gateway.api('GET', '/api/v1/audit?tenant=acme');
    const proof = audit.body.data.find(
      (entry: { action: string }) => entry.action === 'tenants.erased',
    );
    assert.equal(proof?.details.keys, 1);
  });

  test(`${name}: where it is asked for, the figures go as well`, async (t) => {
    const world = await open(t);
    const { request } = await plant(world);

    const removed = await erase(world.gateway, '?ledger=erase');

    assert.equal(removed.ledger, 1);
    assert.equal((await world.gateway.api('GET', `/api/v1/requests/${request}`)).status, 404);
    assert.deepEqual(await world.traces(), []);
  });
}

test('sqlite: a tenant with a file of its own leaves no file', async (t) => {
  const world = await onSqlite(t);
  const { gateway } = world;
  await plant(world);
  await gateway.api('POST', '/api/v1/tenants/acme/move', { to: { kind: 'file' } });
  const tenant = async () => (await gateway.api('GET', '/api/v1/tenants/acme')).body;
  await until('the move', async () => (await tenant()).job.status === 'done', 20_000);
  assert.equal((await tenant()).database.kind, 'file');
  assert.ok((await world.traces()).some((file) => file.includes('tenants')));

  const removed = await erase(gateway);

  assert.equal(removed.databases, 1);
  assert.deepEqual(await world.traces(), []);
});
