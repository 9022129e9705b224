/**
 * Goal: nobody learns of another tenant by how long an answer takes, by a cursor, or by saying
 * whose they are (attacks B1, C1, C2 and C3).
 * Method: the operations of the program's own reference over a real PostgreSQL. Time is told by
 * what is done: the statements that a foreign and a missing identifier cause are the same, one
 * by one; so are those of a hostile credential and of an ordinary wrong one, which cause none.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import pg from 'pg';
import type { TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD } from '../support/people.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { type Operation, operationsOf } from '../support/random-walk/operations.ts';

const postgres = await postgresForFile();
const SECRET = 'a-signing-secret-of-more-than-32-bytes';
const TENANTS = ['acme', 'globex'] as const;

let gateway: TestGateway;
let operations: readonly Operation[];
let closing: (() => void) | undefined;
const tokens: Record<string, string> = {};
/** What there is of the other tenant, by the path of its kind. */
const examples: Record<string, string> = {};
const { query } = pg.Client.prototype;
/** What is asked of the database on behalf of a tenant, and every value that was bound. */
let statements: string[] = [];
let values: unknown[] = [];
const working = new WeakMap<pg.Client, string>();

before(async () => {
  const t = { after: (end: () => void) => (closing = end) } as unknown as TestContext;
  const env = { JWT_SECRET_KEY: SECRET };
  gateway = await startOnPostgres(t, await postgres.database(), { env });
  const { api } = gateway;
  for (const tenant of TENANTS) {
    await api('POST', '/api/v1/tenants', { slug: tenant, name: tenant });
    const account = { username: `admin-${tenant}`, email: `a@${tenant}.example` };
    const body = { ...account, password: PASSWORD, roles: ['admin'], tenant };
    const made = await api('POST', '/api/v1/users', body);
    tokens[tenant] = (await login(gateway.url, account.username)).body.access_token;
    const key = await gateway.key({ tenant, name: `key-of-${tenant}` });
    for (let at = 0; at < 3; at += 1) {
      await gateway.key({ tenant, name: `another-of-${tenant}` });
      const asked = await api('POST', '/v1/responses', { model: 'mock', input: 'x' }, key.secret);
      examples['/v1/responses/'] = asked.body.id;
      examples['/api/v1/requests/'] = asked.headers.get('x-request-id') ?? '';
    }
    examples['/api/v1/users/'] = made.body.id;
    examples['/api/v1/keys/'] = key.id;
  }
  examples['/api/v1/tenants/'] = 'globex';
  operations = await operationsOf(gateway);
  const noted = function (this: pg.Client, ...args: unknown[]): unknown {
    const [sql, bound] = args;
    if (typeof sql === 'string') {
      const tenant = /esclusa\.tenant', '([^']*)'/.exec(sql)?.[1] ?? working.get(this) ?? '*';
      working.set(this, tenant);
      if (tenant !== '*') statements.push(sql);
    }
    if (Array.isArray(bound)) values.push(...bound);
    return Reflect.apply(query, this, args);
  };
  pg.Client.prototype.query = noted as typeof query;
});
after(async () => {
  pg.Client.prototype.query = query;
  await closing?.();
});

async function statementsOf(ask: () => Promise<unknown>): Promise<readonly string[]> {
  statements = [];
  await ask();
  // The event of the audit log is written behind the answer, by whoever comes next.
  return statements.filter((sql) => !sql.includes('audit_'));
}

test('C1: what is of another tenant costs the database what a missing thing does', async () => {
  let tried = 0;
  for (const { method, path, body } of operations) {
    const brace = path.indexOf('{');
    const foreign = brace < 0 ? undefined : examples[path.slice(0, brace)];
    if (foreign === undefined) continue;
    const missing = `${foreign.slice(0, -4)}zzzz`;
    const sent = path.endsWith('/rotate') ? { overlap_seconds: 0 } : { name: 'x-new' };
    const ask = (id: string) => () =>
      call(gateway.url, method, path.replace(/\{[^}]+\}/, id), {
        token: tokens.acme ?? '',
        ...(body !== null && { body: path.includes('/users/') ? { username: 'x-new' } : sent }),
      });

    // Where a tenant's data lies is looked up now and then, whoever asks: not every time.
    let [theirs, nobodys] = [await statementsOf(ask(foreign)), await statementsOf(ask(missing))];
    for (let again = 0; again < 3 && theirs.join() !== nobodys.join(); again += 1) {
      [theirs, nobodys] = [await statementsOf(ask(foreign)), await statementsOf(ask(missing))];
    }
    assert.deepEqual(theirs, nobodys, `${method} ${path}`);
    tried += 1;
  }
  assert.ok(tried >= 12, `only ${tried} operations`);
});

test('B1: no credential that is not good is asked of the database, hostile or not', async () => {
  const plain = `esk_${'x'.repeat(43)}`;
  const hostile = [
    "' or '1'='1",
    "esk_'; drop table api_keys; --",
    `esk_${'%'.repeat(43)}`,
    'esk_*?[a-z]',
    `esk_${'a'.repeat(8000)}`,
    `eyJ${'A'.repeat(8000)}.e30.AA`,
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.',
    '__proto__',
  ];
  values = [];
  const asked = await statementsOf(async () => {
    for (const token of [plain, ...hostile]) {
      for (const path of ['/api/v1/keys', '/v1/models']) {
        const { status } = await call(gateway.url, 'GET', path, { token });
        assert.equal(status, 401, token.slice(0, 40));
      }
    }
  });

  assert.deepEqual(asked, []);
  const bound = JSON.stringify(values);
  for (const token of [plain, ...hostile]) assert.ok(!bound.includes(token), token.slice(0, 40));
});

/** Lists are those of the reference that take a cursor. */
const lists = () =>
  operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'cursor'));

test('C2: a cursor of another tenant, of another list, changed or made up is refused', async () => {
  const given: { readonly path: string; readonly tenant: string; readonly cursor: string }[] = [];
  for (const { path } of lists().filter(({ path: each }) => !each.includes('{'))) {
    for (const tenant of TENANTS) {
      const token = tokens[tenant] ?? '';
      const { status, body } = await call(gateway.url, 'GET', `${path}?limit=1`, { token });
      if (status === 200 && body.next !== null) given.push({ path, tenant, cursor: body.next });
    }
  }
  const paths = new Set(given.map(({ path }) => path));
  assert.ok(paths.size >= 3, [...paths].join());

  const read = (path: string, tenant: string, cursor: string) =>
    call(gateway.url, 'GET', `${path}?limit=1&cursor=${encodeURIComponent(cursor)}`, {
      token: tokens[tenant] ?? '',
    });
  for (const { path, tenant, cursor } of given) {
    assert.equal((await read(path, tenant, cursor)).status, 200, path);
    const position = Buffer.from(cursor, 'base64url').subarray(16);
    const forged = Buffer.concat([Buffer.alloc(16), position]).toString('base64url');
    const others = given.filter((each) => each.path !== path || each.tenant !== tenant);
    const bad = [
      ...others.map((each) => each.cursor),
      forged,
      `${cursor}A`,
      `A${cursor}`,
      'globex',
    ];
    for (const each of bad) {
      const answer = await read(path, tenant, each);
      assert.equal(answer.status, 400, `${path} ${each}`);
      assert.equal(answer.body.error.code, 'cursor_invalid');
    }
  }
});

test('C2: no list, sum or figure shows a word of the other tenant', async () => {
  let tried = 0;
  for (const { method, path } of operations) {
    if (method !== 'GET' || path.includes('{')) continue;
    const { status, body } = await call(gateway.url, 'GET', path, { token: tokens.acme ?? '' });
    if (status !== 200) continue;
    tried += 1;
    if (path === '/api/v1/audit') {
      // What people of the own tenant tried stands there, by its name.
      for (const { tenant } of body.data) assert.equal(tenant, 'acme');
      continue;
    }
    const text = JSON.stringify(body);
    assert.doesNotMatch(text, /globex/, path);
    for (const id of Object.values(examples)) assert.ok(!text.includes(id), `${path} ${id}`);
  }
  assert.ok(tried >= 12, `only ${tried} operations`);
});

test('C3: whatever else names a tenant, the credential says whose a call is', async () => {
  const named = { 'x-tenant': 'globex', 'x-tenant-id': 'globex', 'x-esclusa-tenant': 'globex' };
  const token = tokens.acme ?? '';
  const keys = await call(gateway.url, 'GET', '/api/v1/keys', { token, headers: named });
  assert.doesNotMatch(JSON.stringify(keys.body), /globex/);

  for (const { path, parameters } of operations) {
    if (!parameters.some(({ name }) => name === 'tenant') || path.includes('{')) continue;
    const { status, body } = await call(gateway.url, 'GET', `${path}?tenant=globex`, { token });
    if (status === 405) continue;
    assert.equal(status, 403, path);
    assert.doesNotMatch(JSON.stringify(body), /globex/, path);
  }
  for (const [path, body] of [
    ['/api/v1/keys', { name: 'x', tenant: 'globex' }],
    ['/api/v1/users', { ...account('x-eve'), tenant: 'globex' }],
    ['/api/v1/users/invitations', { tenant: 'globex' }],
  ] as const) {
    const made = await call(gateway.url, 'POST', path, { token, body });
    assert.equal(made.status, 403, path);
  }
  const chat = { model: 'mock', messages: [{ role: 'user', content: 'x' }], tenant: 'globex' };
  const asked = await gateway.chat(chat, token, { headers: named });
  assert.equal(asked.status, 200);
  const row = await gateway.api('GET', `/api/v1/requests/${asked.headers.get('x-request-id')}`);
  assert.equal(row.body.tenant, 'acme');
});

test('C3: a token that was signed here but names another tenant is nobody’s', async () => {
  const [head = '', body = ''] = (tokens.acme ?? '').split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const signed = (more: object) => {
    const said = Buffer.from(JSON.stringify({ ...claims, ...more })).toString('base64url');
    const text = `${head}.${said}`;
    return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
  };
  const me = async (token: string) =>
    (await call(gateway.url, 'GET', '/api/v1/auth/me', { token })).status;

  assert.equal(await me(signed({})), 200, 'the forgery is a near miss');
  for (const more of [{ tenant: 'globex' }, { tenant: '' }, { tenant: ['acme'] }, { sid: '' }]) {
    assert.equal(await me(signed(more)), 401, JSON.stringify(more));
  }
});

const account = (username: string) => ({
  ...{ username, email: `${username}@x.example`, password: PASSWORD, roles: ['student'] },
});
