/**
 * Goal: whatever is put where an identifier, a credential, a filter, a path or a body stands, on
 * every operation there is: a refusal or a harmless answer, never a failure, never a word of it in
 * a statement, never a way past who may call.
 * Method: the operations of the program's own reference, over a real PostgreSQL whose statements
 * are read as they are sent; bytes on a socket where no client library would send them.
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import pg from 'pg';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { type Operation, operationsOf } from '../support/random-walk/operations.ts';
import { sendRaw } from '../support/raw-http.ts';

const postgres = await postgresForFile();
const MARK = 'marca4e1';
const TEXTS = [
  `${MARK}' or '1'='1`,
  `${MARK}"; drop table users; --`,
  `%${MARK}%`,
  `_${MARK}*?[a-z]`,
  `${MARK}\0x`,
  `${MARK}\r\nx-injected: yes`,
  `${MARK}\u001b[31m\u202e`,
  `${MARK}${'a'.repeat(8192)}`,
  `../../${MARK}`,
  `__proto__`,
  `constructor`,
];
/** With a mark of byte order, which is no part of it. */
const EMPTY = '\ufeff{}';
const WRITES_A_LOT = /\/export$/;

let gateway: TestGateway;
let operations: readonly Operation[];
let closing: (() => void) | undefined;
const statements: string[] = [];
const { query } = pg.Client.prototype;

before(async () => {
  const t = { after: (end: () => void) => (closing = end) } as unknown as TestContext;
  gateway = await startOnPostgres(t, await postgres.database());
  operations = await operationsOf(gateway);
  const noted = function (this: pg.Client, ...args: unknown[]): unknown {
    if (typeof args[0] === 'string') statements.push(args[0]);
    return Reflect.apply(query, this, args);
  };
  pg.Client.prototype.query = noted as typeof query;
});
after(async () => {
  pg.Client.prototype.query = query;
  await closing?.();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(
  { method }: Pick<Operation, 'method'>,
  path: string,
  { key = ADMIN_KEY, body }: { readonly key?: string; readonly body?: string } = {},
): Promise<Answer> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== '' && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

function assertHarmless(answer: Answer, where: string): void {
  assert.ok(answer.status < 500, `${where}: ${answer.status} ${answer.text.slice(0, 300)}`);
  assert.equal(answer.headers.get('x-injected'), null, where);
  assert.equal(({} as Record<string, unknown>).polluted, undefined, where);
}

function assertNotInStatements(): void {
  const found = statements.filter((sql) => sql.includes(MARK) || sql.includes("'1'='1"));
  assert.deepEqual(found, []);
  assert.ok(statements.length > 100, `only ${statements.length} statements were seen`);
}

test('hostile identifiers and filters are bound or refused, on every operation', async () => {
  let tried = 0;
  for (const operation of operations) {
    const inPath = operation.parameters.filter((each) => each.in === 'path');
    const inQuery = operation.parameters.filter((each) => each.in === 'query');
    for (const text of TEXTS) {
      const value = encodeURIComponent(text);
      const body = operation.body === null ? {} : { body: '{}' };
      if (inPath.length > 0) {
        const path = operation.path.replaceAll(/\{[^}]+\}/g, value);
        const answer = await ask(operation, path, body);
        assertHarmless(answer, `${operation.method} ${path.slice(0, 200)}`);
        // What removes takes its tenant or key from the path: there is none of that name.
        if (operation.method === 'DELETE' || WRITES_A_LOT.test(operation.path)) {
          assert.ok(answer.status >= 400 || operation.path.includes('/flags/'), path.slice(0, 99));
        }
        tried += 1;
      }
      for (const { name } of operation.method === 'GET' ? inQuery : []) {
        const path = `${operation.path.replaceAll(/\{[^}]+\}/g, 'x')}?${name}=${value}`;
        assertHarmless(await ask(operation, path), `GET ${path.slice(0, 200)}`);
        tried += 1;
      }
    }
  }
  assert.ok(tried > 500, `only ${tried} requests`);
  assertNotInStatements();
});

test('a hostile credential is refused as any other that is not good', async () => {
  const refusals = new Set<string>();
  for (const text of TEXTS) {
    // What no header can carry never gets here.
    const key = text.replaceAll(/[^\x20-\x7e]/g, '');
    for (const path of ['/api/v1/keys', '/api/v1/requests', '/v1/models']) {
      const answer = await ask({ method: 'GET' }, path, { key });
      assert.equal(answer.status, 401, `${path} ${key.slice(0, 40)}`);
      assert.ok(!answer.text.includes(MARK));
      refusals.add(`${path} ${answer.text.replaceAll(/req_\w+/g, '')}`);
    }
  }
  assert.equal(refusals.size, 3);
  assertNotInStatements();
});

test('hostile bodies are refused or taken as they are, on every operation', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const many = JSON.stringify(
    Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at])),
  );
  const bodies = [
    ...[deep, `{"model":${deep}}`, many, '"text"', '[]', '1e400', 'null', EMPTY, '{"a":1,'],
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    `{"name":"${MARK}' or '1'='1","slug":"x' or '1'='1","email":"${MARK}'@x.example"}`,
    `{"model":"__proto__","metadata":{"__proto__":{"polluted":1}},"messages":[]}`,
  ];
  let tried = 0;
  for (const operation of operations.filter((each) => each.body !== null)) {
    const path = operation.path.replaceAll(/\{[^}]+\}/g, 'x-none');
    for (const body of bodies) {
      const answer = await ask(operation, path, { body });
      assertHarmless(answer, `${operation.method} ${path} ${body.slice(0, 60)}`);
      const isNothing = body === EMPTY || body === 'null';
      const isRefused = answer.status >= 400 || isNothing;
      assert.ok(isRefused, `${operation.method} ${path} took ${body.slice(0, 60)}`);
      tried += 1;
    }
  }
  assert.ok(tried > 200, `only ${tried} requests`);
  assertNotInStatements();
});

/** Ways to write a path that something in front, or the router, might read as another. */
const TWISTS: readonly ((path: string) => string)[] = [
  (path) => `/${path}`,
  (path) => `${path}/`,
  (path) => `/./${path.slice(1)}`,
  (path) => `/health/live/..${path}`,
  (path) => `/health/live/%2e%2e${path}`,
  (path) => `${path};/health/live`,
  (path) => `${path}%2f`,
  (path) => `${path}%00`,
  (path) => path.replace('/api', '/API'),
  (path) => path.replace('/v1', '%2fv1'),
  (path) => path.replace('/v1/', '/v1//'),
  (path) => `http://127.0.0.1${path}`,
  (path) => path.replaceAll('e', '%65'),
];

test('no way to write a path, and no header, leads past who may call', async () => {
  const open = operations.filter(({ path }) => /^\/health|^\/$|\/health$|jwks|\/auth\//.test(path));
  const closed = operations.filter((operation) => !open.includes(operation));
  assert.ok(closed.length > 50);
  for (const operation of closed) {
    const path = operation.path.replaceAll(/\{[^}]+\}/g, 'default');
    for (const twist of TWISTS) {
      const target = twist(path);
      const lines = [
        `${operation.method} ${target} HTTP/1.1`,
        ...['host: 127.0.0.1', 'connection: close', 'content-length: 0'],
        ...['x-original-url: /health/live', 'x-rewrite-url: /health/live'],
        ...['x-forwarded-path: /health/live', 'x-forwarded-for: 127.0.0.1'],
        ...['x-forwarded-host: localhost', 'x-http-method-override: GET'],
      ];
      const answer = await sendRaw(gateway.url, [`${lines.join('\r\n')}\r\n\r\n`]);
      const refused = [400, 401, 404, 405].includes(answer.status);
      assert.ok(refused, `${operation.method} ${target}: ${answer.status} ${answer.body}`);
    }
  }
});

test('every table is there, and nobody was made or taken away', async () => {
  const { body } = await gateway.api('GET', '/api/v1/users');
  assert.deepEqual(
    (body.data as { readonly email: string }[]).filter(({ email }) => email.includes(MARK)),
    [],
  );
  const tenants = await gateway.api('GET', '/api/v1/tenants');
  assert.deepEqual(
    tenants.body.data.map(({ slug, status }: { slug: string; status: string }) => [slug, status]),
    [['default', 'active']],
  );
});
