/**
 * What makes an answer another one, for every dialect, from the client's bytes and headers to
 * the key: each field counts at whatever depth, but for the documented list of those that do
 * not. Bodies are changed by fast-check, which prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCacheKeys } from '../../../src/gateway/caching/key.ts';
import type { Route } from '../../../src/gateway/model/route.ts';
import { takeCacheMember } from '../../../src/http/cache-member.ts';
import type { InferenceEndpoint } from '../../../src/http/endpoint.ts';
import { parseBody } from '../../../src/http/parse-body.ts';
import { readHead } from '../../../src/http/read-head.ts';
import { endpointFamilies, inferenceEndpoints } from '../../../src/http/routes.ts';
import type { JsonObject, JsonValue } from '../../../src/kernel/json.ts';
import { NO_CACHE } from '../pipeline/fakes.ts';

const keys = createCacheKeys(Buffer.alloc(32, 1));

const ROUTE: Route = {
  ...({ name: 'm', strategy: 'fallback', targetSet: 'set_1' } as const),
  ...{ targets: [], cache: NO_CACHE },
};

/** The documented list: what names or labels a request and never changes its answer. */
const LEFT_OUT = [
  ...['model', 'stream', 'user', 'safety_identifier', 'prompt_cache_key', 'metadata'],
];

const MESSAGES = [{ role: 'user', content: 'hola' }];
const CONTENTS = { contents: [{ role: 'user', parts: [{ text: 'hola' }] }] };

const DIALECTS: readonly [path: string, body: JsonObject][] = [
  ['/v1/chat/completions', { model: 'm', messages: MESSAGES, temperature: 0 }],
  ['/v1/completions', { model: 'm', prompt: 'hola', temperature: 0 }],
  ['/v1/embeddings', { model: 'm', input: 'hola' }],
  ['/v1/responses', { model: 'm', input: 'hola', temperature: 0, store: false }],
  ['/v1/messages', { model: 'm', messages: MESSAGES, max_tokens: 5, temperature: 0 }],
  ['/v1beta/models/m:generateContent', CONTENTS],
  ['/v1beta/models/m:streamGenerateContent', CONTENTS],
];

function endpointOf(path: string): InferenceEndpoint {
  const [family] = endpointFamilies;
  const found = inferenceEndpoints.find((one) => one.path === path) ?? family?.find(path, '');
  assert.ok(found !== undefined, path);
  return found;
}

/** As the edge puts it together. */
function keyOf(path: string, body: JsonObject, headers: Record<string, string> = {}): string {
  const rawHeaders = Object.entries(headers).flat();
  const message = { headers, rawHeaders } as unknown as IncomingMessage;
  const { cacheControl } = readHead(message);
  const whole = parseBody(Buffer.from(JSON.stringify(body)), 64);
  const taken = takeCacheMember(whole, cacheControl);
  const birth = { id: 'req_1', createdAtMs: 0 };
  const request = endpointOf(path).decode(taken.parsed, taken.cacheControl, message, birth);
  return keys.keyOf('t', ROUTE, request);
}

const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
/** No field that a dialect reads: those refuse what is not theirs. */
const name = fc.string({ minLength: 1, maxLength: 8 }).map((text) => `x_${text}`);

for (const [path, body] of DIALECTS) {
  test(`${path}: any field counts, at the top and within, with its value`, () => {
    fc.assert(
      fc.property(name, value, value, (field, one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const made = [
          keyOf(path, body),
          keyOf(path, { ...body, [field]: one }),
          keyOf(path, { ...body, x_nested: { [field]: one } }),
        ];
        assert.equal(new Set(made).size, made.length);
        assert.equal(made[1], keyOf(path, { [field]: one, ...body }));
      }),
      { numRuns: 200 },
    );
  });

  test(`${path}: what only names or labels a request does not count`, () => {
    for (const field of LEFT_OUT.slice(2)) {
      const label = field === 'metadata' ? { user_id: 'u' } : 'u';
      assert.equal(keyOf(path, { ...body, [field]: label }), keyOf(path, body), field);
    }
  });

  test(`${path}: words on the cache, ids and other headers do not count, a namespace does`, () => {
    const plain = keyOf(path, body);

    for (const headers of [
      { 'cache-control': 'max-age=5, stale-if-error=9' },
      { 'x-request-id': 'abc', traceparent: '00-1-2-01', 'user-agent': 'me' },
      { 'idempotency-key': 'k', accept: '*/*' },
    ]) {
      assert.equal(keyOf(path, body, headers), plain, JSON.stringify(headers));
    }
    assert.equal(keyOf(path, { ...body, cache: { ttl: 5, 'no-cache': true } }), plain);
    const apart = [
      keyOf(path, { ...body, cache: { namespace: 'a' } }),
      keyOf(path, { ...body, cache: { namespace: 'b' } }),
      keyOf(path, body, { 'cf-aig-cache-key': 'a' }),
      keyOf(path, body, { 'x-bf-cache-key': 'a' }),
      plain,
    ];
    assert.equal(new Set(apart).size, apart.length);
  });
}

test('no two dialects have one key, whatever they have in common', () => {
  const shared = { model: 'm', messages: MESSAGES, max_tokens: 5, input: 'hola', prompt: 'hola' };

  const made = DIALECTS.map(([path]) => keyOf(path, { ...shared, ...CONTENTS }));

  assert.equal(new Set(made).size, made.length);
});

test('a stream, its usage chunk and its framing make entries of their own', () => {
  const [path, body] = DIALECTS[0] ?? assert.fail();

  const made = [
    keyOf(path, body),
    keyOf(path, { ...body, stream: true }),
    keyOf(path, { ...body, stream: true, stream_options: { include_usage: true } }),
  ];

  assert.equal(new Set(made).size, made.length);
});

test('headers that give a request of Anthropic its sense count, each with its value', () => {
  const body = { model: 'm', messages: MESSAGES, max_tokens: 5 };
  const with_ = (headers: Record<string, string>) => keyOf('/v1/messages', body, headers);

  const made = [
    with_({}),
    with_({ 'anthropic-version': '2023-06-01' }),
    with_({ 'anthropic-version': '2024-01-01' }),
    with_({ 'anthropic-beta': 'context-1m-2025-08-07' }),
    with_({ 'anthropic-beta': 'interleaved-thinking-2025-05-14' }),
    with_({ 'anthropic-version': '2023-06-01', 'anthropic-beta': 'context-1m-2025-08-07' }),
  ];

  assert.equal(new Set(made).size, made.length);
});
