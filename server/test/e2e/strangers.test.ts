/**
 * Goal: what belongs to another tenant is as if it were not there, on every route there is
 * (attack C1); nor does a sign-in tell who exists (attack B10).
 * Method: the routes are read from the program's own reference, so that a new one without an
 * example here fails; the whole program over real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, login, PASSWORD } from '../support/people.ts';

interface Route {
  readonly method: string;
  readonly path: string;
}

/** What there is of the other tenant, by the path of its kind; null: belongs to no tenant. */
type Examples = Record<string, string | null>;

describe('what is of another tenant', () => {
  let gateway: TestGateway;
  let token: string;
  const routes: Route[] = [];
  const examples: Examples = {
    '/api/v1/circuit-breakers/': null,
    '/api/v1/flags/': null,
    '/api/v1/jobs/': null,
    '/api/v1/tenants/': 'globex',
    '/v1/models/': null,
    '/v1beta/models/': null,
  };

  before(async () => {
    gateway = await startGateway();
    const { api } = gateway;
    const user = (tenant: string) => ({
      ...{ email: `a@${tenant}.example`, username: `admin-${tenant}`, password: PASSWORD },
      ...{ roles: ['admin'], tenant },
    });
    for (const tenant of ['acme', 'globex']) {
      await api('POST', '/api/v1/tenants', { slug: tenant, name: tenant });
    }
    await api('POST', '/api/v1/users', user('acme'));
    const foreign = await api('POST', '/api/v1/users', user('globex'));
    const key = await gateway.key({ tenant: 'globex' });
    const kept = await api('POST', '/v1/responses', { model: 'mock', input: 'Hola' }, key.secret);
    examples['/api/v1/users/'] = foreign.body.id;
    examples['/api/v1/keys/'] = key.id;
    examples['/api/v1/requests/'] = kept.headers.get('x-request-id');
    examples['/v1/responses/'] = kept.body.id;
    token = (await login(gateway.url, 'admin-acme')).body.access_token;
    const { body } = await api('GET', '/openapi.json');
    for (const [path, methods] of Object.entries<object>(body.paths)) {
      for (const method of Object.keys(methods)) {
        if (path.includes('{')) routes.push({ method: method.toUpperCase(), path });
      }
    }
  });
  after(() => gateway.close());

  const prefixOf = (path: string): string => path.slice(0, path.indexOf('{'));

  function ask({ method, path }: Route, id: string) {
    const url = path.replace(/\{[^}]+\}/, id);
    const hasBody = method === 'PATCH' || method === 'POST';
    const body = path.includes('rotate') ? { overlap_seconds: 0 } : { username: 'x-new' };
    const isNamed = path.includes('/keys/') || path.includes('/tenants/');
    const changed = isNamed && method === 'PATCH' ? { name: 'x' } : body;
    return call(gateway.url, method, url, { token, ...(hasBody && { body: changed }) });
  }

  it('has an example for every route with an identifier', () => {
    const unknown = routes.filter(
      ({ path }) => examples[prefixOf(path)] === undefined && !path.includes('{model}:'),
    );

    assert.deepEqual(unknown, []);
    assert.ok(routes.length >= 10, `only ${routes.length} routes`);
  });

  it('reads, changes and deletes as what is missing does', async () => {
    let tried = 0;
    for (const route of routes) {
      const foreign = examples[prefixOf(route.path)];
      if (typeof foreign !== 'string') continue;
      const missing = `${foreign.slice(0, -4)}zzzz`;
      const [theirs, nobodys] = [await ask(route, foreign), await ask(route, missing)];
      const seen = [theirs, nobodys].map(({ status, body }) => [
        status,
        JSON.stringify(body)
          .replaceAll(/req_\w+/g, 'req')
          .replaceAll(missing, foreign),
      ]);
      // Most routes of tenants are refused to all but a superadmin, whichever tenant they name.
      const refused = route.path.startsWith('/api/v1/tenants/') ? [403, 404] : [404];
      assert.ok(refused.includes(theirs.status), `${route.method} ${route.path}: ${theirs.status}`);
      assert.deepEqual(seen[0], seen[1], `${route.method} ${route.path}`);
      tried += 1;
    }

    assert.ok(tried >= 9, `only ${tried} routes were tried`);
    for (const [prefix, id] of Object.entries(examples)) {
      if (id === null || prefix === '/v1/responses/') continue;
      const still = await gateway.api('GET', `${prefix}${id}`);
      assert.equal(still.status, 200, `${prefix}${id}`);
      assert.notEqual(still.body.status, 'revoked');
    }
  });

  it('is refused where it is named: the credential decides', async () => {
    for (const path of ['keys', 'users', 'audit', 'requests', 'usage', 'budgets']) {
      const named = await call(gateway.url, 'GET', `/api/v1/${path}?tenant=globex`, { token });
      assert.equal(named.status, 403, path);
    }
    const made = await call(gateway.url, 'POST', '/api/v1/keys', {
      token,
      body: { name: 'x', tenant: 'globex' },
    });
    assert.equal(made.status, 403);
  });
});

/** Tried one after the other, each less often than would lock it. */
const NAMES = Array.from({ length: 24 }, (_, at) => at % 8);
const NAMES_MIN = 12;

describe('a sign-in', () => {
  it('takes as long, and reads the same, for who exists and who does not', async () => {
    const gateway = await startGateway();
    try {
      const { api, url } = gateway;
      for (const username of new Set(NAMES.map((name) => `known-${name}`))) {
        const body = { email: `${username}@x.example`, username, password: PASSWORD };
        await api('POST', '/api/v1/users', { ...body, roles: ['student'] });
      }
      const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
      const bodies = new Set<string>();
      const headers = new Set<string>();
      const time = async (kind: 'known' | 'unknown', name: string) => {
        const startedMs = performance.now();
        const answer = await login(url, name, 'Wrong-Horse-1');
        times[kind].push(performance.now() - startedMs);
        assert.equal(answer.status, 401);
        bodies.add(JSON.stringify(answer.body).replaceAll(/req_\w+/g, 'req'));
        headers.add([...answer.headers.keys()].join());
      };

      // The machine's other work only adds to a time: the least of them are what is compared,
      // and more are taken while they differ. What skips the hash never comes near.
      const least = (kind: 'known' | 'unknown'): number => Math.min(...times[kind]);
      const differMs = (): number => Math.abs(least('known') - least('unknown'));
      const allowedMs = (): number => Math.max(5, least('known') * 0.25);
      for (const [at, name] of NAMES.entries()) {
        await time('known', `known-${name}`);
        await time('unknown', `ghost-${name}`);
        if (at >= NAMES_MIN && differMs() <= allowedMs()) break;
      }

      const seen = `known ${least('known')} ms, unknown ${least('unknown')} ms`;
      assert.ok(differMs() <= allowedMs(), seen);
      assert.equal(bodies.size, 1);
      assert.equal(headers.size, 1);
    } finally {
      await gateway.close();
    }
  });
});
