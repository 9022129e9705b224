/**
 * What a request's headers ask of the cache: the standard's directives, and the words of other
 * gateways. Headers are given as they come off the wire.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { type CacheControl, NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import { readHead } from '../../../src/http/read-head.ts';

function read(...rawHeaders: string[]): CacheControl {
  return readHead({ rawHeaders, headers: {} } as unknown as IncomingMessage).cacheControl;
}

const ASKED: readonly [header: string, value: string, means: Partial<CacheControl>][] = [
  ['cache-control', 'no-cache', { noCache: true }],
  ['Cache-Control', 'NO-STORE', { noStore: true }],
  ['cache-control', 'max-age=5', { maxAgeSeconds: 5 }],
  ['cache-control', 'max-age="5", only-if-cached', { maxAgeSeconds: 5, onlyIfCached: true }],
  ['cache-control', 'stale-if-error=60', { staleIfErrorSeconds: 60 }],
  ['cache-control', 'stale-while-revalidate=0', { staleWhileRevalidateSeconds: 0 }],
  ['cache-control', 'private, immutable', {}],
  ['x-portkey-cache-force-refresh', 'true', { noCache: true }],
  ['x-portkey-cache-force-refresh', 'false', {}],
  ['cf-aig-skip-cache', 'true', { noCache: true }],
  ['X-No-Cache', '1', { noCache: true }],
  ['x-bf-cache-no-store', 'true', { noStore: true }],
  ['cf-aig-cache-ttl', '3600', { ttlSeconds: 3600, optIn: true }],
  ['x-bf-cache-ttl', '30s', { ttlSeconds: 30, optIn: true }],
  ['helicone-cache-enabled', 'true', { optIn: true }],
  ['Helicone-Cache-Enabled', 'false', { noStore: true }],
  ['helicone-cache-seed', 'one', { namespace: '["helicone-cache-seed","one"]' }],
  ['x-portkey-cache-namespace', 'one', { namespace: '["x-portkey-cache-namespace","one"]' }],
  ['cf-aig-cache-key', 'one', { namespace: '["cf-aig-cache-key","one"]' }],
  ['x-bf-cache-key', '', {}],
  ['X-No-Fallback', 'true', { namespace: '["x-no-fallback"]' }],
  ['x-no-fallback', 'false', {}],
];

for (const [header, value, means] of ASKED) {
  test(`${header}: ${value} means ${JSON.stringify(means)}`, () => {
    assert.deepEqual(read(header, value), { ...NO_CACHE_CONTROL, ...means });
  });
}

test('directives in several headers of cache-control add up', () => {
  const asked = read('cache-control', 'no-cache', 'cache-control', 'max-age=1');

  assert.deepEqual(asked, { ...NO_CACHE_CONTROL, noCache: true, maxAgeSeconds: 1 });
});

test('namespaces of several gateways add up, in whatever order they come', () => {
  const [a, b] = [
    ['cf-aig-cache-key', 'x'],
    ['helicone-cache-seed', 'y'],
  ] as const;

  assert.equal(read(...a, ...b).namespace, read(...b, ...a).namespace);
  assert.notEqual(read(...a, ...b).namespace, read(...a).namespace);
  assert.notEqual(
    read('cf-aig-cache-key', 'x').namespace,
    read('helicone-cache-seed', 'x').namespace,
  );
});

test('two words of different gateways for the same are no contradiction', () => {
  assert.equal(read('x-no-cache', 'true', 'cf-aig-skip-cache', 'true').noCache, true);
});

const REFUSED: readonly [code: string, field: string, headers: readonly string[]][] = [
  ['header_invalid', 'cache-control', ['cache-control', 'max-age=soon']],
  ['header_invalid', 'cache-control', ['cache-control', 'stale-while-revalidate']],
  ['header_invalid', 'cf-aig-cache-ttl', ['cf-aig-cache-ttl', 'soon']],
  ['header_invalid', 'x-bf-cache-key', ['x-bf-cache-key', 'x'.repeat(257)]],
  ['duplicate_header', 'x-no-cache', ['x-no-cache', '1', 'X-No-Cache', '1']],
];

for (const [code, field, headers] of REFUSED) {
  test(`${headers.join(' ').slice(0, 50)} is refused, and named`, () => {
    assert.throws(() => read(...headers), { code, field });
  });
}

test('a header with a name that objects are born with is a header like others', () => {
  assert.deepEqual(read('constructor', 'x', 'constructor', 'y'), NO_CACHE_CONTROL);
});
