/**
 * `AUTH_MODE=dev`: who calls from this machine needs no credential, and nobody else gains
 * anything; without it, and in production, there is no such thing.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { plainRequest } from '../support/plain-request.ts';

const CHAT = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hola' }] });

function ask(
  gateway: TestGateway,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
) {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return plainRequest(`${gateway.url}${path}`, { ...type, ...headers }, body);
}

describe('a developer without a credential', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({ env: { AUTH_MODE: 'dev' } });
  });
  after(() => gateway.close());

  it('is an administrator of the default tenant, on every surface', async () => {
    const me = await ask(gateway, '/api/v1/auth/me');
    const chat = await ask(gateway, '/v1/chat/completions', {}, CHAT);
    const key = await ask(gateway, '/api/v1/keys', {}, JSON.stringify({ name: 'made' }));
    const tenants = await ask(gateway, '/api/v1/tenants');

    const { id, tenant, roles } = JSON.parse(me.text);
    assert.deepEqual([id, tenant, roles], ['key_developer', 'default', ['admin']]);
    assert.deepEqual([chat.status, key.status, tenants.status], [200, 201, 403]);
    const audit = await gateway.api('GET', '/api/v1/audit');
    assert.equal(audit.body.data[0]?.actor, 'key_developer');
  });

  it('is nobody with a credential that is not good', async () => {
    const wrong = await ask(gateway, '/api/v1/auth/me', { authorization: 'Bearer esk_wrong' });
    const inQuery = await ask(gateway, '/api/v1/auth/me?key=x');

    assert.deepEqual([wrong.status, inQuery.status], [401, 400]);
  });

  for (const headers of [
    { host: 'evil.example' },
    { host: '127.0.0.1.evil.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-forwarded-for': '203.0.113.9' },
    { forwarded: 'for=127.0.0.1' },
    { via: '1.1 proxy' },
    { 'x-real-ip': '127.0.0.1' },
  ]) {
    it(`is not who sends ${JSON.stringify(headers)}`, async () => {
      for (const path of ['/api/v1/auth/me', '/v1/models']) {
        assert.equal((await ask(gateway, path, headers)).status, 401, path);
      }
      assert.equal((await ask(gateway, '/v1/chat/completions', headers, CHAT)).status, 401);
    });
  }

  for (const headers of [
    { host: 'localhost:8000' },
    { host: '[::1]:8000' },
    { origin: 'http://localhost:5173' },
    { 'sec-fetch-site': 'same-origin' },
  ]) {
    it(`is who sends ${JSON.stringify(headers)}`, async () => {
      assert.equal((await ask(gateway, '/api/v1/auth/me', headers)).status, 200);
    });
  }
});

describe('without AUTH_MODE=dev', () => {
  it('a credential that is missing is missing, also in development', async () => {
    const gateway = await startGateway({ env: { ENVIRONMENT: 'development' } });
    try {
      assert.equal((await ask(gateway, '/api/v1/auth/me')).status, 401);
      assert.equal((await ask(gateway, '/v1/chat/completions', {}, CHAT)).status, 401);
    } finally {
      await gateway.close();
    }
  });

  it('production does not start with it', async () => {
    const env = {
      AUTH_MODE: 'dev',
      ENVIRONMENT: 'production',
      JWT_SECRET_KEY: 'f3c1d9a7e5b24c8f9a6d3e1b7c5f2a8d',
    };

    await assert.rejects(startGateway({ env }), /AUTH_MODE/);
  });
});
