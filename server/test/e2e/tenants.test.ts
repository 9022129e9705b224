/**
 * Tenants over the whole program: suspended ones are refused everywhere and what they run ends;
 * a host names its tenant and a credential must agree.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type GatewayOptions, startGateway, type TestGateway } from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';
import { askAt } from '../support/plain-request.ts';
import { until } from '../support/until.ts';

const HELLO = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

async function start(t: TestContext, options: GatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startGateway(options);
  t.after(() => gateway.close());
  return gateway;
}

test('a suspended tenant is refused with keys and with tokens, and let in again', async (t) => {
  const gateway = await start(t);
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  const { secret } = await gateway.key({ tenant: 'acme' });
  const account = { username: 'ana', password: PASSWORD };
  await gateway.api('POST', '/api/v1/users', {
    ...{ ...account, email: 'ana@acme.example', tenant: 'acme', roles: ['student'] },
  });
  const signedIn = await login(gateway.url, 'ana');
  const token = signedIn.body.access_token as string;
  const asked = async () => [
    (await gateway.chat(HELLO, secret)).status,
    (await gateway.api('GET', '/api/v1/auth/me', undefined, token)).status,
    (await login(gateway.url, 'ana')).status,
  ];
  assert.deepEqual(await asked(), [200, 200, 200]);

  const suspended = await gateway.api('POST', '/api/v1/tenants/acme/suspend');
  const refused = await asked();
  const why = await gateway.api('GET', '/api/v1/auth/me', undefined, secret);
  const resumed = await gateway.api('POST', '/api/v1/tenants/acme/resume');

  assert.equal(suspended.body.status, 'suspended');
  assert.deepEqual(refused, [403, 403, 403]);
  assert.equal(why.body.error.code, 'tenant_suspended');
  assert.equal(resumed.body.suspended_at, null);
  assert.deepEqual(await asked(), [200, 200, 200]);
});

test('a stream of a tenant ends legally when the tenant is suspended, others go on', async (t) => {
  const gateway = await start(t);
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  const { secret } = await gateway.key({ tenant: 'acme' });
  const slow = { ...HELLO, model: 'mock:tokens=400,tps=20', stream: true };
  const own = await gateway.chat(slow, secret);
  const other = await gateway.chat({ ...slow, model: 'mock:tokens=30,tps=20' });
  assert.deepEqual([own.status, other.status], [200, 200]);

  const startedMs = performance.now();
  await gateway.api('POST', '/api/v1/tenants/acme/suspend');
  const text = await own.text();

  assert.match(text, /tenant_suspended/);
  assert.ok(performance.now() - startedMs < 2000);
  assert.match(await other.text(), /\[DONE\]/);
});

test('another process refuses a suspended tenant within two seconds', async (t) => {
  const first = await start(t);
  const second = await start(t, { folder: first.folder });
  await first.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  const { secret } = await first.key({ tenant: 'acme' });
  const status = async () => (await second.chat(HELLO, secret)).status;
  await until('the key to work there', async () => (await status()) === 200, 2000);

  await first.api('POST', '/api/v1/tenants/acme/suspend');

  await until('the tenant to be refused there', async () => (await status()) === 403, 2000);
});

test('the operators’ own tenant stays at work', async (t) => {
  const gateway = await start(t);

  const refused = await gateway.api('POST', '/api/v1/tenants/default/suspend');

  assert.deepEqual([refused.status, refused.body.error.code], [409, 'conflict']);
});

test('at the host of a tenant only its own credentials are good', async (t) => {
  const gateway = await start(t);
  for (const slug of ['acme', 'globex']) {
    const hosts = [`${slug}.Example.`];
    const made = await gateway.api('POST', '/api/v1/tenants', { slug, name: slug, hosts });
    assert.deepEqual(made.body.hosts, [`${slug}.example`]);
  }
  const acme = await gateway.key({ tenant: 'acme' });
  const at = (host: string, key: string, path = '/api/v1/auth/me') =>
    askAt(gateway.url, host, path, { authorization: `Bearer ${key}` });

  assert.equal((await at('ACME.example:9000', acme.secret)).status, 200);
  assert.equal((await at('anything.else', acme.secret)).status, 200);
  const mismatch = await at('globex.example', acme.secret);
  assert.equal(mismatch.status, 403);
  assert.match(mismatch.text, /tenant_mismatch/);
  const chat = await askAt(
    ...[gateway.url, 'globex.example', '/v1/chat/completions'],
    { authorization: `Bearer ${acme.secret}`, 'content-type': 'application/json' },
    JSON.stringify(HELLO),
  );
  assert.equal(chat.status, 403);
  const forged = { authorization: `Bearer ${acme.secret}`, 'x-forwarded-host': 'globex.example' };
  assert.equal((await askAt(gateway.url, 'acme.example', '/api/v1/auth/me', forged)).status, 200);
});

test('a host says whose people sign in and register there', async (t) => {
  const gateway = await start(t);
  for (const slug of ['acme', 'globex']) {
    const hosts = [`${slug}.example`];
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug, hosts });
  }
  const post = (host: string, path: string, body: unknown) =>
    askAt(
      ...[gateway.url, host, path],
      { 'content-type': 'application/json' },
      JSON.stringify(body),
    );
  const account = { username: 'ana', password: PASSWORD };

  const registered = await post('acme.example', '/api/v1/auth/register', {
    ...account,
    email: 'ana@acme.example',
  });
  const elsewhere = await post('globex.example', '/api/v1/auth/login', account);
  const there = await post('acme.example', '/api/v1/auth/login', account);

  assert.equal(registered.status, 201);
  assert.equal(elsewhere.status, 401);
  assert.equal(there.status, 200);
  const { access_token: token, refresh_token } = JSON.parse(there.text) as Record<string, string>;
  const refresh = (host: string) => post(host, '/api/v1/auth/refresh', { refresh_token });
  assert.equal((await refresh('globex.example')).status, 401);
  assert.equal((await refresh('acme.example')).status, 200);
  const me = await gateway.api('GET', '/api/v1/auth/me', undefined, token);
  assert.equal(me.body.tenant, 'acme');
});
