/**
 * The key of a request: who may share one, and what makes another. Random bodies and names
 * come from fast-check, which prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCacheKeys } from '../../../src/gateway/caching/key.ts';
import { type InferenceRequest, NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import type { Route } from '../../../src/gateway/model/route.ts';
import type { JsonObject, JsonValue } from '../../../src/kernel/json.ts';
import { chatRequest, NO_CACHE } from '../pipeline/fakes.ts';

const keys = createCacheKeys(Buffer.alloc(32, 1));

const ROUTE: Route = {
  name: 'fast',
  strategy: 'fallback',
  targets: [],
  targetSet: 'set_1',
  cache: NO_CACHE,
};

/** The documented list; anything else in a body must count. */
const LEFT_OUT = ['model', 'stream', 'user', 'safety_identifier', 'prompt_cache_key', 'metadata'];

function keyOf(
  body: JsonObject,
  changes: { tenant?: string; targetSet?: string; request?: Partial<InferenceRequest> } = {},
): string {
  const route = { ...ROUTE, targetSet: changes.targetSet ?? ROUTE.targetSet };
  return keys.keyOf(changes.tenant ?? 'acme', route, chatRequest({ body, ...changes.request }));
}

const BODY: JsonObject = {
  model: 'fast',
  messages: [{ role: 'user', content: 'hola' }],
  temperature: 0,
};

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
const field = fc
  .oneof(fc.constantFrom('seed', 'tools', 'top_p', 'messages', '__proto__', 'x'), fc.string())
  .filter((name) => !LEFT_OUT.includes(name));
const body = fc.dictionary(field, json, { maxKeys: 8 }) as fc.Arbitrary<JsonObject>;

test('a key is 43 characters of base64url and shows nothing of the request', () => {
  assert.match(keyOf(BODY), /^[A-Za-z0-9_-]{43}$/);
});

test('equal requests have equal keys, whoever computes them', () => {
  const elsewhere = createCacheKeys(Buffer.alloc(32, 1));

  const request = chatRequest({ body: structuredClone(BODY) });

  assert.equal(elsewhere.keyOf('acme', ROUTE, request), keyOf(BODY));
});

test('routes to the same targets share no answers that one of them keeps longer', () => {
  const shorter: Route = { ...ROUTE, cache: { ...NO_CACHE, ttlSeconds: 10 } };
  const alike: Route = { ...ROUTE, name: 'quick', cache: { ...NO_CACHE, maxEntryBytes: 1 } };

  assert.notEqual(keys.keyOf('acme', shorter, chatRequest({ body: BODY })), keyOf(BODY));
  assert.equal(keys.keyOf('acme', alike, chatRequest({ body: BODY })), keyOf(BODY));
});

test('another secret makes other keys', () => {
  const other = createCacheKeys(Buffer.alloc(32, 2));

  assert.notEqual(other.keyOf('acme', ROUTE, chatRequest({ body: BODY })), keyOf(BODY));
});

test('two tenants never share a key, whatever they are called and ask', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), body, (a, b, asked) => {
      fc.pre(a !== b);
      assert.notEqual(keyOf(asked, { tenant: a }), keyOf(asked, { tenant: b }));
    }),
    { numRuns: 2000 },
  );
});

test('two sets of targets never share a key', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), body, (a, b, asked) => {
      fc.pre(a !== b);
      assert.notEqual(keyOf(asked, { targetSet: a }), keyOf(asked, { targetSet: b }));
    }),
    { numRuns: 1000 },
  );
});

test('a tenant and a set of targets cannot be shifted into each other', () => {
  const pairs = [
    ['a', 'bc'],
    ['ab', 'c'],
    ['abc', ''],
    ['a"', '"bc'],
    ['a","b', 'c'],
    ['a', 'b","c'],
  ] as const;

  const made = pairs.map(([tenant, targetSet]) => keyOf(BODY, { tenant, targetSet }));

  assert.equal(new Set(made).size, pairs.length);
});

test('dialect, operation and streaming make keys of their own', () => {
  const made = [
    keyOf(BODY),
    keyOf(BODY, { request: { dialect: 'anthropic' } }),
    keyOf(BODY, { request: { dialect: 'gemini' } }),
    keyOf(BODY, { request: { operation: 'completion' } }),
    keyOf(BODY, { request: { operation: 'embedding' } }),
    keyOf(BODY, { request: { stream: true } }),
    keyOf(BODY, { request: { cacheControl: { ...NO_CACHE_CONTROL, namespace: 'n' } } }),
  ];

  assert.equal(new Set(made).size, made.length);
});

test('what another dialect says beside the canonical form counts, its headers included', () => {
  const foreign = (body: JsonObject, headers: Readonly<Record<string, string>>) =>
    keyOf(BODY, {
      request: { dialect: 'anthropic', foreign: { body, headers, needed: [], dropped: [] } },
    });

  const framed = (framing: 'events' | 'list') =>
    keyOf(BODY, {
      request: {
        dialect: 'anthropic',
        foreign: { body: {}, headers: {}, needed: [], dropped: [], framing },
      },
    });

  const made = [
    keyOf(BODY, { request: { dialect: 'anthropic' } }),
    foreign({ top_k: 5 }, {}),
    foreign({ top_k: 6 }, {}),
    foreign({ top_k: 5 }, { 'anthropic-beta': 'a' }),
    foreign({ top_k: 5 }, { 'anthropic-beta': 'b' }),
    framed('events'),
    framed('list'),
  ];

  assert.equal(new Set(made).size, made.length);
  assert.equal(foreign({ metadata: { user_id: 'u' } }, {}), foreign({}, {}));
});

test('any other field that is added, changed or taken away changes the key', () => {
  fc.assert(
    fc.property(body, field, json, json, (asked, name, value, other) => {
      const without = Object.fromEntries(Object.entries(asked).filter(([key]) => key !== name));
      const entries = Object.entries(without);
      const withValue = Object.fromEntries([...entries, [name, value]]);
      const withOther = Object.fromEntries([...entries, [name, other]]);
      assert.notEqual(keyOf(without), keyOf(withValue));
      const isSame = canonical(value) === canonical(other);
      assert.equal(keyOf(withValue) === keyOf(withOther), isSame);
    }),
    { numRuns: 2000 },
  );
});

/** Sorted by hand, for comparing only. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? {
          members: Object.entries(member)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .flat(),
        }
      : member,
  );
}

test('every field known to change an answer makes an entry of its own', () => {
  const changes: readonly JsonObject[] = [
    { messages: [{ role: 'system', content: 'hola' }] },
    { messages: [{ role: 'user', content: 'adiós' }] },
    { temperature: 0.1 },
    { top_p: 0.5 },
    { max_tokens: 5 },
    { max_completion_tokens: 5 },
    { stop: ['x'] },
    { seed: 1 },
    { n: 2 },
    { tools: [{ type: 'function', function: { name: 'f' } }] },
    { tool_choice: 'none' },
    { response_format: { type: 'json_object' } },
    { frequency_penalty: 1 },
    { presence_penalty: 1 },
    { logit_bias: { '50256': -100 } },
    { logprobs: true },
    { reasoning_effort: 'low' },
    { service_tier: 'flex' },
    { store: true },
    { stream_options: { include_usage: true } },
    { a_field_of_tomorrow: null },
  ];

  const made = [BODY, ...changes.map((change) => ({ ...BODY, ...change }))].map((one) =>
    keyOf(one),
  );

  assert.equal(new Set(made).size, made.length);
});

test('the order of members does not change the key, at any depth', () => {
  fc.assert(
    fc.property(body, (asked) => {
      assert.equal(keyOf(reversed(asked) as JsonObject), keyOf(asked));
    }),
    { numRuns: 1000 },
  );
});

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [
    name,
    reversed(member as JsonValue),
  ]);
  return Object.fromEntries(entries.toReversed());
}

test('the order of a list does change the key', () => {
  const [a, b] = [
    { role: 'user', content: 'a' },
    { role: 'user', content: 'b' },
  ];

  assert.notEqual(keyOf({ messages: [a, b] }), keyOf({ messages: [b, a] }));
});

for (const name of LEFT_OUT) {
  test(`${name} is left out of the key, in the outermost object alone`, () => {
    assert.equal(keyOf({ ...BODY, [name]: 'x' }), keyOf({ ...BODY, [name]: { y: 1 } }));
    assert.equal(keyOf({ ...BODY, [name]: 'x' }), keyOf(omit(BODY, name)));
    assert.notEqual(keyOf({ tools: [{ [name]: 'x' }] }), keyOf({ tools: [{ [name]: 'y' }] }));
  });
}

function omit(of: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== name));
}

test('labels do not count in the bag of extensions either, all else there does', () => {
  const bag = (esclusa: JsonObject) => keyOf({ ...BODY, esclusa });
  const vendor = (openai: JsonValue) => bag({ vendor: { openai } });

  assert.equal(vendor({ safety_identifier: 'u', prompt_cache_key: 'k' }), keyOf(BODY));
  assert.equal(bag({ vendor: { openai: { user: 'u' }, anthropic: { user: 'v' } } }), keyOf(BODY));
  assert.equal(vendor({ user: 'u', truncation: 'auto' }), vendor({ truncation: 'auto' }));
  const made = [
    keyOf(BODY),
    vendor({ truncation: 'auto' }),
    vendor({ model: 'x' }),
    vendor('text'),
    bag({ vendor: 5 }),
    bag({ vendor: { anthropic: { truncation: 'auto' } } }),
    bag({ vendor: { openai: { user: 'u' } }, other: 1 }),
    bag({ other: 1, vendor: { openai: { truncation: 'auto' } } }),
  ];
  assert.equal(new Set(made).size, made.length);
});

test('taking a key leaves the request as it was', () => {
  const asked = { ...BODY, user: 'u', metadata: { a: '1' } };

  keyOf(asked);

  assert.deepEqual(asked, { ...BODY, user: 'u', metadata: { a: '1' } });
});
