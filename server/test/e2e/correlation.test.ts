/**
 * Goal: whoever sends a correlation id gets it back, whatever is asked and whatever comes of it,
 * and finds it at the provider; what is no such id is replaced by the id of the request. Method:
 * the whole program; every operation that its own reference lists, and what it does not list.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { operationsOf } from '../support/random-walk/operations.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

const GOOD = 'corr.of-a_client:7';
const LONGEST = 'x'.repeat(128);
/** Each could harm a log, a file name or a header somewhere; fetch sends no line feed. */
const BAD = ['x'.repeat(129), 'two words', 'a/../b', 'a"b', 'ñ', ''];

let upstream: ScriptedUpstream;
let gateway: TestGateway;

before(async () => {
  upstream = await startScriptedUpstream();
  const up = { kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-up' };
  const targets = [{ provider: 'up', model: 'far' }];
  gateway = await startGateway({ config: { providers: { up }, models: { far: { targets } } } });
});

after(async () => {
  await gateway.close();
  await upstream.close();
});

interface Place {
  readonly method: string;
  readonly path: string;
}

/** What the reference does not list: pages, refusals by the path alone, addresses that are none. */
const ELSEWHERE: readonly Place[] = [
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/docs' },
  { method: 'GET', path: '/openapi.json' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/no/such/page' },
  { method: 'GET', path: '/api/v1/no-such-route' },
  { method: 'GET', path: '/api/v1/keys/%zz' },
  { method: 'POST', path: '/v1/no/such/path' },
  { method: 'PUT', path: '/v1/chat/completions' },
  { method: 'POST', path: '/v1beta/models/far:noSuchVerb' },
  { method: 'DELETE', path: '/v1/models/far' },
];

async function places(): Promise<readonly Place[]> {
  const operations = await operationsOf(gateway);
  assert.ok(operations.length >= 60, `${operations.length} operations`);
  const listed = operations.map(({ method, path }) => ({
    ...{ method, path: path.replaceAll(/\{[^}]+\}/g, 'none') },
  }));
  return [...listed, ...ELSEWHERE];
}

async function ask({ method, path }: Place, id: string | null, key: string | null) {
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const answer = await fetch(`${gateway.url}${path}`, {
    ...{ method, redirect: 'manual' },
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(id !== null && { 'x-correlation-id': id }),
      ...(hasBody && { 'content-type': 'application/json' }),
    },
    ...(hasBody && { body: '{}' }),
  });
  const text = await answer.text();
  const said = `${method} ${path} ${answer.status}`;
  const requestId = answer.headers.get('x-request-id');
  assert.match(requestId ?? '', /^req_[0-9A-Z]{26}$/, said);
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  const needsNoName = answer.status < 400 || !isJson || path.startsWith('/health');
  if (!needsNoName) assert.ok(text.includes(requestId as string), `${said}: ${text}`);
  return { said, requestId, correlationId: answer.headers.get('x-correlation-id') };
}

for (const [who, key] of [
  ['strangers', null],
  ['the administrator', ADMIN_KEY],
] as const) {
  test(`every operation gives ${who} the id back, or its own for a bad one`, async () => {
    for (const [at, place] of (await places()).entries()) {
      for (const id of [GOOD, LONGEST]) {
        const { said, correlationId } = await ask(place, id, key);
        assert.equal(correlationId, id, said);
      }
      for (const id of [BAD[at % BAD.length] as string, null]) {
        const { said, correlationId, requestId } = await ask(place, id, key);
        assert.equal(correlationId, requestId, `${said}, sent ${id}`);
      }
    }
  });
}

const MESSAGES = [{ role: 'user', content: 'Hello' }];
const CONTENTS = [{ role: 'user', parts: [{ text: 'Hello' }] }];
const CALLS: readonly (readonly [string, object])[] = [
  ['/v1/chat/completions', { model: 'far', messages: MESSAGES }],
  ['/v1/chat/completions', { model: 'far', messages: MESSAGES, stream: true }],
  ['/v1/completions', { model: 'far', prompt: 'Hello' }],
  ['/v1/completions', { model: 'far', prompt: 'Hello', stream: true }],
  ['/v1/responses', { model: 'far', input: 'Hello', store: false }],
  ['/v1/responses', { model: 'far', input: 'Hello', store: false, stream: true }],
  ['/v1/embeddings', { model: 'far', input: 'Hello' }],
  ['/v1/messages', { model: 'far', max_tokens: 9, messages: MESSAGES }],
  ['/v1/messages', { model: 'far', max_tokens: 9, messages: MESSAGES, stream: true }],
  ['/v1beta/models/far:generateContent', { contents: CONTENTS }],
  ['/v1beta/models/far:streamGenerateContent?alt=sse', { contents: CONTENTS }],
];

test('every call to a model carries the id to the provider and back, streams too', async () => {
  for (const [at, [path, body]] of CALLS.entries()) {
    const id = `corr-${at}`;
    const answer = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'content-type': 'application/json',
        'x-correlation-id': id,
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();

    assert.equal(answer.status, 200, `${path}: ${text}`);
    assert.equal(answer.headers.get('x-correlation-id'), id, path);
    assert.equal(upstream.calls.at(-1)?.headers['x-correlation-id'], id, path);
  }
});
