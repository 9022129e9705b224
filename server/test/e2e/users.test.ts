/**
 * Goal: administrators handle the users of their tenant and of no other, and what they do can
 * be read afterwards.
 * Method: the whole program over real sockets; SQLite on disk; no stand-ins.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD, register } from '../support/people.ts';
import { until } from '../support/until.ts';

const ADMIN_PASSWORD = 'Steady-Admin-4';

describe('users', () => {
  let gateway: TestGateway;
  let url: string;
  /** Administrators of two tenants, by their token. */
  const admins: Record<'acme' | 'globex', string> = { acme: '', globex: '' };

  async function admin(tenant: string, username = `admin-${tenant}`): Promise<string> {
    const body = { email: `${username}@x.example`, username, password: ADMIN_PASSWORD };
    const made = await gateway.api('POST', '/api/v1/users', { ...body, roles: ['admin'], tenant });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return (await login(url, username, ADMIN_PASSWORD)).body.access_token;
  }

  const create = (token: string, username: string, more: object = {}) =>
    call(url, 'POST', '/api/v1/users', {
      token,
      body: { email: `${username}@x.example`, username, password: PASSWORD, ...more },
    });

  before(async () => {
    gateway = await startGateway();
    url = gateway.url;
    for (const tenant of ['acme', 'globex'] as const) {
      await gateway.api('POST', '/api/v1/tenants', { slug: tenant, name: tenant });
      admins[tenant] = await admin(tenant);
    }
  });
  after(() => gateway.close());

  it('are made by an administrator in their own tenant, and sign in at once', async () => {
    const made = await create(admins.acme, 'bea', { roles: ['instructor'] });
    const session = await login(url, 'bea');
    const foreign = await create(admins.acme, 'eve', { tenant: 'globex' });
    const raised = await create(admins.acme, 'eve', { roles: ['superadmin'] });

    assert.equal(made.status, 201);
    assert.equal(made.body.tenant, 'acme');
    assert.equal(JSON.stringify(made.body).includes(PASSWORD), false);
    assert.equal(session.status, 200);
    assert.equal(foreign.status, 403);
    assert.equal(raised.status, 403);
    assert.equal(raised.body.error.field, 'roles');
  });

  it('do not tell apart whose an address is, and cannot be found out by the list', async () => {
    const taken = (token: string, number: number, email: string) =>
      create(token, `guess-${number}`, { email });
    await gateway.api('POST', '/api/v1/tenants', { slug: 'initech', name: 'initech' });
    const guesser = await admin('initech', 'guesser');
    const mine = await create(guesser, 'own');
    await create(admins.globex, 'foreign');

    const own = await taken(guesser, 1, 'own@x.example');
    const foreign = await taken(guesser, 2, 'foreign@x.example');
    const statuses: number[] = [];
    await until('nothing more to be found out for a while', async () => {
      const { status, headers } = await taken(guesser, statuses.length, 'foreign@x.example');
      statuses.push(status);
      return status === 429 && Number(headers.get('retry-after')) >= 4;
    });
    const change = { token: guesser, body: { email: 'foreign@x.example' } };
    const [free, renamed] = await Promise.all([
      create(guesser, 'nobody-yet'),
      call(url, 'PATCH', `/api/v1/users/${mine.body.id}`, change),
    ]);
    const other = await create(admins.globex, 'unhindered');
    const operator = await gateway.api('POST', '/api/v1/users', {
      ...{ email: 'own@x.example', username: 'x-own', password: PASSWORD, tenant: 'initech' },
      roles: ['student'],
    });

    const told = ({ body }: typeof own) => [body.error.message, body.error.field];
    assert.deepEqual([own.status, foreign.status], [409, 409]);
    assert.deepEqual(told(own), told(foreign));
    assert.deepEqual(new Set(statuses.slice(0, 8)), new Set([409]));
    assert.deepEqual([free.status, free.body.error.code], [429, 'rate_limited']);
    assert.ok(Number(free.headers.get('retry-after')) >= 1);
    assert.deepEqual([renamed.status, other.status, operator.status], [429, 201, 409]);
  });

  it('are listed in pages, of the own tenant only, whatever the cursor says', async () => {
    for (const name of ['c-1', 'c-2', 'c-3']) await create(admins.acme, name);

    const page = await call(url, 'GET', '/api/v1/users?limit=2', { token: admins.acme });
    const next = encodeURIComponent(page.body.next);
    const rest = await call(url, 'GET', `/api/v1/users?limit=2&cursor=${next}`, {
      token: admins.acme,
    });
    const stolen = await call(url, 'GET', `/api/v1/users?cursor=${next}`, {
      token: admins.globex,
    });
    const all = [...page.body.data, ...rest.body.data];

    assert.equal(all.length, 4);
    assert.equal(
      all.every(({ tenant }: { tenant: string }) => tenant === 'acme'),
      true,
    );
    assert.equal(stolen.status, 400);
    assert.equal(stolen.body.error.code, 'cursor_invalid');
  });

  it('who are closed, or lose a role, are so within two seconds, sessions and all', async () => {
    const made = await create(admins.acme, 'short', { roles: ['admin'] });
    const session = (await login(url, 'short')).body;
    const me = () => call(url, 'GET', '/api/v1/users', { token: session.access_token });
    const patch = (body: object) =>
      call(url, 'PATCH', `/api/v1/users/${made.body.id}`, { token: admins.acme, body });

    const asAdmin = await me();
    await patch({ roles: ['student'] });
    const asStudent = await me();
    await patch({ is_active: false });
    const closed = await me();
    const refreshed = await call(url, 'POST', '/api/v1/auth/refresh', {
      body: { refresh_token: session.refresh_token },
    });
    const signIn = await login(url, 'short');
    const model = await gateway.chat({ model: 'mock', messages: [] }, session.access_token);

    assert.equal(asAdmin.status, 200);
    assert.equal(asStudent.status, 403);
    assert.equal(closed.status, 401);
    assert.equal(refreshed.status, 401);
    assert.equal(signIn.status, 401);
    assert.equal(model.status, 401);
  });

  it('who bring a bcrypt hash sign in by it, once, and are hashed anew', async () => {
    const account = (username: string, more: object) =>
      call(url, 'POST', '/api/v1/users', {
        token: admins.acme,
        body: { email: `${username}@uni.example`, username, ...more },
      });
    const hash = await bcrypt('Imported-Horse-1', { cost: 5 });

    const made = await account('imported', { password_hash: hash });
    const wrong = await login(url, 'imported', 'Imported-Horse-2');
    const right = await login(url, 'imported', 'Imported-Horse-1');
    const refused = [
      await account('both', { password_hash: hash, password: PASSWORD }),
      await account('neither', {}),
      await account('dear', { password_hash: hash.replace('$05$', '$31$') }),
      await account('other', { password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' }),
    ];

    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.has_password, true);
    assert.deepEqual([wrong.status, right.status], [401, 200]);
    for (const { status, body } of refused) {
      assert.equal(status, 400);
      assert.match(body.error.message, /password_hash/);
    }
    const file = `${gateway.folder}/data/esclusa.sqlite`;
    const database = new DatabaseSync(file, { readOnly: true });
    const kept = database.prepare('select password_hash as hash from users where id = ?');
    assert.match(String(kept.get(made.body.id)?.hash), /^\$argon2id\$/);
    database.close();
    assert.equal((await login(url, 'imported', 'Imported-Horse-1')).status, 200);
  });

  it('are signed out by an administrator of theirs, and may sign in again', async () => {
    const made = await create(admins.acme, 'ended');
    const session = (await login(url, 'ended')).body;
    const path = `/api/v1/users/${made.body.id}/sessions`;

    const listed = await call(url, 'GET', path, { token: admins.acme });
    const foreign = [
      await call(url, 'GET', path, { token: admins.globex }),
      await call(url, 'DELETE', path, { token: admins.globex }),
    ];
    const before = await call(url, 'GET', '/api/v1/auth/me', { token: session.access_token });
    const ended = await call(url, 'DELETE', path, { token: admins.acme });
    const after = await call(url, 'GET', '/api/v1/auth/me', { token: session.access_token });
    const empty = await call(url, 'GET', path, { token: admins.acme });

    assert.deepEqual([listed.body.data.length, empty.body.data.length], [1, 0]);
    assert.deepEqual(
      foreign.map(({ status }) => status),
      [404, 404],
    );
    assert.deepEqual(
      [before, ended, after].map(({ status }) => status),
      [200, 200, 401],
    );
    assert.equal((await login(url, 'ended')).status, 200);
    const log = await call(url, 'GET', '/api/v1/audit?limit=20', { token: admins.acme });
    const entry = log.body.data.find(
      ({ action }: { action: string }) => action === 'users.sign_out',
    );
    assert.equal(entry.subject, made.body.id);
  });

  it('who are removed are gone, and leave nothing personal in the database', async () => {
    const made = await create(admins.acme, 'vanish');
    const gone = await call(url, 'DELETE', `/api/v1/users/${made.body.id}`, {
      token: admins.acme,
    });
    const again = await call(url, 'GET', `/api/v1/users/${made.body.id}`, { token: admins.acme });

    assert.equal(gone.status, 200);
    assert.equal(again.status, 404);
    const database = new DatabaseSync(`${gateway.folder}/data/esclusa.sqlite`, { readOnly: true });
    const rows = database.prepare('select * from users where id = ?').all(made.body.id);
    const log = database.prepare('select * from audit_log').all();
    database.close();
    assert.doesNotMatch(JSON.stringify([rows, log]), /vanish/);
  });

  it('keep the last administrator of a tenant, also against themselves', async () => {
    const token = await admin('globex', 'globex-second');
    const mine = await call(url, 'GET', '/api/v1/auth/me', { token: admins.globex });
    const second = await call(url, 'GET', '/api/v1/auth/me', { token });
    const change = (id: string, body: object, by: string) =>
      call(url, 'PATCH', `/api/v1/users/${id}`, { token: by, body });

    const demoted = await change(second.body.id, { roles: ['student'] }, admins.globex);
    const last = await change(mine.body.id, { roles: ['student'] }, admins.globex);
    const closed = await change(mine.body.id, { is_active: false }, admins.globex);
    const removed = await call(url, 'DELETE', `/api/v1/users/${mine.body.id}`, {
      token: admins.globex,
    });

    assert.equal(demoted.status, 200);
    assert.deepEqual([last.status, closed.status, removed.status], [409, 409, 409]);
    const still = await call(url, 'GET', '/api/v1/users', { token: admins.globex });
    assert.equal(still.status, 200);
  });

  it('cannot be given what is not theirs by names that are not known', async () => {
    const made = await create(admins.acme, 'massive');
    const path = `/api/v1/users/${made.body.id}`;
    const bodies = [
      { tenant: 'globex' },
      { id: 'usr_x' },
      { created_at: 1 },
      { password_hash: 'x' },
    ];

    const answers = await Promise.all(
      bodies.map((body) => call(url, 'PATCH', path, { token: admins.acme, body })),
    );
    const after = await call(url, 'GET', path, { token: admins.acme });

    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 400],
    );
    assert.deepEqual(after.body, made.body);
  });

  it('are invited with a token that works once, for one address, until it expires', async () => {
    const invite = (body: object) =>
      call(url, 'POST', '/api/v1/users/invitations', { token: admins.acme, body });
    const made = await invite({ email: 'New@x.example', roles: ['instructor'] });
    const { invitation } = made.body;

    const other = await register(url, 'other', { invitation });
    const first = await register(url, 'newbie', { email: 'new@x.example', invitation });
    const again = await register(url, 'newbie2', { email: 'new@x.example', invitation });
    const session = await login(url, 'newbie');
    const me = await call(url, 'GET', '/api/v1/auth/me', { token: session.body.access_token });
    const raised = await invite({ roles: ['superadmin'] });

    assert.equal(made.status, 201);
    assert.equal(other.status, 403);
    assert.equal(first.status, 201);
    assert.equal(again.status, 403);
    assert.deepEqual([me.body.tenant, me.body.roles], ['acme', ['instructor']]);
    assert.equal(raised.status, 403);
  });

  it('leave a trail: who did what to whom, of the own tenant only, without secrets', async () => {
    const made = await create(admins.acme, 'trail');
    const wrong = await login(url, 'trail', 'Wrong-Horse-1');

    const mine = await call(url, 'GET', '/api/v1/audit', { token: admins.acme });
    const theirs = await call(url, 'GET', '/api/v1/audit', { token: admins.globex });
    const asked = await call(url, 'GET', '/api/v1/audit?tenant=acme', { token: admins.globex });
    const all = await gateway.api('GET', '/api/v1/audit?limit=200');

    const created = mine.body.data.find(
      (each: { action: string; subject: string }) =>
        each.action === 'users.create' && each.subject === made.body.id,
    );
    assert.equal(created?.outcome, 'success');
    assert.match(created.actor, /^usr_/);
    assert.deepEqual(created.details.fields, ['email', 'password', 'roles', 'username']);
    const failed = mine.body.data.find(
      (each: { action: string; outcome: string }) =>
        each.action === 'auth.login' && each.outcome === 'failure',
    );
    assert.equal(failed?.address, '127.0.0.1');
    assert.equal(wrong.status, 401);
    assert.equal(
      theirs.body.data.some((each: { tenant: string }) => each.tenant !== 'globex'),
      false,
    );
    assert.equal(asked.status, 403);
    assert.doesNotMatch(JSON.stringify(all.body), /Wrong-Horse|Correct-Horse|eyJ|esk_|@x\.example/);
  });
});
