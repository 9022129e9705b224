/**
 * Goal: the running program lets in who the published table lets in, and nobody else (attack
 * D1): every path, every method, every role, no role at all and nobody; the endpoints of models
 * among them.
 * Method: the table is read from `docs/permissions.md`, the operations from the program's own
 * reference, the endpoints from their list: what is new is tried without being named here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { inferenceEndpoints } from '../../src/http/routes.ts';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';
import { operationsOf } from '../support/random-walk/operations.ts';

const PAGE = new URL('../../../docs/permissions.md', import.meta.url);
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const PEOPLE = ['student', 'instructor', 'admin', 'superadmin'] as const;
const LOGOUT = '/api/v1/auth/logout';
const LOGOUT_ALL = '/api/v1/auth/logout-all';
/** What is written once for all that run models; each is tried by its own name. */
const MODELS_ROW = '/v1/…';

interface Row {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly allowed: ReadonlySet<string>;
}

const agent = new Agent({ keepAlive: true });
let gateway: TestGateway;
const credentials = new Map<string, string>();

const folder = temporaryFolder({ after });

before(async () => {
  gateway = await startGateway({ folder });
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  for (const username of [...PEOPLE, 'ghost']) {
    const role = username === 'ghost' ? 'student' : username;
    const body = { email: `${username}@x.example`, username, password: PASSWORD, roles: [role] };
    const made = await gateway.api('POST', '/api/v1/users', { ...body, tenant: 'acme' });
    assert.equal(made.status, 201);
  }
  credentials.set('service', (await gateway.key({ tenant: 'acme' })).secret);
  await gateway.close();
  // Nobody can be given no role; what the table says of it holds all the same.
  const database = new DatabaseSync(join(folder, 'data', 'esclusa.sqlite'));
  database.prepare("update users set roles = '[]' where username = 'ghost'").run();
  database.close();
  gateway = await startGateway({ folder });
  for (const who of [...PEOPLE, 'ghost']) credentials.set(who, await tokenOf(who));
});
after(async () => {
  agent.destroy();
  await gateway.close();
});

async function tokenOf(username: string): Promise<string> {
  const { body } = await login(gateway.url, username);
  return body.access_token as string;
}

/** Rows of the page's table, with the roles its head names. */
function published(): readonly Row[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const head = lines.find((line) => line.startsWith('| Route |')) ?? '';
  const roles = [...head.matchAll(/`(\w+)`/g)].map(([, role]) => role as string);
  assert.deepEqual(roles, ['student', 'instructor', 'service', 'admin', 'superadmin']);
  return lines.flatMap((line) => {
    const route = /^\| `([A-Z]+) (\S+)` \| (\S+) \|(.*)\|$/.exec(line);
    if (route === null) return [];
    const [, method = '', path = '', permission = '', cells = ''] = route;
    const reaches = cells.split('|').map((cell) => cell.trim());
    const allowed = new Set(roles.filter((_, at) => reaches[at] !== '–'));
    return [{ method, path, isPublic: permission === 'public', allowed }];
  });
}

function ask(method: string, path: string, token: string | null): Promise<number> {
  const headers = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(/POST|PUT|PATCH/.test(method) && { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${gateway.url}${path}`, { method, headers, agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(/POST|PUT|PATCH/.test(method) ? '{}' : undefined);
  });
}

/** A sign-out ends the session it is made with: each has one of its own. */
async function credentialFor(who: string, path: string): Promise<string | null> {
  const isPerson = who !== 'nobody' && who !== 'service';
  if (path === LOGOUT && isPerson) return tokenOf(who);
  return credentials.get(who) ?? null;
}

const REFUSED: Readonly<Record<string, readonly number[]>> = { nobody: [401], ghost: [403] };
const EVERYBODY = ['nobody', 'ghost', 'service', ...PEOPLE];

/** In words what differs from the table; null where nothing does. */
async function difference(row: Row, who: string): Promise<string | null> {
  // Who may export may export their own tenant; another is nothing they may name.
  const slug = who === 'admin' ? 'acme' : 'x-none';
  const path = row.path.replace(':slug', slug).replaceAll(/:\w+|\*/g, 'x-none');
  const status = await ask(row.method, path, await credentialFor(who, path));
  // It ended the session that the other routes are tried with.
  if (path === LOGOUT_ALL && status < 300) credentials.set(who, await tokenOf(who));
  // Whoever has a session may end it.
  const isIn = row.isPublic || row.allowed.has(who) || (path === LOGOUT && who === 'ghost');
  // A key has no session to end: what it lacks is not the permission.
  const isKeyOut = path === LOGOUT && who === 'service' && status === 403;
  const refused = who === 'nobody' ? 401 : 403;
  const isRight = isIn ? (status !== 401 && status !== 403) || isKeyOut : status === refused;
  const isAnswered = status < 500 && status !== 0;
  return isRight && isAnswered ? null : `${who}: ${row.method} ${path} → ${status}`;
}

test('D1: every route lets in exactly who the published table says', async () => {
  const rows = published().filter(({ path }) => path !== MODELS_ROW);
  const differences: string[] = [];
  for (const row of rows) {
    for (const who of EVERYBODY) {
      const found = await difference(row, who);
      if (found !== null) differences.push(found);
    }
  }

  assert.ok(rows.length > 70, `only ${rows.length} routes`);
  assert.deepEqual(differences, []);
});

test('D1: the table has every operation of the program’s own reference', async () => {
  const named = (method: string, path: string) => `${method} ${path.replaceAll(/:\w+|\*/g, '{}')}`;
  const rows = new Set(published().map(({ method, path }) => named(method, path)));
  const operations = await operationsOf(gateway);
  const running = operations.filter(({ method, path }) => method === 'POST' && isModels(path));
  const others = operations.filter((operation) => !running.includes(operation));

  const absent = others
    .map(({ method, path }) => `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`)
    .filter((name) => !rows.has(name));
  assert.deepEqual(absent, []);
  assert.ok(running.length >= 10 && others.length >= 60);
});

test('D1: a method that no route has is refused whoever calls, on every path', async () => {
  const rows = published().filter(({ path }) => path !== MODELS_ROW);
  const wrong: string[] = [];
  let tried = 0;
  for (const path of new Set(rows.map((row) => row.path))) {
    const url = path.replaceAll(/:\w+|\*/g, 'x-none');
    const here = rows.filter((row) => patternOf(row.path).test(url));
    const has = new Set(here.map(({ method }) => method));
    if (has.has('GET')) has.add('HEAD');
    // Below `/v1/models/` a POST runs a model: another test's.
    const others = METHODS.filter(
      (method) => !has.has(method) && !(method === 'POST' && path.startsWith('/v1')),
    );
    for (const method of others) {
      for (const who of ['nobody', 'student', 'superadmin']) {
        const status = await ask(method, url, credentials.get(who) ?? null);
        if (status !== 404 && status !== 405) wrong.push(`${who}: ${method} ${url} → ${status}`);
        tried += 1;
      }
    }
  }

  assert.deepEqual(wrong, []);
  assert.ok(tried > 800, `only ${tried} requests`);
});

/** A name in one path may be the variable of another. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+|\*/g, '[^/]+')}$`);
}

function isModels(path: string): boolean {
  return inferenceEndpoints.some((endpoint) => endpoint.path === path) || path.includes('{model}:');
}

test('D1: what runs models runs them for whoever may, by its one method', async () => {
  const operations = await operationsOf(gateway);
  const listed = operations.filter(({ path }) => isModels(path)).map(({ path }) => path);
  const paths = new Set([...listed, ...inferenceEndpoints.map(({ path }) => path)]);
  const deaf = await gateway.api('POST', '/api/v1/keys', { name: 'd', scopes: ['usage.read'] });
  const found: string[] = [];
  for (const path of paths) {
    const url = path.replace('{model}', 'mock');
    for (const who of EVERYBODY) {
      const status = await ask('POST', url, credentials.get(who) ?? null);
      const expected = REFUSED[who] ?? [200, 400];
      if (!expected.includes(status)) found.push(`${who}: POST ${url} → ${status}`);
    }
    const scoped = await ask('POST', url, deaf.body.key);
    if (scoped !== 403) found.push(`without the scope: POST ${url} → ${scoped}`);
    for (const method of METHODS.filter((each) => each !== 'POST')) {
      const status = await ask(method, url, credentials.get('superadmin') ?? null);
      if (status !== 404 && status !== 405) found.push(`${method} ${url} → ${status}`);
    }
  }

  assert.ok(paths.size >= 10, `only ${paths.size} endpoints`);
  assert.deepEqual(found, []);
});
