/**
 * Goal: a credential is judged alike wherever it is put, and no longer than it is good (attacks
 * B2, B3, B5 and B6).
 * Method: the whole program over real sockets, bytes where no client library would send them;
 * every carrier against every surface; streams of each dialect that are open when it happens.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD, type SignedIn } from '../support/people.ts';
import { operationsOf } from '../support/random-walk/operations.ts';
import { sendRaw } from '../support/raw-http.ts';

const ASK = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hola' }] });
const MESSAGE = JSON.stringify({ ...JSON.parse(ASK), max_tokens: 5 });
const CONTENTS = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hola' }] }] });
const SLOW = 'mock:tokens=4000,tps=20';

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway({ config: { http: { trusted_proxies: '127.0.0.1, ::1' } } });
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
});
after(() => gateway.server.close('now'));

/** A path for each surface and dialect, with a body where it takes one. */
const MODELS = [
  ['/v1/chat/completions', ASK],
  ['/v1/messages', MESSAGE],
  ['/v1beta/models/mock:generateContent', CONTENTS],
  ['/v1/models/mock:generateContent', CONTENTS],
] as const;
const CONTROL = ['/api/v1/usage', '/v1/models', '/api/v1/keys', '/metrics'] as const;

/** Every way to carry a secret that counts as one. */
const CARRIERS: readonly ((secret: string) => Readonly<Record<string, string>>)[] = [
  (secret) => ({ authorization: `Bearer ${secret}` }),
  (secret) => ({ authorization: `bearer  ${secret}` }),
  (secret) => ({ 'x-api-key': secret }),
  (secret) => ({ 'api-key': secret }),
  (secret) => ({ 'x-goog-api-key': secret }),
  (secret) => ({ 'x-api-key': secret, 'x-goog-api-key': secret }),
];

/** Each from an address of its own: so many refusals of one would be told to wait. */
let asked = 0;
function elsewhere(): Readonly<Record<string, string>> {
  asked += 1;
  return { 'x-forwarded-for': `10.9.${Math.trunc(asked / 250)}.${asked % 250}` };
}

async function ask(path: string, body: string | null, headers: Readonly<Record<string, string>>) {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: body === null ? 'GET' : 'POST',
    headers: {
      ...elsewhere(),
      ...headers,
      ...(body !== null && { 'content-type': 'application/json' }),
    },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function statusesOf(headers: Readonly<Record<string, string>>, query = '') {
  const statuses: number[] = [];
  for (const [path, body] of MODELS) {
    statuses.push((await ask(`${path}${query}`, body, headers)).status);
  }
  for (const path of CONTROL) {
    statuses.push((await ask(`${path}${query}`, null, headers)).status);
  }
  return statuses.join();
}

const EVERYWHERE = MODELS.length + CONTROL.length;
const all = (status: number) => Array.from({ length: EVERYWHERE }, () => status).join();

describe('a credential (B5)', () => {
  it('has the same scopes, and the same end, in every carrier on every surface', async () => {
    const make = async (body: object) =>
      (await gateway.api('POST', '/api/v1/keys', { name: 'k', ...body })).body;
    const models = await make({ scopes: ['models.call', 'models.read'] });
    const reader = await make({ scopes: ['usage.read', 'metrics.read'] });
    const revoked = await make({});
    await gateway.api('DELETE', `/api/v1/keys/${revoked.id}`);

    for (const carrier of CARRIERS) {
      const name = JSON.stringify(carrier('…'));
      assert.equal(await statusesOf(carrier(models.key)), '200,200,200,200,403,200,403,403', name);
      assert.equal(await statusesOf(carrier(reader.key)), '403,403,403,403,200,403,403,200', name);
      assert.equal(await statusesOf(carrier(revoked.key)), all(401), name);
    }
  });

  it('is none in a cookie, a body or another header', async () => {
    const { secret } = await gateway.key();
    for (const headers of [
      { cookie: `session=${secret}; access_token=${secret}; authorization=Bearer ${secret}` },
      { 'proxy-authorization': `Bearer ${secret}` },
      { 'x-forwarded-authorization': `Bearer ${secret}` },
      { 'x-auth-token': secret },
      { 'x-api-key-id': secret },
    ]) {
      assert.equal(await statusesOf(headers), all(401), JSON.stringify(Object.keys(headers)));
    }
    const inBody = JSON.stringify({ ...JSON.parse(ASK), api_key: secret, key: secret });
    assert.equal((await ask('/v1/chat/completions', inBody, {})).status, 401);
  });

  it('is refused in the address, also beside a good one, whatever it is called', async () => {
    const { secret } = await gateway.key();
    const good = { authorization: `Bearer ${secret}` };
    for (const name of ['key', 'api_key', 'access_token', 'KEY', '%6bey', 'x-api-key', 'token']) {
      assert.equal(await statusesOf(good, `?${name}=${secret}`), all(400), name);
      assert.equal(await statusesOf({}, `?a=b&${name}=${secret}`), all(400), name);
    }
  });

  it('is refused beside another one, wherever both are, also twice in one header', async () => {
    const [one, two] = [(await gateway.key()).secret, (await gateway.key()).secret];
    const headers = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];
    const written = (name: string, secret: string) =>
      `${name}: ${name === 'authorization' ? 'Bearer ' : ''}${secret}`;
    for (const first of headers) {
      for (const second of headers) {
        for (const [method, path] of [
          ['GET', '/api/v1/usage'],
          ['POST', '/v1/chat/completions'],
        ] as const) {
          const lines = [`${method} ${path} HTTP/1.1`, 'host: t', 'connection: close'];
          lines.push(written(first, one), written(second, two), 'content-length: 0');
          const answer = await sendRaw(gateway.url, [`${lines.join('\r\n')}\r\n\r\n`]);
          assert.equal(answer.status, 400, `${path} ${first} ${second}`);
          assert.match(answer.body, /credentials_conflicting|Two different credentials/);
        }
      }
    }
  });
});

describe('a credential that was good a moment ago (B2, B6)', () => {
  const account = (username: string) => ({
    ...{ username, email: `${username}@x.example`, password: PASSWORD, tenant: 'acme' },
    roles: ['student'],
  });

  async function person(username: string) {
    const { body } = await gateway.api('POST', '/api/v1/users', account(username));
    const session = (await login(gateway.url, username)).body as SignedIn;
    return { id: body.id as string, session };
  }

  const refresh = async ({ refresh_token }: SignedIn) =>
    (await call(gateway.url, 'POST', '/api/v1/auth/refresh', { body: { refresh_token } })).status;

  it('shares nothing with one that begins, or is said, alike (B2)', async () => {
    const { session } = await person('twins');
    const { access_token: token } = session;
    const [head, body, signature = ''] = token.split('.');
    const { secret } = await gateway.key();
    const last = (text: string) => (text.endsWith('A') ? 'B' : 'A');
    assert.equal(
      await statusesOf({ authorization: `Bearer ${token}` }),
      '200,200,200,200,200,200,403,403',
    );

    for (const near of [
      `${head}.${body}.${'A'.repeat(signature.length)}`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${body}.`,
      `${token}.`,
      `${secret.slice(0, -1)}${last(secret)}`,
      `${secret}A`,
      secret.slice(0, 20),
    ]) {
      assert.equal(await statusesOf({ 'x-api-key': near }), all(401), near.slice(-20));
    }
    await call(gateway.url, 'POST', '/api/v1/auth/logout', { token });
    assert.equal(await statusesOf({ authorization: `Bearer ${token}` }), all(401));
  });

  const endings: readonly {
    readonly name: string;
    readonly end: (id: string, session: SignedIn) => Promise<{ readonly status: number }>;
    readonly status: number;
  }[] = [
    {
      name: 'an administrator set another password',
      end: (id) => gateway.api('PATCH', `/api/v1/users/${id}`, { password: 'Another-Horse-5' }),
      status: 401,
    },
    {
      name: 'the person changed the password',
      end: (_, { access_token: token }) =>
        call(gateway.url, 'POST', '/api/v1/auth/change-password', {
          token,
          body: { current_password: PASSWORD, new_password: 'Another-Horse-5' },
        }),
      status: 401,
    },
    {
      name: 'the account was closed',
      end: (id) => gateway.api('PATCH', `/api/v1/users/${id}`, { is_active: false }),
      status: 401,
    },
    {
      name: 'the account was removed',
      end: (id) => gateway.api('DELETE', `/api/v1/users/${id}`),
      status: 401,
    },
    {
      name: 'the tenant was suspended',
      end: () => gateway.api('POST', '/api/v1/tenants/acme/suspend', {}),
      status: 403,
    },
  ];
  for (const [at, { name, end, status }] of endings.entries()) {
    it(`opens nothing, streams end and every session is over, once ${name} (B6)`, async () => {
      const { id, session } = await person(`person-${at}`);
      const other = (await login(gateway.url, `person-${at}`)).body as SignedIn;
      const headers = { authorization: `Bearer ${other.access_token}` };
      const body = { ...JSON.parse(ASK), model: SLOW, stream: true };
      const open = await gateway.chat(body, other.access_token);
      assert.equal(open.status, 200);

      const done = await end(id, session);
      assert.ok(done.status < 300, `${name}: ${done.status}`);

      // Here: at once. Other processes: within two seconds, as `changes.test.ts` holds.
      const now = await statusesOf(headers);
      assert.ok(!now.includes('200'), `${name}: ${now}`);
      assert.equal(now.split(',')[0], String(status));
      for (const each of [session, other]) assert.ok((await refresh(each)) >= 400, name);
      const text = await open.text();
      assert.match(text, /"code":"(credentials_invalid|tenant_suspended)"/, name);
      assert.ok(!text.includes('[DONE]'));
      await gateway.api('POST', '/api/v1/tenants/acme/resume', {});
    });
  }
});

describe('a path (B3)', () => {
  it('is no other path to who may little, whatever hosts and headers say', async () => {
    const { secret } = await gateway.key({ tenant: 'acme' });
    const operations = await operationsOf(gateway);
    const served = operations.map(({ method, path }) => `${method} ${path}`);
    const closed = operations.filter(({ path }) => /\/(config|tenants|flags|jobs)/.test(path));
    assert.ok(closed.length >= 15, `${closed.length} of ${served.length}`);
    const hosts = [
      '127.0.0.1',
      'localhost/health/live?',
      '127.0.0.1:80#/v1/models',
      'a@b',
      '[::1]',
    ];
    const headers = ['x-original-url: /v1/models', 'x-rewrite-url: /v1/models'];
    headers.push('x-forwarded-prefix: /v1', 'x-forwarded-uri: /v1/models', 'x-tenant: default');
    headers.push('x-http-method-override: GET', 'x-forwarded-user: admin', 'x-user-id: key_admin');
    headers.push('x-esclusa-role: superadmin', 'forwarded: for=127.0.0.1;host=localhost');
    for (const { method, path } of closed) {
      const plain = path.replaceAll(/\{[^}]+\}/g, 'default');
      for (const target of [plain, `/v1/models/..${plain}`, `/v1/models/%2e%2e/%2e%2e${plain}`]) {
        for (const host of target === plain ? hosts : ['127.0.0.1']) {
          const lines = [`${method} ${target} HTTP/1.1`, `host: ${host}`, 'connection: close'];
          lines.push(`authorization: Bearer ${secret}`, 'content-length: 0', ...headers);
          const answer = await sendRaw(gateway.url, [`${lines.join('\r\n')}\r\n\r\n`]);
          const refused = [400, 403, 404, 405].includes(answer.status);
          assert.ok(refused, `${method} ${target} ${host}: ${answer.status} ${answer.body}`);
        }
      }
    }
  });
});
