/**
 * Goal: people sign in, stay signed in, and are out when they or an administrator say
 * so (attack B7).
 * Method: the whole program over real sockets; SQLite on disk; no stand-ins.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, newcomer, PASSWORD, register } from '../support/people.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));
const AUTH = '/api/v1/auth';

describe('a person', () => {
  let gateway: TestGateway;
  let url: string;
  before(async () => {
    gateway = await startGateway();
    url = gateway.url;
  });
  after(() => gateway.close());

  const refresh = (refresh_token: string, headers = {}) =>
    call(url, 'POST', `${AUTH}/refresh`, { body: { refresh_token }, headers });

  it('registers, signs in, refreshes once per token, and signs out for good', async () => {
    const weak = await register(url, 'ana', { password: 'lowercase1' });
    const registered = await register(url, 'ana');
    const signedIn = await login(url, 'ana');
    const me = await call(url, 'GET', `${AUTH}/me`, { token: signedIn.body.access_token });
    const renewed = await refresh(signedIn.body.refresh_token);
    const reused = await refresh(signedIn.body.refresh_token);
    const out = await call(url, 'POST', `${AUTH}/logout`, { token: renewed.body.access_token });
    const gone = await call(url, 'GET', `${AUTH}/me`, { token: renewed.body.access_token });

    assert.equal(weak.status, 422);
    assert.equal(weak.body.error.code, 'password_too_weak');
    const statuses = [registered, signedIn, me, renewed, reused, out, gone].map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses, [201, 200, 200, 200, 401, 200, 401]);
    assert.equal(signedIn.body.token_type, 'Bearer');
    assert.equal(signedIn.body.expires_in, 1800);
    assert.deepEqual(me.body.roles, ['student']);
    assert.equal(me.body.email, 'ana@uni.example');
  });

  it('who is a student may not do what administrators do', async () => {
    const { access_token: token } = await newcomer(url, 'pupil');

    const keys = await call(url, 'GET', '/api/v1/keys', { token });
    const made = await call(url, 'POST', '/api/v1/keys', { token, body: { name: 'mine' } });

    assert.equal(keys.status, 403);
    assert.equal(made.status, 403);
    assert.equal(made.body.error.code, 'permission_denied');
  });

  it('runs models with a token wherever a key does, and is booked by name', async () => {
    const { access_token: apiKey } = await newcomer(url, 'coder');
    const client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });

    const answer = await client.chat.completions
      .create({ model: 'mock', messages: [{ role: 'user', content: 'Hola' }] })
      .withResponse();
    const models = await client.models.list();
    const own = await call(url, 'GET', '/api/v1/requests', { token: apiKey });

    assert.equal(answer.data.object, 'chat.completion');
    assert.ok(models.data.some(({ id }) => id === 'mock'));
    const [row] = own.body.data;
    assert.equal(row.id, answer.response.headers.get('x-request-id'));
    assert.match(row.key_id, /^usr_/);
  });

  it('is refused with two different credentials, and with one in the address', async () => {
    const { access_token: token } = await newcomer(url, 'twoways');
    const path = `${AUTH}/me`;

    const twice = await call(url, 'GET', path, { token, headers: { 'x-api-key': 'esk_other' } });
    const same = await call(url, 'GET', path, { token, headers: { 'x-api-key': token } });
    const inQuery = await call(url, 'GET', `${path}?access_token=${token}`, {});

    assert.equal(twice.status, 400);
    assert.equal(twice.body.error.code, 'credentials_conflicting');
    assert.equal(same.status, 200);
    assert.equal(inQuery.status, 400);
    assert.equal(inQuery.body.error.code, 'credentials_in_query');
  });

  it('whose two windows refresh at once stays signed in, in one session', async () => {
    const { refresh_token: token } = await newcomer(url, 'windows');

    const twins = await Promise.all([refresh(token), refresh(token)]);
    const next = await refresh(twins[1]?.body.refresh_token);

    assert.deepEqual(
      twins.map(({ status }) => status),
      [200, 200],
    );
    assert.equal(twins[0]?.body.refresh_token, twins[1]?.body.refresh_token);
    assert.equal(next.status, 200);
  });

  it('whose token another client uses at the same moment is signed out of both', async () => {
    const { refresh_token: token } = await newcomer(url, 'stolen');

    const twins = await Promise.all([refresh(token), refresh(token, { 'user-agent': 'thief' })]);
    const winner = twins.find(({ status }) => status === 200);
    const after = await refresh(winner?.body.refresh_token);
    const me = await call(url, 'GET', `${AUTH}/me`, { token: winner?.body.access_token });

    assert.deepEqual(twins.map(({ status }) => status).sort(), [200, 401]);
    assert.equal(after.status, 401);
    assert.equal(me.status, 401);
  });

  it('sees the own sessions, and ends all of them at once', async () => {
    await register(url, 'sessions');
    const [first, second] = [await login(url, 'sessions'), await login(url, 'sessions')];
    await register(url, 'someone-else');
    const other = await login(url, 'someone-else');
    const as = (session: typeof first, method: string, path: string) =>
      call(url, method, `${AUTH}/${path}`, { token: session.body.access_token });

    const listed = await as(first, 'GET', 'sessions');
    const ended = await as(second, 'POST', 'logout-all');
    const after = [await as(first, 'GET', 'me'), await as(second, 'GET', 'me')];
    const renewed = await refresh(first.body.refresh_token);
    const again = await as(await login(url, 'sessions'), 'GET', 'sessions');

    assert.deepEqual(
      listed.body.data.map(({ is_current }: { is_current: boolean }) => is_current),
      [false, true],
    );
    assert.doesNotMatch(JSON.stringify(listed.body), /es[rk]_/);
    assert.equal(ended.status, 200);
    assert.deepEqual(
      [...after, renewed].map(({ status }) => status),
      [401, 401, 401],
    );
    assert.equal(again.body.data.length, 1);
    assert.equal((await as(other, 'GET', 'me')).status, 200);
    const byKey = await gateway.api('GET', `${AUTH}/sessions`);
    assert.equal(byKey.status, 403);
  });

  it('who changes the password is signed out everywhere', async () => {
    const first = await newcomer(url, 'changer');
    const second = (await login(url, 'changer')).body;
    const change = (current_password: string, new_password: string) =>
      call(url, 'POST', `${AUTH}/change-password`, {
        token: first.access_token,
        body: { current_password, new_password },
      });

    const wrong = await change('Not-The-One-1', 'Brand-New-Horse-7');
    const weak = await change(PASSWORD, 'Password123!');
    const changed = await change(PASSWORD, 'Brand-New-Horse-7');
    const gone = await Promise.all(
      [first, second].map(({ access_token: token }) => call(url, 'GET', `${AUTH}/me`, { token })),
    );
    const refreshed = await refresh(second.refresh_token);
    const old = await login(url, 'changer');
    const fresh = await login(url, 'changer', 'Brand-New-Horse-7');

    assert.equal(wrong.status, 401);
    assert.equal(weak.status, 422);
    assert.equal(changed.status, 200);
    assert.deepEqual(
      gone.map(({ status }) => status),
      [401, 401],
    );
    assert.equal(refreshed.status, 401);
    assert.equal(old.status, 401);
    assert.equal(fresh.status, 200);
  });

  it('cannot choose role, tenant or standing when registering', async () => {
    const extras: readonly object[] = [
      { roles: ['superadmin'] },
      { role: 'admin' },
      { isAdmin: true },
      { tenant: 'acme' },
      { is_verified: true },
      { id: 'usr_1' },
      { created_at: 1 },
      { constructor: { prototype: { roles: ['admin'] } } },
    ];
    const refused = await Promise.all(extras.map((more) => register(url, 'greedy', more)));
    const body = JSON.stringify({ email: 'p@uni.example', username: 'proto', password: PASSWORD });
    const raw = await fetch(`${url}${AUTH}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body.replace('{', '{"__proto__":{"roles":["admin"]},'),
    });

    assert.deepEqual(
      refused.map(({ status }) => status),
      extras.map(() => 400),
    );
    assert.equal(raw.status, 400);
    assert.equal((await login(url, 'greedy')).status, 401);
    assert.equal((await login(url, 'proto')).status, 401);
  });

  it('who registers with a taken address or name is not told so, and nothing changes', async () => {
    await register(url, 'first', { email: 'shared@uni.example' });

    const sameAddress = await register(url, 'second', { email: 'Shared@Uni.example' });
    const sameName = await register(url, 'FIRST', { password: 'Another-Horse-5' });
    const free = await register(url, 'third');

    assert.equal(sameAddress.status, 201);
    assert.deepEqual(Object.keys(sameAddress.body), Object.keys(free.body));
    assert.deepEqual([...sameAddress.headers.keys()], [...free.headers.keys()]);
    assert.equal(sameName.status, 201);
    assert.equal((await login(url, 'second')).status, 401);
    assert.equal((await login(url, 'first', 'Another-Horse-5')).status, 401);
    assert.equal((await login(url, 'first')).status, 200);
  });

  it('has no session where a key calls: its profile is the key’s own', async () => {
    const { secret, id } = await gateway.key({ name: 'robot' });

    const me = await call(url, 'GET', `${AUTH}/me`, { token: secret });
    const out = await call(url, 'POST', `${AUTH}/logout`, { token: secret });
    const nobody = await call(url, 'POST', `${AUTH}/logout`);

    assert.equal(me.body.kind, 'api_key');
    assert.equal(me.body.id, id);
    assert.equal(out.status, 403);
    assert.equal(nobody.status, 401);
  });
});

describe('production', () => {
  it('does not start with the placeholder secret, and names the variable', () => {
    const started = spawnSync(process.execPath, [COMMAND, 'start', '--data-dir', '/nonexistent'], {
      env: {
        PATH: process.env.PATH,
        ENVIRONMENT: 'production',
        JWT_SECRET_KEY: 'CHANGE_THIS_IN_PRODUCTION',
        PORT: '0',
      },
      encoding: 'utf8',
      timeout: 20_000,
    });

    assert.equal(started.status, 1);
    assert.match(started.stderr, /JWT_SECRET_KEY/);
    assert.doesNotMatch(started.stderr, /CHANGE_THIS_IN_PRODUCTION/);
  });

  it('does not start with an administrator whose password is one of the commonest', async (t) => {
    const admin = { ESCLUSA_ADMIN_EMAIL: 'ops@example.org', ESCLUSA_ADMIN_PASSWORD: 'Password1' };
    const env = { PATH: process.env.PATH, PORT: '0', ENVIRONMENT: 'production', ...admin };
    const words = [COMMAND, 'start', '--lang', 'es', '--data-dir', temporaryFolder(t)];
    const told = spawnSync(process.execPath, words, { env, encoding: 'utf8', timeout: 20_000 });

    const started = startGateway({ env: { ...admin, ENVIRONMENT: 'production' } });

    assert.equal(told.status, 1);
    assert.match(told.stderr, /ESCLUSA_ADMIN_PASSWORD: La contraseña necesita/);
    assert.doesNotMatch(told.stdout + told.stderr, /Password1/);

    await assert.rejects(started, (error: Error) => {
      assert.match(error.message, /`ESCLUSA_ADMIN_PASSWORD` is one of the commonest/);
      assert.doesNotMatch(error.message, /Password1/);
      return true;
    });
  });

  it('registers nobody without an invitation', async () => {
    const gateway = await startGateway({ env: { ENVIRONMENT: 'production' } });
    try {
      const refused = await register(gateway.url, 'ana');
      const invented = await register(gateway.url, 'ana', { invitation: 'inv_made_up' });

      assert.equal(refused.status, 403);
      assert.equal(refused.body.error.code, 'invitation_invalid');
      assert.equal(invented.status, 403);
    } finally {
      await gateway.close();
    }
  });
});

describe('a first start', () => {
  it('makes the administrator that the environment names, who can sign in', async () => {
    const gateway = await startGateway({
      env: { ESCLUSA_ADMIN_EMAIL: 'Ops@Example.org', ESCLUSA_ADMIN_PASSWORD: 'Initial-Horse-3' },
    });
    try {
      const body = { email: 'ops@example.org', password: 'Initial-Horse-3' };
      const session = await call(gateway.url, 'POST', `${AUTH}/login`, { body });
      const token = session.body.access_token;
      const me = await call(gateway.url, 'GET', `${AUTH}/me`, { token });
      const tenants = await call(gateway.url, 'GET', '/api/v1/tenants', { token });

      assert.deepEqual(gateway.server.firstAdmin, { email: 'ops@example.org', password: null });
      assert.deepEqual(me.body.roles, ['superadmin']);
      assert.equal(tenants.status, 200);
    } finally {
      await gateway.close();
    }
  });

  it('makes up an administrator and a key where nobody named one', async () => {
    const gateway = await startGateway({ env: { ESCLUSA_ADMIN_KEY: '' } });
    try {
      const { firstAdmin, firstKey } = gateway.server;
      const body = { email: firstAdmin?.email, password: firstAdmin?.password };
      const session = await call(gateway.url, 'POST', `${AUTH}/login`, { body });

      assert.match(firstKey ?? '', /^esk_/);
      assert.ok((firstAdmin?.password?.length ?? 0) >= 20);
      assert.equal(session.status, 200);
    } finally {
      await gateway.close();
    }
  });
});
