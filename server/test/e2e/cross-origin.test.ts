/**
 * Pages of other origins, as browsers ask for them: exactly those of the list are let in, on
 * every surface, and nobody with what a browser adds by itself.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';

const APP = 'https://app.example.com';
const STRANGERS = [
  'null',
  'https://evil.example',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.example',
  'https://sub.app.example.com',
  'https://APP.example.com',
  'https://app.example.com/',
];
const PATHS = ['/v1/chat/completions', '/api/v1/keys', '/v1/models', '/nowhere', '/health/live'];
const CHAT = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

function ask(gateway: TestGateway, path: string, origin: string, init: RequestInit = {}) {
  const sent = { authorization: `Bearer ${ADMIN_KEY}`, origin, ...(init.headers as object) };
  return fetch(`${gateway.url}${path}`, { ...init, headers: sent });
}

function preflight(gateway: TestGateway, path: string, origin: string) {
  return fetch(`${gateway.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-os',
    },
  });
}

const about = (answer: Response) =>
  [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('a page of another origin', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({
      env: { ALLOWED_ORIGINS: `${APP}, https://Other.example:443` },
    });
  });
  after(() => gateway.close());

  it('is let in where the list has its origin, on every path', async () => {
    for (const path of PATHS) {
      const answer = await ask(gateway, path, APP);
      await answer.arrayBuffer();
      assert.equal(answer.headers.get('access-control-allow-origin'), APP, path);
      assert.equal(answer.headers.get('access-control-allow-credentials'), null);
      assert.match(answer.headers.get('access-control-expose-headers') ?? '', /x-request-id/);
      assert.match(answer.headers.get('vary') ?? '', /origin/);
    }
    const other = await ask(gateway, '/health/live', 'https://other.example');
    assert.equal(other.headers.get('access-control-allow-origin'), 'https://other.example');
  });

  it('reads answers of models, plain and streamed, and refusals', async () => {
    for (const stream of [false, true]) {
      const answer = await ask(gateway, '/v1/chat/completions', APP, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...CHAT, stream }),
      });
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), stream ? /\[DONE\]/ : /choices/);
      assert.equal(answer.headers.get('access-control-allow-origin'), APP);
      assert.notEqual(answer.headers.get('x-request-id'), null);
    }
    const refused = await fetch(`${gateway.url}/v1/models`, { headers: { origin: APP } });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('access-control-allow-origin'), APP);
  });

  it('is told before a request what it may send, without a key', async () => {
    for (const path of PATHS) {
      const answer = await preflight(gateway, path, APP);
      assert.equal(answer.status, 204, path);
      assert.equal(answer.headers.get('access-control-allow-origin'), APP);
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', /DELETE/);
      assert.equal(
        answer.headers.get('access-control-allow-headers'),
        'authorization,content-type,x-stainless-os',
      );
      assert.match(answer.headers.get('vary') ?? '', /origin/);
    }
  });

  it('is told nothing where the list does not have its origin, letter by letter', async () => {
    for (const origin of STRANGERS) {
      for (const path of PATHS) {
        const [answer, before] = [
          await ask(gateway, path, origin),
          await preflight(gateway, path, origin),
        ];
        assert.deepEqual([...about(answer), ...about(before)], [], `${origin} ${path}`);
        assert.ok(before.status >= 400, `${origin} ${path}`);
        assert.match(answer.headers.get('vary') ?? '', /origin/);
      }
    }
  });
});

describe('without a list', () => {
  it('no answer says anything of origins', async () => {
    const gateway = await startGateway();
    try {
      for (const path of PATHS) {
        const [answer, before] = [
          await ask(gateway, path, APP),
          await preflight(gateway, path, APP),
        ];
        assert.deepEqual([...about(answer), ...about(before)], [], path);
      }
    } finally {
      await gateway.close();
    }
  });

  it('`*` lets every page in, and none of them with cookies', async () => {
    const gateway = await startGateway({ env: { ALLOWED_ORIGINS: '*' } });
    try {
      for (const origin of [APP, 'null']) {
        const answer = await ask(gateway, '/v1/models', origin);
        assert.equal(answer.headers.get('access-control-allow-origin'), '*');
        assert.equal(answer.headers.get('access-control-allow-credentials'), null);
      }
    } finally {
      await gateway.close();
    }
  });
});
