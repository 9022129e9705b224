/**
 * Goal: members that a body is not to have are refused by name, wherever they stand in it, and
 * change nothing (attack D3); who comes first becomes nobody special.
 * Method: every operation of the control plane's own reference that takes a body, with a good
 * body of its own: a new one without an example fails. What is stored is compared before and
 * afterwards, table by table.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, newcomer, PASSWORD, register } from '../support/people.ts';
import { type Operation, operationsOf, type Schema } from '../support/random-walk/operations.ts';

/** As it is in the text of a body: objects of ours do not keep `__proto__`. */
const EXTRAS: readonly (readonly [name: string, value: string])[] = [
  ['role', '"superadmin"'],
  ['roles', '["superadmin"]'],
  ['isAdmin', 'true'],
  ['is_admin', 'true'],
  ['tenant', '"globex"'],
  ['tenantId', '"globex"'],
  ['tenant_id', '"globex"'],
  ['emailVerified', 'true'],
  ['email_verified', 'true'],
  ['is_verified', 'true'],
  ['is_active', 'true'],
  ['quota', '1000000'],
  ['limits', '{}'],
  ['budget', 'null'],
  ['id', '"usr_00000000000000000000000000"'],
  ['createdAt', '1'],
  ['created_at', '1'],
  ['password_hash', '"$2b$05$abcdefghijklmnopqrstuv"'],
  ['secret_hash', '"00"'],
  ['hasOwnProperty', '1'],
  ['__proto__', '{"roles":["superadmin"],"isAdmin":true}'],
  ['constructor', '{"prototype":{"isAdmin":true}}'],
];
/** It takes what is sent to a model, whatever that is, and keeps nothing of it. */
const TAKES_REQUESTS = 'POST /api/v1/route/explain';

/** The body, when it has only what it is to have, is good. */
type Example = () => Readonly<Record<string, unknown>>;

let gateway: TestGateway;
let bodies: readonly (Operation & { readonly body: Schema })[];
let token: string;
let count = 0;
const ids: Record<string, string> = { slug: 'acme', name: 'prompts' };
const fresh = (): string => `name-${++count}`;
const account = () => {
  const username = fresh();
  return { email: `${username}@x.example`, username, password: PASSWORD };
};
const LIMITS = { requests_per_minute: 5 };
const BUDGET = { limit_usd: '1', period: 'day' };
const DATABASE = { host: 'db.example', database: 'a', user: 'b', password: 'c' };

const EXAMPLES: Readonly<Record<string, Example>> = {
  'POST /api/v1/auth/register': account,
  'POST /api/v1/auth/login': () => ({ username: 'admin-acme', password: PASSWORD }),
  'POST /api/v1/auth/refresh': () => ({ refresh_token: 'esr_x' }),
  'POST /api/v1/auth/change-password': () => ({
    ...{ current_password: 'Not-The-One-1', new_password: 'Brand-New-Horse-7' },
  }),
  'POST /api/v1/users': () => ({ ...account(), limits: LIMITS, budget: BUDGET }),
  'POST /api/v1/users/invitations': () => ({ roles: ['student'] }),
  'PATCH /api/v1/users/{id}': () => ({ limits: LIMITS, budget: BUDGET }),
  'POST /api/v1/keys': () => ({ name: 'k', limits: LIMITS, budget: BUDGET }),
  'PATCH /api/v1/keys/{id}': () => ({ name: 'l', limits: LIMITS, budget: BUDGET }),
  'POST /api/v1/keys/{id}/rotate': () => ({ overlap_seconds: 1 }),
  'POST /api/v1/tenants': () => ({ slug: fresh(), name: 'T', limits: LIMITS, budget: BUDGET }),
  'PATCH /api/v1/tenants/{slug}': () => ({ models: { mock: { limits: LIMITS } } }),
  'POST /api/v1/tenants/{slug}/database/test': () => DATABASE,
  'POST /api/v1/tenants/{slug}/move': () => ({ to: { kind: 'postgres', ...DATABASE } }),
  'POST /api/v1/route/explain': () => ({ model: 'mock' }),
  'PUT /api/v1/flags/{name}': () => ({ enabled: true }),
  'POST /api/v1/flags/{name}/evaluate': () => ({ tenant: 'acme' }),
  'PUT /api/v1/flags/{name}/rollout': () => ({ steps: [{ percentage: 1, soak_seconds: 1 }] }),
};

before(async () => {
  gateway = await startGateway();
  for (const slug of ['acme', 'globex']) {
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
  }
  const admin = { email: 'admin@acme.example', username: 'admin-acme', password: PASSWORD };
  await gateway.api('POST', '/api/v1/users', { ...admin, roles: ['admin'], tenant: 'acme' });
  const target = await gateway.api('POST', '/api/v1/users', { ...account(), tenant: 'acme' });
  assert.equal(target.status, 201, JSON.stringify(target.body));
  ids.user = target.body.id;
  ids.key = (await gateway.key({ tenant: 'acme' })).id;
  token = (await login(gateway.url, 'admin-acme')).body.access_token;
  bodies = (await operationsOf(gateway)).flatMap((operation) =>
    operation.body !== null && operation.path.startsWith('/api/')
      ? [{ ...operation, body: operation.body }]
      : [],
  );
});
after(() => gateway.close());

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

function urlOf({ path }: Operation): string {
  const id = path.includes('/keys/') ? ids.key : ids.user;
  return path.replace('{id}', id ?? '').replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? '');
}

/** All that is stored but what only tells of attempts. */
function stored(): string {
  const file = join(gateway.folder, 'data', 'esclusa.sqlite');
  const database = new DatabaseSync(file, { readOnly: true });
  const tables = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'audit%'")
    .all()
    .map(({ name }) => String(name));
  const rows = tables.map((name) => [name, database.prepare(`select * from "${name}"`).all()]);
  database.close();
  assert.ok(tables.includes('users') && tables.includes('api_keys'));
  return JSON.stringify(rows, (_, value) => (value instanceof Uint8Array ? [...value] : value));
}

/** The example with the member added, in the body itself and in each object within. */
function spoiled(example: object, name: string, value: string): readonly string[] {
  const member = `${JSON.stringify(name)}:${value}`;
  const whole = JSON.stringify(example);
  return [...whole.matchAll(/\{/g)].map(({ index }) => {
    const rest = whole.slice(index + 1);
    return `${whole.slice(0, index)}{${member}${rest.startsWith('}') ? '' : ','}${rest}`;
  });
}

async function send(operation: Operation, body: string, by: string) {
  const answer = await fetch(`${gateway.url}${urlOf(operation)}`, {
    method: operation.method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${by}` },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

test('D3: every body of the reference names what it may have, at every depth', () => {
  const open: string[] = [];
  const look = (schema: Schema & { readonly additionalProperties?: unknown }, where: string) => {
    if (schema.type === 'object' && schema.additionalProperties !== false) {
      const isMap = typeof schema.additionalProperties === 'object' && !schema.properties;
      if (!isMap) open.push(where);
      else look(schema.additionalProperties as Schema, `${where}.*`);
    }
    for (const [name, of] of Object.entries(schema.properties ?? {})) look(of, `${where}.${name}`);
    if (schema.items !== undefined) look(schema.items, `${where}[]`);
    for (const of of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) look(of, where);
  };
  for (const operation of bodies) look(operation.body, nameOf(operation));

  assert.deepEqual(open, [TAKES_REQUESTS]);
  assert.deepEqual(bodies.map(nameOf).sort(), Object.keys(EXAMPLES).sort());
});

test('D3: a member that is not to be there is refused, and nothing is stored', async () => {
  const before = stored();
  let tried = 0;
  for (const operation of bodies) {
    const example = (EXAMPLES[nameOf(operation)] as Example)();
    const permission = /\/tenants|\/flags/.test(operation.path) ? undefined : token;
    for (const [name, value] of EXTRAS) {
      // What an object may have is in the table of what may be granted, not here.
      const known = JSON.stringify(operation.body).includes(`"${name}":`);
      for (const body of known ? [] : spoiled(example, name, value)) {
        const by = permission ?? ADMIN_KEY;
        const answer = await send(operation, body, by);
        const isTaken = nameOf(operation) === TAKES_REQUESTS && answer.status === 200;
        assert.ok(answer.status === 400 || isTaken, `${nameOf(operation)} ${body}: ${answer.text}`);
        tried += 1;
      }
    }
  }

  assert.ok(tried > 400, `only ${tried} bodies`);
  assert.equal(stored(), before);
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test('D3: who registers first, or with everything one could wish, is a student', async () => {
  const first = await startGateway();
  try {
    const { access_token: access } = await newcomer(first.url, 'first');
    const me = await call(first.url, 'GET', '/api/v1/auth/me', { token: access });
    const users = await call(first.url, 'GET', '/api/v1/users', { token: access });
    const invited = await register(first.url, 'second', { invitation: 'esi_made_up' });

    assert.deepEqual([me.body.roles, me.body.tenant], [['student'], 'default']);
    assert.equal(users.status, 403);
    assert.equal(invited.status, 403);
  } finally {
    await first.close();
  }
});
