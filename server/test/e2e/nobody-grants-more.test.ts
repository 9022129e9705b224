/**
 * Goal: nobody gives out more than they hold, to a key or to a person, at once or later (attack
 * D2), and what is stored beyond that does nothing when it is used.
 * Method: the whole program over real sockets; givers that are restricted in each of the ways
 * there are, and each way to ask for more than that.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD, register } from '../support/people.ts';

const SOON = '2099-01-01T00:00:00Z';
const LATER = '2099-01-02T00:00:00Z';
const BUDGET = { limit_usd: '1', period: 'month' };
const LIMITS = { requests_per_minute: 10, tokens_per_minute: 1000, concurrency: 2 };
const PRICE = { input_usd_per_million: 1, output_usd_per_million: 1 };
const CONFIG = {
  models: {
    cheap: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE },
    dear: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE },
  },
};
/** What the restricted giver holds; each of the wishes is one step beyond. */
const HELD = {
  scopes: ['keys.read', 'keys.write', 'users.read', 'users.write', 'models.call'],
  models: ['cheap'],
  limits: LIMITS,
  budget: BUDGET,
  expires_at: SOON,
};
const LIMIT_WISHES = Object.entries(LIMITS).flatMap(([name, held]) => [
  [`limits.${name}`, { limits: { ...LIMITS, [name]: held + 1 } }] as const,
]);
const WISHES: readonly (readonly [field: string, body: object])[] = [
  ['scopes', { scopes: null }],
  ['scopes', { scopes: ['audit.read'] }],
  ['scopes', { scopes: ['models.call', 'tenants.write'] }],
  ['models', { models: null }],
  ['models', { models: ['cheap', 'dear'] }],
  ['models', { models: ['cheap', 'mock/mock'] }],
  ...LIMIT_WISHES,
  ['budget', { budget: null }],
  ['budget', { budget: { limit_usd: '1.000000001', period: 'month' } }],
  ['budget', { budget: { limit_usd: '1', period: 'day' } }],
  ['budget', { budget: { ...BUDGET, soft: true } }],
  ['expires_at', { expires_at: null }],
  ['expires_at', { expires_at: LATER }],
];
/** What can be said when a key is made, and not later. */
const FIRST_WISHES: readonly (readonly [field: string, body: object])[] = [
  ['tenant', { tenant: 'globex' }],
  ['role', { role: 'admin' }],
];
const OF_PEOPLE = new Set(['models', 'budget', ...LIMIT_WISHES.map(([field]) => field)]);

describe('who is restricted', () => {
  let gateway: TestGateway;
  let giver: { readonly id: string; readonly key: string };
  before(async () => {
    gateway = await startGateway({ config: CONFIG });
    for (const slug of ['acme', 'globex']) {
      await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
    }
    giver = (await make({ role: 'admin', tenant: 'acme', ...HELD })).body;
  });
  after(() => gateway.close());

  const make = (body: object, by?: string) =>
    gateway.api('POST', '/api/v1/keys', { name: 'k', ...body }, by);
  const person = (name: string, more: object, by?: string) =>
    gateway.api(
      'POST',
      '/api/v1/users',
      { email: `${name}@x.example`, username: name, password: PASSWORD, ...more },
      by,
    );

  for (const [field, wish] of [...WISHES, ...FIRST_WISHES]) {
    it(`D2: makes no key with ${JSON.stringify(wish)}`, async () => {
      const before = await gateway.api('GET', '/api/v1/keys?tenant=acme');
      const made = await make(wish, giver.key);
      const after = await gateway.api('GET', '/api/v1/keys?tenant=acme');

      assert.equal(made.status, 403, JSON.stringify(made.body));
      assert.equal(made.body.error.code, 'permission_denied');
      assert.equal(made.body.error.field, field);
      assert.deepEqual(after.body, before.body);
    });
  }

  for (const [field, wish] of WISHES) {
    it(`D2: changes no key, nor itself, to ${JSON.stringify(wish)}`, async () => {
      const child = (await make({}, giver.key)).body;
      for (const id of [child.id, giver.id]) {
        const path = `/api/v1/keys/${id}`;
        const before = await gateway.api('GET', path);
        const changed = await gateway.api('PATCH', path, wish, giver.key);
        const after = await gateway.api('GET', path);

        assert.equal(changed.status, 403, JSON.stringify(changed.body));
        assert.equal(changed.body.error.field, field);
        assert.deepEqual(after.body, before.body);
      }
    });
  }

  it('D2: gives what it holds where nothing is said, and no more', async () => {
    const { body: child } = await make({}, giver.key);

    assert.deepEqual(child.scopes, HELD.scopes);
    assert.deepEqual(child.models, HELD.models);
    assert.deepEqual(child.limits, LIMITS);
    assert.deepEqual(child.budget, BUDGET);
    assert.equal(Date.parse(child.expires_at), Date.parse(SOON));
    assert.equal(child.tenant, 'acme');
  });

  it('D2: rotates no key that may more, and gets no secret of it', async () => {
    const free = await make({ tenant: 'acme' });
    const rotated = await gateway.api(
      'POST',
      `/api/v1/keys/${free.body.id}/rotate`,
      { overlap_seconds: 600 },
      giver.key,
    );

    assert.equal(rotated.status, 403);
    assert.equal(JSON.stringify(rotated.body).includes('esk_'), false);
  });

  it('D2: makes, invites and raises nobody who may what its scopes do not have', async () => {
    const all = await make({ role: 'admin', tenant: 'acme' });
    const scoped = { ...HELD, models: null, limits: {}, budget: null };
    const narrow = (await make({ role: 'admin', tenant: 'acme', ...scoped })).body.key;
    const victim = await person('victim', { tenant: 'acme', roles: ['admin'] });
    const path = `/api/v1/users/${victim.body.id}`;
    const invite = '/api/v1/users/invitations';

    const refused = [
      await person('made', { roles: ['admin'] }, narrow),
      await person('made', { roles: ['student', 'superadmin'] }, narrow),
      await gateway.api('POST', invite, { roles: ['admin'] }, narrow),
      await gateway.api('PATCH', path, { roles: ['admin', 'instructor'] }, narrow),
      await gateway.api('PATCH', path, { password: 'Taken-Over-77' }, narrow),
      await gateway.api('PATCH', path, { email: 'mine@x.example' }, narrow),
    ];
    const allowed = await person('colleague', { roles: ['admin'] }, all.body.key);

    for (const { status, body } of refused) {
      assert.equal(status, 403, JSON.stringify(body));
      assert.equal(body.error.field, 'roles');
    }
    assert.equal(allowed.status, 201, JSON.stringify(allowed.body));
    assert.equal((await login(gateway.url, 'made')).status, 401);
    assert.equal((await login(gateway.url, 'victim', 'Taken-Over-77')).status, 401);
    assert.equal((await login(gateway.url, 'victim')).status, 200);
    assert.deepEqual((await gateway.api('GET', path)).body.roles, ['admin']);
  });

  it('D2: gives people no more models, limits or budget than it has', async () => {
    const holder = { models: HELD.models, limits: LIMITS, budget: BUDGET };
    const { key } = (await make({ role: 'admin', tenant: 'acme', ...holder })).body;
    const inherited = await person('inherits', { roles: ['student'] }, key);
    const free = await person('free', { tenant: 'acme', roles: ['student'] });
    const wishes = WISHES.filter(([field]) => OF_PEOPLE.has(field));
    assert.ok(wishes.length >= 9);

    for (const [field, wish] of wishes) {
      const made = await person('wished', { roles: ['student'], ...wish }, key);
      const path = `/api/v1/users/${inherited.body.id}`;
      const changed = await gateway.api('PATCH', path, wish, key);
      assert.deepEqual([made.status, changed.status], [403, 403], JSON.stringify(wish));
      assert.deepEqual([made.body.error.field, changed.body.error.field], [field, field]);
    }
    const path = `/api/v1/users/${free.body.id}`;
    const taken = await gateway.api('PATCH', path, { password: 'Taken-Over-78' }, key);
    const invited = await gateway.api('POST', '/api/v1/users/invitations', {}, key);

    assert.deepEqual([taken.status, invited.status], [403, 403]);
    assert.deepEqual(inherited.body.models, HELD.models);
    assert.deepEqual([inherited.body.limits, inherited.body.budget], [LIMITS, BUDGET]);
    assert.equal((await login(gateway.url, 'free', 'Taken-Over-78')).status, 401);
  });

  it('D2: who registers by an invitation has what was given, whatever they ask for', async () => {
    const { body } = await gateway.api('POST', '/api/v1/users/invitations', { tenant: 'acme' });
    const greedy = { invitation: body.invitation, roles: ['admin'], tenant: 'globex' };

    const refused = await register(gateway.url, 'invited', greedy);
    const taken = await register(gateway.url, 'invited', { invitation: body.invitation });
    const { body: session } = await login(gateway.url, 'invited');
    const me = await call(gateway.url, 'GET', '/api/v1/auth/me', { token: session.access_token });

    assert.deepEqual([refused.status, taken.status], [400, 201]);
    assert.deepEqual([me.body.roles, me.body.tenant], [['student'], 'acme']);
  });
});

describe('what is stored beyond what may be given', () => {
  const folder = temporaryFolder({ after });
  let gateway: TestGateway;
  let wide: { readonly id: string; readonly secret: string };
  before(async () => {
    gateway = await startGateway({ folder, config: CONFIG });
    await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
    wide = await gateway.key({ tenant: 'acme', models: ['cheap'], limits: {} });
    await gateway.close();
    const database = new DatabaseSync(join(folder, 'data', 'esclusa.sqlite'));
    const scopes = JSON.stringify(['models.call', 'keys.write', 'tenants.read', 'usage.read']);
    database.prepare('update api_keys set scopes = ? where id = ?').run(scopes, wide.id);
    database.close();
    gateway = await startGateway({ folder, config: CONFIG });
  });
  after(() => gateway.close());

  it('D2: is judged again at every use: scopes by the role, models, tenant', async () => {
    const ask = (model: string) =>
      gateway.chat({ model, messages: [{ role: 'user', content: 'Hola' }] }, wide.secret);
    const own = await gateway.api('GET', '/api/v1/usage', undefined, wide.secret);
    const refused = [
      await gateway.api('POST', '/api/v1/keys', { name: 'x' }, wide.secret),
      await gateway.api('GET', '/api/v1/tenants', undefined, wide.secret),
      await gateway.api('GET', '/api/v1/usage?tenant=default', undefined, wide.secret),
      await ask('dear'),
      await ask('mock'),
      await ask('mock/mock'),
    ];

    assert.equal(own.status, 200);
    assert.equal((await ask('cheap')).status, 200);
    for (const { status } of refused) assert.equal(status, 403);
  });
});
