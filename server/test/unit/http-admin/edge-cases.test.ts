/**
 * What does not fit: unknown paths and methods, bodies that are no JSON, failures inside; and
 * what every answer carries. Then the routes about the gateway itself.
 */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { errorSchema, homeSchema } from '@esclusa/contracts';
import { type AdminFixture, createAdminFixture } from './fixture.ts';
import { NO_CHECKS } from './stand-ins.ts';

let fixture: AdminFixture;
before(async () => {
  fixture = await createAdminFixture();
});
after(() => fixture.app.close());

describe('the root of the address', () => {
  it('leads a browser to the reference, without asking who calls', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

    const answer = await fixture.call(null, { url: '/', headers: { accept } });

    assert.equal(answer.statusCode, 302);
    assert.equal(answer.headers.location, '/docs');
    assert.equal(answer.headers.vary, 'accept');
  });

  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
    it(`names paths that exist to who sends ${JSON.stringify(headers)}`, async () => {
      const answer = await fixture.call(null, { url: '/', headers });

      assert.equal(answer.statusCode, 200);
      const { name, ...paths } = homeSchema.strict().parse(answer.json());
      assert.equal(name, 'Esclusa');
      assert.deepEqual(Object.keys(paths), ['docs', 'openapi', 'ready']);
      for (const url of Object.values(paths)) {
        const { statusCode } = await fixture.call(null, url);
        assert.equal(statusCode < 400, true, `${url}: ${statusCode}`);
      }
    });
  }
});

describe('an unknown path', () => {
  for (const url of [
    '/nothing',
    '/api/v1//keys',
    '/API/V1/KEYS',
    '/api/v1/keys%2Fkey_1',
    '/api/v1/keys;x=1',
    '/api/v1/../../etc/passwd',
    '/%',
    '/%c0%ae',
    '/api/v1/keys/%',
  ]) {
    it(`answers 404 in JSON for ${url}, without asking who calls`, async () => {
      const answer = await fixture.call(null, url);

      assert.equal(answer.statusCode, 404);
      assert.equal(errorSchema.parse(answer.json()).error.code, 'not_found');
      assert.match(String(answer.headers['x-request-id']), /^req_/);
    });
  }

  for (const [method, url] of [
    ['GET', '/api/v1/keys/'],
    ['POST', '/api/v1/keys/?limit=1'],
    ['DELETE', '/api/v1/tenants/'],
    ['GET', '/api/v1/users/'],
  ] as const) {
    it(`says of ${method} ${url} that the slash is what is wrong`, async () => {
      const answer = await fixture.call(null, { method, url });

      assert.equal(answer.statusCode, 404);
      assert.match(errorSchema.parse(answer.json()).error.message, /ends with a slash/);
    });
  }

  for (const [method, url, allow] of [
    ['PUT', '/api/v1/keys', 'GET, HEAD, POST'],
    ['POST', '/api/v1/keys/key_1', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/api/v1/config/reload', 'POST'],
    ['OPTIONS', '/api/v1/tenants', 'GET, HEAD, POST'],
    ['TRACE', '/health/live', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
  ] as const) {
    it(`answers 405 with Allow: ${allow} for ${method} ${url}`, async () => {
      const answer = await fixture.call(null, { method: method as 'PUT', url });

      assert.equal(answer.statusCode, 405);
      assert.equal(answer.headers.allow, allow);
      assert.equal(answer.json().error.code, 'method_not_allowed');
    });
  }
});

describe('a body', () => {
  const post = (payload: string | Buffer, type: string | null = 'application/json') =>
    fixture.call(fixture.secrets.superadmin, {
      method: 'POST',
      url: '/api/v1/keys',
      payload,
      headers: type === null ? {} : { 'content-type': type },
    });

  for (const [what, payload, status, code] of [
    ['that is cut', '{"name":', 400, 'body_not_json'],
    ['with a trailing comma', '{"name":"x",}', 400, 'body_not_json'],
    ['that is not UTF-8', Buffer.from('{"name":"\xff"}', 'latin1'), 400, 'body_not_utf8'],
    ['that is empty', '', 400, 'invalid_request'],
    ['above one mebibyte', `{"name":"${'x'.repeat(1_048_577)}"}`, 413, 'body_too_large'],
    ['nested without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 400, 'invalid_request'],
  ] as const) {
    it(`${what} answers ${status} ${code}`, async () => {
      const answer = await post(payload);

      assert.equal(answer.statusCode, status, answer.body);
      assert.equal(answer.json().error.code, code);
    });
  }

  it('above one mebibyte is not blamed on the setting for requests to models', async () => {
    const { error } = (await post(`{"name":"${'x'.repeat(1_048_577)}"}`)).json();

    assert.match(error.message, /larger than 1 MiB/);
  });

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
  ]) {
    it(`sent as ${type} answers 415`, async () => {
      const answer = await post('{"name":"x"}', type);

      assert.equal(answer.statusCode, 415);
      assert.equal(answer.json().error.code, 'content_type_unsupported');
    });
  }

  it('may be missing where nothing is asked for, also with a content type', async () => {
    const headers = { 'content-type': 'application/json' };
    const url = '/api/v1/config/reload';

    const answer = await fixture.call(fixture.secrets.superadmin, { method: 'POST', url, headers });

    assert.equal(answer.statusCode, 200);
  });
});

describe('every answer', () => {
  it('carries its id, the correlation id and headers that keep browsers out', async () => {
    const headers = { 'x-correlation-id': 'order-7' };
    for (const url of ['/health/live', '/nothing', '/api/v1/keys']) {
      const answer = await fixture.call(null, { url, headers });

      assert.match(String(answer.headers['x-request-id']), /^req_[0-9A-Z]{26}$/);
      assert.equal(answer.headers['x-correlation-id'], 'order-7');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['referrer-policy'], 'no-referrer');
      assert.equal(answer.headers['x-frame-options'], 'DENY');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/);
      assert.equal(answer.headers.server, undefined);
      assert.equal(answer.headers['x-powered-by'], undefined);
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
  });

  it('has the request’s id in its error, too', async () => {
    const answer = await fixture.call(null, '/api/v1/keys');

    const { error } = errorSchema.parse(answer.json());
    assert.equal(error.request_id, answer.headers['x-request-id']);
    assert.equal(error.docs, 'docs/errors.md#credentials_missing');
  });

  it('says nothing of what failed inside, and logs it', async () => {
    const broken = await createAdminFixture({
      providers: () => {
        throw new Error('SELECT secret FROM keys at /srv/app.ts');
      },
    });

    const answer = await broken.call(broken.secrets.admin, '/api/v1/providers');
    await broken.app.close();

    assert.equal(answer.statusCode, 500);
    assert.equal(answer.json().error.code, 'internal_error');
    assert.doesNotMatch(answer.body, /SELECT|srv/);
    assert.equal(
      broken.log.some((line) => line.level === 'error'),
      true,
    );
  });

  it('is refused rather than sent where it does not have the published shape', async () => {
    const broken = await createAdminFixture({
      providers: () => [{ name: 'x', kind: 'y', base_url: 5 as unknown as string, models: [] }],
    });

    const answer = await broken.call(broken.secrets.admin, '/api/v1/providers');
    await broken.app.close();

    assert.equal(answer.statusCode, 500);
  });

  it('tells when to try again where the database is away', async () => {
    const { keys } = fixture;
    const { GatewayError } = await import('../../../src/gateway/index.ts');
    const broken = await createAdminFixture({
      keys: { ...keys, list: () => Promise.reject(new GatewayError('storage_unavailable')) },
    });

    const answer = await broken.call(broken.secrets.admin, '/api/v1/keys');
    await broken.app.close();

    assert.equal(answer.statusCode, 503);
    assert.equal(answer.json().error.code, 'storage_unavailable');
    assert.equal(answer.headers['x-should-retry'], 'true');
    assert.notEqual(answer.headers['retry-after'], undefined);
  });
});

describe('credentials', () => {
  for (const header of ['x-api-key', 'api-key', 'x-goog-api-key']) {
    it(`are taken from ${header} as from Authorization`, async () => {
      const headers = { [header]: fixture.secrets.admin };

      const answer = await fixture.call(null, { url: '/api/v1/keys', headers });

      assert.equal(answer.statusCode, 200);
    });
  }

  it('are refused twice over and in the query', async () => {
    const { secrets, call } = fixture;
    const headers = { 'x-api-key': secrets.service };
    const twice = await call(secrets.admin, { url: '/api/v1/models', headers });
    const inQuery = await call(null, `/api/v1/models?key=${secrets.admin}`);

    assert.equal(twice.json().error.code, 'credentials_conflicting');
    assert.equal(twice.statusCode, 400);
    assert.equal(inQuery.json().error.code, 'credentials_in_query');
    assert.equal(inQuery.statusCode, 400);
    assert.equal(inQuery.body.includes(secrets.admin), false);
  });
});

describe('the gateway’s own routes', () => {
  it('list the models the key may use', async () => {
    const own = await fixture.call(fixture.secrets.service, '/api/v1/models');
    const all = await fixture.call(fixture.secrets.admin, '/api/v1/models');

    assert.deepEqual(
      own.json().data.map(({ id }: { id: string }) => id),
      ['fast'],
    );
    assert.deepEqual(
      all.json().data.map(({ id }: { id: string }) => id),
      ['fast', 'smart'],
    );
  });

  it('show budgets with what is spent and promised, a plain key its own', async () => {
    const expected = {
      ...{ scope: 'key', user_id: null, model: null, period: 'day', soft: false },
      key_id: fixture.serviceKeyId,
      key_name: 's',
      tenant: 'acme',
      budget: { limit_usd: '2', period: 'day' },
      limit_nanousd: 2_000_000_000,
      spent_nanousd: 500,
      reserved_nanousd: 20,
      renews_at: '2026-11-21T00:00:00.000Z',
    };

    for (const secret of [fixture.secrets.service, fixture.secrets.admin]) {
      const answer = await fixture.call(secret, '/api/v1/budgets');
      assert.deepEqual(answer.json(), { data: [expected], next: null });
    }
  });

  it('reset the breaker whose name is written with %2F, and no other', async () => {
    const reset = (name: string) =>
      fixture.call(fixture.secrets.superadmin, {
        method: 'POST',
        url: `/api/v1/circuit-breakers/${name}/reset`,
      });

    const known = await reset('openai%2Fgpt-4o-mini');
    const unknown = await reset('openai%2Fother');

    assert.equal(known.json().name, 'openai/gpt-4o-mini');
    assert.deepEqual(fixture.resets, ['openai/gpt-4o-mini', 'openai/other']);
    assert.equal(unknown.statusCode, 404);
  });

  it('read one breaker by its name, and reset all of them at once', async () => {
    const url = '/api/v1/circuit-breakers';
    const { secrets } = fixture;
    const before = fixture.resets.length;

    const one = await fixture.call(secrets.admin, `${url}/openai%2Fgpt-4o-mini`);
    const none = await fixture.call(secrets.admin, `${url}/openai%2Fother`);
    assert.equal(fixture.resets.length, before, 'reading changes nothing');
    const all = await fixture.call(secrets.superadmin, { method: 'POST', url: `${url}/reset` });

    assert.deepEqual([one.json().is_open, one.json().failure_rate], [true, 0.5556]);
    assert.equal(none.statusCode, 404);
    assert.equal(all.json().data.length, 1);
    assert.deepEqual(fixture.resets.slice(before), ['*']);
  });

  it('purge the caller’s tenant, or the one a superadmin names', async () => {
    const url = '/api/v1/cache';
    const { secrets, purged } = fixture;
    await fixture.call(secrets.admin, { method: 'DELETE', url });
    await fixture.call(secrets.superadmin, { method: 'DELETE', url });
    await fixture.call(secrets.superadmin, { method: 'DELETE', url: `${url}?tenant=globex` });
    const denied = await fixture.call(secrets.admin, {
      method: 'DELETE',
      url: `${url}?tenant=globex`,
    });

    assert.deepEqual(purged, ['acme', 'default', 'globex']);
    assert.equal(denied.statusCode, 403);
  });

  it('answer metrics as text, and 404 where they are off', async () => {
    const off = await createAdminFixture({ metrics: async () => null });

    const text = await fixture.call(fixture.secrets.service, '/metrics');
    const none = await off.call(off.secrets.service, '/metrics');
    await off.app.close();

    assert.equal(text.body, 'up 1\n');
    assert.match(String(text.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.equal(none.statusCode, 404);
    assert.equal(none.json().error.message, 'Metrics not enabled');
  });
});

describe('health', () => {
  it('is alive whatever fails, and ready unless something critical does', async () => {
    const fails = () => Promise.reject(new Error('x'));
    const { health } = {
      health: {
        startup: () => ({ ...NO_CHECKS, status: 'starting' as const }),
        report: fails,
        database: fails,
      },
    };
    for (const [status, expected] of [
      ['ready', 200],
      ['degraded', 200],
      ['unready', 503],
    ] as const) {
      const other = await createAdminFixture({
        health: { ...health, ready: () => ({ status, degraded: ['cache'], unavailable: [] }) },
      });
      const ready = await other.call(null, '/health/ready');
      const live = await other.call(null, '/health/live');
      const startup = await other.call(null, '/health/startup');
      await other.app.close();

      assert.equal(ready.statusCode, expected);
      assert.deepEqual(ready.json().degraded, ['cache']);
      assert.deepEqual(live.json(), { status: 'alive' });
      assert.equal(startup.statusCode, 503);
    }
  });

  it('shows details to who has a credential only', async () => {
    const anonymous = await fixture.call(null, '/api/v1/health');
    const known = await fixture.call(fixture.secrets.service, '/api/v1/health');
    const wrong = await fixture.call('esk_wrong', '/api/v1/health');

    const database = { healthy: true, enabled: true, critical: true };
    assert.deepEqual(anonymous.json().checks.database, database);
    assert.equal(anonymous.json().database, 'connected');
    assert.equal(known.json().checks.database.message, 'file');
    assert.equal(wrong.statusCode, 401);
  });
});

describe('over a real socket', () => {
  it('answers what the edge hands over, also addresses that cannot be decoded', async () => {
    const server = createServer((request, response) => fixture.app.routing(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const get = (path: string) =>
      new Promise<{ status: number; body: string; server: unknown }>((resolve, reject) => {
        httpRequest({ port, path, agent: false }, (answer) => {
          let body = '';
          answer.setEncoding('utf8').on('data', (text) => {
            body += text;
          });
          const { statusCode = 0, headers } = answer;
          answer.on('end', () => resolve({ status: statusCode, body, server: headers.server }));
        })
          .on('error', reject)
          .end();
      });

    const live = await get('/health/live');
    const broken = await get('/api/v1/keys/%zz');
    server.close();

    assert.deepEqual([live.status, live.body], [200, '{"status":"alive"}']);
    assert.equal(live.server, undefined);
    assert.equal(broken.status, 404);
    assert.equal(JSON.parse(broken.body).error.code, 'not_found');
  });
});
