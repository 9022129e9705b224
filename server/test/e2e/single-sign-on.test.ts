/**
 * Goal: who an issuer vouches for signs in, and nobody else does.
 * Method: the whole program and an OpenID Connect issuer, both over real sockets; the browser is
 * played by a client that keeps one cookie.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type OidcIssuer,
  startOidcIssuer,
} from '../support/oidc-issuer.ts';
import { type Answered, call, PASSWORD, register } from '../support/people.ts';
import { askAt } from '../support/plain-request.ts';

const LOGIN = '/api/v1/auth/oidc/login';
const CALLBACK = '/api/v1/auth/oidc/callback';

describe('single sign-on', () => {
  let issuer: OidcIssuer;
  let gateway: TestGateway;
  before(async () => {
    issuer = await startOidcIssuer();
    gateway = await startGateway({
      config: {
        auth: {
          oidc_issuer: issuer.url,
          oidc_client_id: CLIENT_ID,
          oidc_client_secret: CLIENT_SECRET,
          oidc_redirect_url: `http://gateway.example${CALLBACK}`,
          oidc_role_claim: 'realm.groups',
          oidc_role_map: 'staff=instructor, it=admin',
          oidc_tenant_claim: 'org',
        },
      },
    });
    await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  });
  beforeEach(() => {
    issuer.signsWrong = false;
  });
  after(async () => {
    await gateway.close();
    await issuer.close();
  });

  /** Goes to the issuer; what comes back is the query for the callback, and the cookie. */
  async function depart() {
    const away = await call(gateway.url, 'GET', LOGIN);
    assert.equal(away.status, 302);
    const carried = away.headers.get('set-cookie') ?? '';
    const back = await fetch(away.headers.get('location') ?? '', { redirect: 'manual' });
    const { search } = new URL(back.headers.get('location') ?? '');
    return { carried, search, cookie: carried.split(';')[0] ?? '' };
  }
  function arrive(search: string, cookie: string): Promise<Answered> {
    return call(gateway.url, 'GET', `${CALLBACK}${search}`, { headers: { cookie } });
  }
  async function signIn(person: Record<string, unknown>): Promise<Answered> {
    issuer.person = { email_verified: true, org: 'acme', ...person };
    const { search, cookie } = await depart();
    return arrive(search, cookie);
  }
  async function profile(session: Answered) {
    const token = session.body.access_token;
    return (await call(gateway.url, 'GET', '/api/v1/auth/me', { token })).body;
  }

  it('makes an account at the first visit and finds it at the next', async () => {
    const person = { sub: 'p-1', email: 'Ana@acme.example', preferred_username: 'ana.r' };

    const first = await signIn(person);
    const again = await signIn({ ...person, email: 'renamed@acme.example' });
    const me = await profile(first);
    const model = await gateway.chat(
      { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] },
      first.body.access_token,
    );

    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.deepEqual(
      [me.email, me.name, me.tenant, me.roles],
      ['ana@acme.example', 'ana-r', 'acme', ['student']],
    );
    assert.equal((await profile(again)).id, me.id);
    assert.equal(model.status, 200);
    assert.deepEqual(issuer.complaints, []);
  });

  it('gives the roles that the claims map to, and takes them with the next visit', async () => {
    const person = { sub: 'p-2', email: 'bea@acme.example' };

    const raised = await signIn({ ...person, realm: { groups: ['it', 'staff', 'constructor'] } });
    const asAdmin = await profile(raised);
    const lowered = await signIn({ ...person, realm: { groups: ['others'] } });
    const held = await call(gateway.url, 'GET', '/api/v1/users', {
      token: raised.body.access_token,
    });

    assert.deepEqual(asAdmin.roles, ['instructor', 'admin']);
    assert.deepEqual((await profile(lowered)).roles, ['student']);
    assert.equal(held.status, 403);
  });

  it('is refused to another tenant, to none, and to an address that is not verified', async () => {
    const person = { sub: 'p-3', email: 'eve@acme.example' };
    await signIn({ ...person, sub: 'p-4', email: 'cy@acme.example' });

    const nowhere = await signIn({ ...person, org: 'nowhere' });
    const without = await signIn({ ...person, org: undefined });
    const moved = await signIn({ sub: 'p-4', email: 'cy@acme.example', org: 'default' });
    const unverified = await signIn({ ...person, email_verified: false });
    const nameless = await signIn({ ...person, email: undefined });

    for (const answer of [nowhere, without, moved, unverified, nameless]) {
      assert.equal(answer.status, 401);
      assert.equal(answer.body.error.code, 'single_sign_on_refused');
    }
  });

  it('is refused at the host of another tenant and while the own one is suspended', async () => {
    const hosts = ['globex.example'];
    await gateway.api('POST', '/api/v1/tenants', { slug: 'globex', name: 'Globex', hosts });
    const person = { sub: 'p-11', email: 'gil@acme.example' };
    const before = await signIn(person);

    issuer.person = { email_verified: true, org: 'acme', ...person };
    const { search, cookie } = await depart();
    const path = `${CALLBACK}${search}`;
    const elsewhere = await askAt(gateway.url, 'globex.example', path, { cookie });
    await gateway.api('POST', '/api/v1/tenants/acme/suspend');
    const suspended = await signIn(person);
    const newcomer = await signIn({ sub: 'p-12', email: 'new@acme.example' });
    await gateway.api('POST', '/api/v1/tenants/acme/resume');
    const users = await gateway.api('GET', '/api/v1/users?tenant=acme&limit=100');

    assert.equal(before.status, 200);
    assert.equal(elsewhere.status, 401, elsewhere.text);
    assert.deepEqual(
      [suspended, newcomer].map(({ status, body }) => [status, body.error.code]),
      [
        [403, 'tenant_suspended'],
        [403, 'tenant_suspended'],
      ],
    );
    const addresses = users.body.data.map(({ email }: { email: string }) => email);
    assert.equal(addresses.includes('new@acme.example'), false);
    assert.equal((await signIn(person)).status, 200);
  });

  it('changes nothing of an account that another tenant has', async () => {
    const groups = (name: string) => ({ realm: { groups: [name] } });
    const person = { sub: 'p-9', email: 'ivo@acme.example' };
    const made = await signIn({ ...person, ...groups('staff') });
    const { id, roles } = await profile(made);

    const refused = await signIn({ ...person, ...groups('it'), org: 'default' });

    assert.equal(refused.status, 401);
    const after = await gateway.api('GET', `/api/v1/users/${id}`);
    assert.deepEqual([after.body.tenant, after.body.roles], ['acme', roles]);
  });

  it('does not take over an account that has a password', async () => {
    await register(gateway.url, 'local', { email: 'local@acme.example' });

    const taken = await signIn({ sub: 'p-5', email: 'local@acme.example', org: 'default' });
    const body = { email: 'local@acme.example', password: PASSWORD };
    const own = await call(gateway.url, 'POST', '/api/v1/auth/login', { body });

    assert.equal(taken.status, 401);
    assert.equal(own.status, 200);
  });

  it('is refused where state, cookie, nonce, signature or issuer is not right', async () => {
    issuer.person = { sub: 'p-6', email: 'fay@acme.example', email_verified: true, org: 'acme' };
    const mine = await depart();
    const theirs = await depart();

    const swapped = await arrive(theirs.search, mine.cookie);
    const without = await arrive(theirs.search, '');
    const changed = await arrive(theirs.search, `${theirs.cookie.slice(0, -3)}AAA`);
    const stateless = await arrive(theirs.search.replace(/state=[^&]+/, 'state=x'), theirs.cookie);
    const good = await arrive(theirs.search, theirs.cookie);
    const twice = await arrive(theirs.search, theirs.cookie);
    const lies = [{ nonce: 'other' }, { iss: 'http://elsewhere' }, { aud: 'other' }, { exp: 1 }];
    const lied: Answered[] = [];
    for (const lie of lies) lied.push(await signIn({ ...issuer.person, ...lie }));
    issuer.signsWrong = true;
    const forged = await signIn({ sub: 'p-6', email: 'fay@acme.example' });

    assert.equal(good.status, 200);
    for (const answer of [swapped, without, changed, stateless, twice, ...lied, forged]) {
      assert.equal(answer.status, 401, JSON.stringify(answer.body));
    }
    assert.match(mine.carried, /HttpOnly; SameSite=Lax/);
    assert.match(mine.carried, /Path=\/api\/v1\/auth\/oidc;/);
  });
});

describe('single sign-on that is not there', () => {
  it('is not found where it is not configured', async () => {
    const gateway = await startGateway();
    try {
      assert.equal((await call(gateway.url, 'GET', LOGIN)).status, 404);
      assert.equal((await call(gateway.url, 'GET', `${CALLBACK}?code=x&state=y`)).status, 404);
    } finally {
      await gateway.close();
    }
  });

  it('is 503 where the issuer does not answer', async () => {
    const gateway = await startGateway({
      env: {
        OIDC_ISSUER: 'http://127.0.0.1:9',
        OIDC_CLIENT_ID: CLIENT_ID,
        OIDC_REDIRECT_URL: `http://gateway.example${CALLBACK}`,
      },
    });
    try {
      const answer = await call(gateway.url, 'GET', LOGIN);

      assert.equal(answer.status, 503);
      assert.equal(answer.body.error.code, 'single_sign_on_unavailable');
    } finally {
      await gateway.close();
    }
  });
});
