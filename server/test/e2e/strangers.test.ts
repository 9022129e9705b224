/**
 * Goal: what belongs to another tenant is as if it were not there, on every route there is.
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
    const changed = path.includes('/keys/') && method === 'PATCH' ? { name: 'x' } : body;
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
      const missing = `${foreign.slice(0, -4)}ZZZZ`;
      const [theirs, nobodys] = [await ask(route, foreign), await ask(route, missing)];
      const seen = [theirs, nobodys].map(({ status, body }) => [
        status,
        JSON.stringify(body)
          .replaceAll(/req_\w+/g, 'req')
          .replaceAll(missing, foreign),
      ]);
      assert.equal(theirs.status, 404, `${route.method} ${route.path}: ${theirs.status}`);
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

describe('a sign-in', () => {
  it('takes as long, and reads the same, for who exists and who does not', async () => {
    const gateway = await startGateway();
    try {
      const { api, url } = gateway;
      for (const username of ['known-1', 'known-2']) {
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

      for (let round = 0; round < 9; round += 1) {
        await time('known', 'known-1');
        await time('unknown', 'ghost-1');
        await time('known', 'known-2');
        await time('unknown', 'ghost-2');
      }

      const median = (list: readonly number[]): number =>
        list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
      const [known, unknown] = [median(times.known), median(times.unknown)];
      const allowedMs = Math.max(5, known * 0.25);
      assert.ok(Math.abs(known - unknown) <= allowedMs, `known ${known} ms, unknown ${unknown} ms`);
      assert.equal(bodies.size, 1);
      assert.equal(headers.size, 1);
    } finally {
      await gateway.close();
    }
  });
});
