/**
 * Goal: a tenant keeps who administers it, whoever tries to take them away and however many try
 * at the same moment; a key makes keys only where it was given that (attack D4).
 * Method: the whole program over real sockets; SQLite on disk; no stand-ins.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD } from '../support/people.ts';

interface Person {
  readonly id: string;
  readonly token: string;
}

describe('who administers', () => {
  let gateway: TestGateway;
  let url: string;
  before(async () => {
    gateway = await startGateway();
    url = gateway.url;
  });
  after(() => gateway.close());

  async function tenant(slug: string): Promise<void> {
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
  }

  async function person(name: string, tenantOf: string, role: string): Promise<Person> {
    const body = { email: `${name}@x.example`, username: name, password: PASSWORD };
    const made = await gateway.api('POST', '/api/v1/users', {
      ...{ ...body, tenant: tenantOf, roles: [role] },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return { id: made.body.id, token: (await login(url, name)).body.access_token };
  }

  const path = ({ id }: Person): string => `/api/v1/users/${id}`;
  const change = (by: Person, whom: Person, body: object) =>
    call(url, 'PATCH', path(whom), { token: by.token, body });
  const remove = (by: Person, whom: Person) => call(url, 'DELETE', path(whom), { token: by.token });

  for (const [what, body] of [
    ['gives the role away', { roles: ['student'] }],
    ['closes itself', { is_active: false }],
    ['is not verified any more', { is_verified: false }],
    ['is removed', null],
  ] as const) {
    it(`D4: stays where the last one ${what}`, async () => {
      const slug = `t-${what.length}`;
      await tenant(slug);
      const only = await person(`only-${slug}`, slug, 'admin');

      const answer = body === null ? await remove(only, only) : await change(only, only, body);

      assert.equal(answer.status, 409);
      assert.equal(answer.body.error.code, 'conflict');
      const still = await call(url, 'GET', path(only), { token: only.token });
      assert.deepEqual([still.status, still.body.roles], [200, ['admin']]);
    });
  }

  it('D4: one is left where several take each other away at the same moment', async () => {
    await tenant('crowd');
    const names = ['c-0', 'c-1', 'c-2', 'c-3', 'c-4', 'c-5'];
    const crowd: Person[] = [];
    for (const name of names) crowd.push(await person(name, 'crowd', 'admin'));
    const ways = [
      (by: Person, whom: Person) => remove(by, whom),
      (by: Person, whom: Person) => change(by, whom, { roles: ['student'] }),
      (by: Person, whom: Person) => change(by, whom, { is_active: false }),
    ];

    const answers = await Promise.all(
      crowd.map((by, at) => {
        const whom = crowd[(at + 1) % crowd.length] as Person;
        return (ways[at % ways.length] as (typeof ways)[number])(by, whom);
      }),
    );

    for (const { status } of answers) assert.ok([200, 401, 403, 404, 409].includes(status));
    const { body } = await gateway.api('GET', '/api/v1/users?tenant=crowd');
    const users = body.data as { readonly roles: string[]; readonly is_active: boolean }[];
    const left = users.filter((user) => user.is_active && user.roles.includes('admin'));
    const gone = answers.filter(({ status }) => status === 200).length;
    assert.ok(left.length >= 1, JSON.stringify(answers.map(({ status }) => status)));
    assert.equal(left.length, names.length - gone);
  });

  it('D4: is not taken away by who is less, person or key', async () => {
    await tenant('home');
    const owner = await person('home-owner', 'home', 'superadmin');
    const admin = await person('home-admin', 'home', 'admin');
    const teacher = await person('home-teacher', 'home', 'instructor');
    const pupil = await person('home-pupil', 'home', 'student');
    const { secret } = await gateway.key({ tenant: 'home' });
    const robot = { id: 'x', token: secret };
    const ways = [
      (by: Person, whom: Person) => remove(by, whom),
      (by: Person, whom: Person) => change(by, whom, { is_active: false }),
      (by: Person, whom: Person) => change(by, whom, { roles: ['student'] }),
      (by: Person, whom: Person) => change(by, whom, { password: 'Taken-Over-77' }),
    ];

    for (const [by, whom] of [
      [admin, owner],
      [teacher, owner],
      [teacher, admin],
      [pupil, admin],
      [robot, admin],
      [robot, pupil],
      [pupil, pupil],
    ] as const) {
      for (const way of ways) assert.equal((await way(by, whom)).status, 403);
    }
    for (const name of ['home-owner', 'home-admin']) {
      assert.equal((await login(url, name)).status, 200);
    }
  });

  it('D4: the last superadmin stays, though there is a key of the environment', async () => {
    const alone = await startGateway({
      env: { ESCLUSA_ADMIN_EMAIL: 'ops@example.org', ESCLUSA_ADMIN_PASSWORD: 'Initial-Horse-3' },
    });
    try {
      const session = await call(alone.url, 'POST', '/api/v1/auth/login', {
        body: { email: 'ops@example.org', password: 'Initial-Horse-3' },
      });
      const token = session.body.access_token;
      const me = await call(alone.url, 'GET', '/api/v1/auth/me', { token });
      const removed = await call(alone.url, 'DELETE', `/api/v1/users/${me.body.id}`, { token });
      const lowered = await call(alone.url, 'PATCH', `/api/v1/users/${me.body.id}`, {
        ...{ token, body: { roles: ['admin'] } },
      });

      assert.deepEqual([removed.status, lowered.status], [409, 409]);
    } finally {
      await alone.close();
    }
  });

  it('D4: a key makes, changes, rotates and revokes keys where it was given that', async () => {
    const target = await gateway.key();
    const holders = {
      plain: await gateway.key(),
      reader: await scoped(['keys.read']),
      caller: await scoped(['models.call']),
    };
    for (const [name, { secret }] of Object.entries(holders)) {
      const one = `/api/v1/keys/${target.id}`;
      const answers = [
        await gateway.api('POST', '/api/v1/keys', { name: 'x' }, secret),
        await gateway.api('PATCH', one, { name: 'x' }, secret),
        await gateway.api('POST', `${one}/rotate`, {}, secret),
        await gateway.api('DELETE', one, undefined, secret),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 403, 403, 403],
        name,
      );
    }
    const given = await scoped(['keys.write']);
    assert.equal(
      (await gateway.api('POST', '/api/v1/keys', { name: 'x' }, given.secret)).status,
      201,
    );
  });

  async function scoped(scopes: readonly string[]) {
    const made = await gateway.api('POST', '/api/v1/keys', { name: 's', role: 'admin', scopes });
    return { id: made.body.id as string, secret: made.body.key as string };
  }
});
