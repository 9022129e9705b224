/**
 * The member `cache` of a body, as LiteLLM's clients send it: what it means, what is left of
 * the body, and what is refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CacheControl, NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import { takeCacheMember } from '../../../src/http/cache-member.ts';
import { parseBody } from '../../../src/http/parse-body.ts';

function take(body: object, asked: Partial<CacheControl> = {}) {
  const parsed = parseBody(Buffer.from(JSON.stringify(body)), 64);
  return takeCacheMember(parsed, { ...NO_CACHE_CONTROL, ...asked });
}

const MEANS: readonly [cache: object, means: Partial<CacheControl>][] = [
  [{ ttl: 600 }, { ttlSeconds: 600, optIn: true }],
  [{ ttl: 0 }, { ttlSeconds: 0, optIn: true }],
  [{ 's-maxage': 30 }, { maxAgeSeconds: 30 }],
  [{ 'no-cache': true }, { noCache: true }],
  [{ 'no-cache': false, 'no-store': true }, { noStore: true }],
  [{ 'use-cache': true }, { optIn: true }],
  [{ 'use-cache': false }, {}],
  [{ namespace: 'a' }, { namespace: '["cache.namespace","a"]' }],
  [{ namespace: '', ttl: null, later: { any: 1 } }, {}],
];

for (const [cache, means] of MEANS) {
  test(`${JSON.stringify(cache)} means ${JSON.stringify(means)}, and nobody else sees it`, () => {
    const { parsed, cacheControl } = take({ model: 'm', cache, seed: 1 });

    assert.deepEqual(cacheControl, { ...NO_CACHE_CONTROL, ...means });
    assert.deepEqual(parsed.body, { model: 'm', seed: 1 });
    assert.equal(parsed.bytes.toString(), '{"model":"m","seed":1}');
    assert.deepEqual(parsed, parseBody(parsed.bytes, 64));
  });
}

test('beside headers the narrower word holds, and namespaces add up', () => {
  const asked = { ttlSeconds: 5, maxAgeSeconds: 50, noStore: true, namespace: '["x","y"]' };

  const { cacheControl } = take(
    { cache: { ttl: 10, 's-maxage': 10, namespace: 'n', 'no-store': false } },
    asked,
  );

  assert.deepEqual(cacheControl, {
    ...NO_CACHE_CONTROL,
    ...{ ttlSeconds: 5, maxAgeSeconds: 10, noStore: true, optIn: true },
    namespace: '["x","y"]["cache.namespace","n"]',
  });
});

for (const cache of [true, 'always', ['ttl'], {}, { type: 'ephemeral' }, null]) {
  test(`a cache of ${JSON.stringify(cache)} is not LiteLLM's, and passes as it is`, () => {
    const { parsed, cacheControl } = take({ model: 'm', cache });

    assert.deepEqual(cacheControl, NO_CACHE_CONTROL);
    assert.equal(parsed.bytes.toString(), JSON.stringify({ model: 'm', cache }));
    assert.deepEqual(parsed.body, { model: 'm', cache });
  });
}

const REFUSED: readonly [field: string, value: unknown][] = [
  ['ttl', '600'],
  ['ttl', 1.5],
  ['ttl', -1],
  ['ttl', 1e9],
  ['s-maxage', true],
  ['no-cache', 'yes'],
  ['no-store', 1],
  ['use-cache', 0],
  ['namespace', 7],
  ['namespace', 'x'.repeat(257)],
];

for (const [name, value] of REFUSED) {
  test(`a ${name} of ${JSON.stringify(value)?.slice(0, 12)} is refused by name`, () => {
    assert.throws(() => take({ cache: { [name]: value } }), {
      code: 'invalid_request',
      field: `cache.${name}`,
      message: new RegExp(`^cache\\.${name} `),
    });
  });
}
