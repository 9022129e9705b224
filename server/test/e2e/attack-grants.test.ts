/**
 * Goal: nobody becomes more than they are, by whatever they may make or change (attacks D2, D3
 * and D4: keys, people, invitations, addresses, and members that nobody asked for).
 * Method: the whole program over real sockets; SQLite on disk; no stand-ins.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD, register } from '../support/people.ts';

let gateway: TestGateway;
let url: string;
/** What the first who registers on an empty installation is. */
let firstRoles: readonly string[];

before(async () => {
  gateway = await startGateway({ config: { http: { trusted_proxies: '127.0.0.1, ::1' } } });
  url = gateway.url;
  await register(url, 'first');
  const { access_token: token } = (await login(url, 'first')).body;
  firstRoles = (await call(url, 'GET', '/api/v1/auth/me', { token })).body.roles;
  for (const slug of ['acme', 'globex']) {
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
  }
});
after(() => gateway.close());

async function key(body: object): Promise<{ readonly id: string; readonly key: string }> {
  const made = await gateway.api('POST', '/api/v1/keys', { name: 'k', tenant: 'acme', ...body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const account = (username: string, more: object = {}) => ({
  ...{ email: `${username}@x.example`, username, password: PASSWORD, roles: ['student'] },
  ...more,
});

describe('a key that is confined to scopes (D2)', () => {
  let confined: string;
  let adminId: string;
  before(async () => {
    const scopes = ['users.read', 'users.write', 'keys.write'];
    confined = (await key({ role: 'admin', scopes })).key;
    const made = await gateway.api(
      'POST',
      '/api/v1/users',
      account('boss', { roles: ['admin'], tenant: 'acme' }),
    );
    adminId = made.body.id;
  });

  const by = (method: string, path: string, body: object) =>
    call(url, method, path, { token: confined, body });

  it('takes over nobody who may do more: no password, no address, no opening again', async () => {
    const path = `/api/v1/users/${adminId}`;
    for (const change of [
      { password: 'Stolen-Horse-8' },
      { email: 'eve@evil.example' },
      { is_active: true },
      { is_verified: true },
      { roles: ['admin'] },
    ]) {
      const { status, body } = await by('PATCH', path, change);
      assert.equal(status, 403, JSON.stringify(change));
      assert.equal(body.error.code, 'permission_denied');
    }
    assert.equal((await login(url, 'boss')).status, 200);
    const still = await gateway.api('GET', path);
    assert.equal(still.body.email, 'boss@x.example');
  });

  it('may still close and remove, which gives nobody anything', async () => {
    const made = await gateway.api('POST', '/api/v1/users', account('gone', { tenant: 'acme' }));
    const path = `/api/v1/users/${made.body.id}`;

    assert.equal((await by('PATCH', path, { is_active: false })).status, 200);
    assert.equal((await call(url, 'DELETE', path, { token: confined })).status, 200);
  });
});

describe('a key that is bound to networks (D2)', () => {
  it('is not widened by a network written as IPv6 that holds more than it says', async () => {
    const addresses = ['10.0.0.0/8'];
    const bound = await key({ role: 'admin', addresses });
    const inside = { 'x-forwarded-for': '10.1.1.1' };
    const wider = [
      '::ffff:10.0.0.0/8',
      '::ffff:10.0.0.0/96',
      '::ffff:a00:0/8',
      '::ffff:0a00:0000/96',
      '::/0',
      '0.0.0.0/0',
    ];
    for (const network of wider) {
      const options = { token: bound.key, headers: inside };
      const body = { name: 'x', addresses: [network] };
      const made = await call(url, 'POST', '/api/v1/keys', { ...options, body });
      const path = `/api/v1/keys/${bound.id}`;
      const changed = await call(url, 'PATCH', path, {
        ...options,
        body: { addresses: [network] },
      });
      for (const { status } of [made, changed]) {
        assert.ok([400, 403].includes(status), `${network}: ${status}`);
      }
    }
    const outside = { token: bound.key, headers: { 'x-forwarded-for': '203.0.113.9' } };
    assert.equal((await call(url, 'GET', '/api/v1/keys', outside)).status, 403);
  });

  it('knows an address in every spelling, and believes none that a client wrote', async () => {
    const { key: token } = await key({ addresses: ['10.0.0.0/8'] });
    const from = async (forwarded: string) => {
      const headers = { 'x-forwarded-for': forwarded };
      return (await call(url, 'GET', '/api/v1/models', { token, headers })).status;
    };

    for (const good of [
      '10.2.3.4',
      '::ffff:10.2.3.4',
      '::FFFF:10.2.3.4',
      '203.0.113.9, 10.2.3.4',
    ]) {
      assert.equal(await from(good), 200, good);
    }
    for (const bad of ['10.2.3.4, 203.0.113.9', '10.2.3.4, x', '', '10.2.3.4:80', '010.2.3.4']) {
      assert.equal(await from(bad), 403, bad);
    }
  });
});

/** Names of what an account has, none of which is for whoever registers or is invited to say. */
const RAISING: readonly object[] = [
  ...[{ role: 'admin' }, { roles: ['admin'] }, { isAdmin: true }, { is_admin: true }],
  ...[{ tenantId: 'globex' }, { tenant: 'globex' }, { tenant_id: 'globex' }],
  ...[{ emailVerified: true }, { is_verified: true }, { is_active: true }, { quota: 1e9 }],
  ...[{ budget: null }, { limits: {} }, { models: null }, { id: 'usr_1' }, { createdAt: 1 }],
  ...[{ created_at: 1 }, { subject: 'x y' }, { password_hash: '$2b$04$x' }],
  ...[{ user: { roles: ['admin'] } }, { 'roles[]': 'admin' }, { 'user.roles': 'admin' }],
];

describe('members that nobody asked for (D3)', () => {
  it('change nothing of who registers', async () => {
    for (const [at, more] of RAISING.entries()) {
      const name = `reg-${at}`;
      const made = await register(url, name, more);
      assert.ok([201, 400].includes(made.status), `${JSON.stringify(more)}: ${made.status}`);
      if (made.status === 400) continue;
      const { access_token: token } = (await login(url, name)).body;
      const { body } = await call(url, 'GET', '/api/v1/auth/me', { token });
      assert.deepEqual([body.roles, body.tenant], [['student'], 'default'], JSON.stringify(more));
      assert.notEqual(body.id, 'usr_1');
    }
  });

  it('change nothing of who registers by way of a prototype', async () => {
    const person = JSON.stringify(account('proto'));
    for (const inside of ['"__proto__":{"roles":["admin"]}', '"constructor":{"prototype":{}}']) {
      const answer = await fetch(`${url}/api/v1/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `${person.replace(/"roles":\[[^\]]*\]/, inside)}`,
      });
      assert.ok([201, 400].includes(answer.status), String(answer.status));
      const session = await login(url, 'proto');
      if (session.status !== 200) continue;
      const token = session.body.access_token;
      const { body } = await call(url, 'GET', '/api/v1/auth/me', { token });
      assert.deepEqual(body.roles, ['student']);
    }
    assert.equal(({} as { readonly roles?: unknown }).roles, undefined);
  });

  it('do not make an invitation, a sign-in, a password or a key say more than it may', async () => {
    const admin = (await login(url, 'boss')).body.access_token;
    for (const more of [{ id: 'inv_1' }, { used_at: null }, { token: 'esi_x' }, { is_admin: 1 }]) {
      const body = { roles: ['student'], ...more };
      const made = await call(url, 'POST', '/api/v1/users/invitations', { token: admin, body });
      assert.ok([201, 400].includes(made.status));
      assert.notEqual(made.body.id, 'inv_1');
      assert.notEqual(made.body.invitation, 'esi_x');
    }
    const changed = await call(url, 'POST', '/api/v1/auth/change-password', {
      token: admin,
      body: {
        ...{ current_password: PASSWORD, new_password: 'Another-Horse-5' },
        ...{ roles: ['superadmin'], user_id: 'usr_x' },
      },
    });
    assert.ok([200, 400].includes(changed.status));
    const password = changed.status === 200 ? 'Another-Horse-5' : PASSWORD;
    const token = (await login(url, 'boss', password)).body.access_token;
    const me = await call(url, 'GET', '/api/v1/auth/me', { token });
    assert.deepEqual(me.body.roles, ['admin']);
    for (const more of [{ id: 'key_1' }, { key: 'esk_x' }, { secret_hash: 'x' }, { hint: 'x' }]) {
      const made = await call(url, 'POST', '/api/v1/keys', { token, body: { name: 'x', ...more } });
      assert.ok([201, 400].includes(made.status));
      assert.notEqual(made.body.id, 'key_1');
      assert.notEqual(made.body.key, 'esk_x');
    }
  });

  it('who registers first is no administrator: that takes the environment', () => {
    assert.deepEqual(firstRoles, ['student']);
  });
});

describe('an administrator of a tenant (D4)', () => {
  it('neither changes nor removes a superadmin, and gives nobody that role', async () => {
    const made = await gateway.api(
      'POST',
      '/api/v1/users',
      account('owner', { roles: ['superadmin'], tenant: 'globex' }),
    );
    await gateway.api(
      'POST',
      '/api/v1/users',
      account('it-staff', { roles: ['admin'], tenant: 'globex' }),
    );
    const token = (await login(url, 'it-staff')).body.access_token;
    const path = `/api/v1/users/${made.body.id}`;

    assert.equal((await call(url, 'DELETE', path, { token })).status, 403);
    for (const body of [{ password: 'Stolen-Horse-8' }, { is_active: false }, { roles: [] }]) {
      const { status } = await call(url, 'PATCH', path, { token, body });
      assert.ok([400, 403].includes(status), JSON.stringify(body));
    }
    const self = await call(url, 'GET', '/api/v1/auth/me', { token });
    const raised = await call(url, 'PATCH', `/api/v1/users/${self.body.id}`, {
      token,
      body: { roles: ['admin', 'superadmin'] },
    });
    const minted = await call(url, 'POST', '/api/v1/keys', {
      token,
      body: { name: 'x', role: 'admin' },
    });
    assert.deepEqual([raised.status, minted.status], [403, 403]);
    assert.equal((await login(url, 'owner')).status, 200);
  });
});
