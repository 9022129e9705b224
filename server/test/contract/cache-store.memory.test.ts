/**
 * The cache store of this process: the contract, its bounds, its figures, and that it owns its
 * bytes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMemoryCacheStore } from '../../src/stores/memory/cache-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { cacheStoreSuite, entryAt } from './cache-store.suite.ts';

/** What the store reckons for an entry beside its bytes. */
const OVERHEAD = 1024;

function open(options: { maxEntries?: number; maxBytes?: number; maxTenants?: number } = {}) {
  const clock = createManualClock();
  const store = createMemoryCacheStore({
    clock,
    maxEntries: 100,
    maxBytes: 1_000_000,
    ...options,
  });
  const put = (tenant: string, key: string, bytes = 10): void =>
    store.set(
      tenant,
      key,
      entryAt(clock.wallMs(), 'x'.repeat(bytes), { generation: store.generation(tenant) }),
    );
  const has = (tenant: string, key: string): boolean => store.get(tenant, key) !== null;
  return { clock, store, put, has };
}

cacheStoreSuite('memory', () => {
  const { clock, store } = open();
  return {
    store,
    nowMs: () => clock.wallMs(),
    advance: (ms) => clock.advance(ms),
    close: () => undefined,
  };
});

test('memory: it calls itself memory', () => {
  assert.equal(open().store.tier, 'memory');
});

test('memory: the least recently used leaves first, and reading is using', () => {
  const { put, has } = open({ maxEntries: 3 });
  for (const key of ['1', '2', '3']) put('t', key);
  assert.ok(has('t', '1'));

  put('t', '4');

  assert.deepEqual(
    ['1', '2', '3', '4'].map((key) => has('t', key)),
    [true, false, true, true],
  );
});

test('memory: storing again is using', () => {
  const { put, has } = open({ maxEntries: 2 });
  put('t', '1');
  put('t', '2');
  put('t', '1');

  put('t', '3');

  assert.deepEqual(
    ['1', '2', '3'].map((key) => has('t', key)),
    [true, false, true],
  );
});

test('memory: bytes are a bound of their own, overhead included', () => {
  const { store, put, has } = open({ maxBytes: 3 * (OVERHEAD + 100) });
  for (const key of ['1', '2', '3']) put('t', key, 100);
  assert.equal(store.stats(null).bytes, 3 * (OVERHEAD + 100));

  put('t', '4', 101);

  assert.deepEqual(
    ['1', '2', '3', '4'].map((key) => has('t', key)),
    [false, false, true, true],
  );
  assert.equal(store.stats(null).bytes, 2 * OVERHEAD + 201);
});

test('memory: an entry that fits the bytes exactly is stored, a larger one is not', () => {
  const { put, has, store } = open({ maxBytes: OVERHEAD + 100 });

  put('t', 'small', 10);
  put('t', 'large', 101);
  assert.ok(has('t', 'small'), 'what cannot be stored costs nobody a place');
  assert.equal(has('t', 'large'), false);
  put('t', 'exact', 100);

  assert.ok(has('t', 'exact'));
  assert.equal(store.stats('t').sets, 2);
});

test('memory: a store of no entries stores nothing', () => {
  const { put, has, store } = open({ maxEntries: 0 });

  put('t', '1');

  assert.equal(has('t', '1'), false);
  assert.equal(store.stats(null).entries, 0);
});

test('memory: replacing an entry makes room for nothing but itself', () => {
  const { put, has, store } = open({ maxEntries: 2 });
  put('t', '1');
  put('t', '2');

  put('t', '2', 50);

  assert.ok(has('t', '1'));
  assert.deepEqual(store.stats('t').evictions, 0);
});

test('memory: figures are told per tenant and for all', () => {
  const { clock, store, put, has } = open({ maxEntries: 2 });
  put('a', '1', 100);
  put('b', '1', 10);
  has('a', '1');
  has('a', 'missing');
  has('b', 'missing');
  has('b', 'missing');

  put('b', '2', 20);
  clock.advance(5000);
  has('b', '2');

  assert.deepEqual(store.stats('a'), {
    entries: 1,
    bytes: OVERHEAD + 100,
    hits: 1,
    misses: 1,
    sets: 1,
    evictions: 0,
  });
  assert.deepEqual(store.stats('b'), {
    entries: 0,
    bytes: 0,
    hits: 0,
    misses: 3,
    sets: 2,
    evictions: 1,
  });
  assert.deepEqual(store.stats(null), {
    entries: 1,
    bytes: OVERHEAD + 100,
    hits: 1,
    misses: 4,
    sets: 3,
    evictions: 1,
  });
  assert.equal(store.stats('nobody').entries, 0);
});

test('memory: figures told are a copy', () => {
  const { store, put } = open();
  put('a', '1');
  const before = store.stats(null);

  put('a', '2');

  assert.equal(before.entries, 1);
});

test('memory: a purge frees the bytes, counts them, and keeps the figures', async () => {
  const { store, put, has } = open();
  put('a', '1');
  put('a', '2');
  put('b', '1');
  has('a', '1');

  assert.equal(await store.purge('a'), 2);

  assert.deepEqual(store.stats('a'), {
    entries: 0,
    bytes: 0,
    hits: 1,
    misses: 0,
    sets: 2,
    evictions: 0,
  });
  assert.equal(store.stats(null).entries, 1);
  assert.equal(store.stats(null).bytes, OVERHEAD + 10);
});

test('memory: bytes are copied when stored, and not as a slice of something larger', () => {
  const { clock, store } = open();
  const block = Buffer.alloc(1_000_000, 'a');
  const entry = entryAt(clock.wallMs(), '', { bytes: block.subarray(500, 600) });
  store.set('t', 'k', entry);

  block.fill('b');

  const found = store.get('t', 'k');
  assert.equal(found?.bytes.toString(), 'a'.repeat(100));
  assert.equal(found?.bytes.buffer.byteLength, 100);
});

test('memory: tenants are bounded, the oldest goes with its entries', () => {
  const { store, put, has } = open({ maxTenants: 2 });
  put('a', '1');
  put('b', '1');

  put('c', '1');

  assert.equal(store.stats(null).entries, 2);
  assert.equal(store.stats(null).evictions, 1);
  assert.equal(store.stats('a').sets, 0);
  assert.deepEqual([has('b', '1'), has('c', '1')], [true, true]);
});

test('memory: random histories keep both bounds, and the figures are the contents', () => {
  const step = fc.tuple(
    fc.constantFrom('set', 'set', 'set', 'get', 'purge', 'wait'),
    fc.nat(3),
    fc.nat(9),
    fc.nat(900),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const { clock, store, put, has } = open({
        maxEntries: 8,
        maxBytes: 6 * OVERHEAD,
        maxTenants: 3,
      });
      for (const [kind, tenant, key, size] of steps) {
        if (kind === 'set') put(`t${tenant}`, `${key}`, size);
        if (kind === 'get') has(`t${tenant}`, `${key}`);
        if (kind === 'purge') void store.purge(`t${tenant}`);
        if (kind === 'wait') clock.advance(size);
        const all = store.stats(null);
        assert.ok(all.entries <= 8 && all.bytes <= 6 * OVERHEAD, JSON.stringify(all));
        const tenants = [0, 1, 2, 3].map((one) => store.stats(`t${one}`));
        assert.equal(
          tenants.reduce((sum, one) => sum + one.entries, 0),
          all.entries,
        );
        assert.equal(
          tenants.reduce((sum, one) => sum + one.bytes, 0),
          all.bytes,
        );
      }
    }),
    { numRuns: 500 },
  );
});

test('memory: the generation of a shared store in front takes the place of its own', () => {
  const { store, put, has } = open();
  put('t', '1');
  put('u', '1');

  store.renew('t', 'shared');
  assert.equal(has('t', '1'), false);
  put('t', '2');
  store.renew('t', 'shared');

  assert.deepEqual([has('t', '2'), has('u', '1')], [true, true]);
  assert.equal(store.generation('t'), 'shared');
});

test('memory: clearing forgets everybody’s entries, and their generations stay', () => {
  const { store, put, has } = open();
  store.renew('a', 'g');
  put('a', '1');
  put('b', '1');

  store.clear();

  assert.deepEqual([has('a', '1'), has('b', '1')], [false, false]);
  assert.equal(store.stats(null).bytes, 0);
  assert.equal(store.generation('a'), 'g');
});

test('memory: the end marker of a stream counts as bytes, and is copied', () => {
  const { clock, store } = open();
  const terminal = Buffer.from('end');
  store.set('t', 'k', entryAt(clock.wallMs(), '12345', { terminal }));

  terminal.fill('x');

  assert.equal(store.stats('t').bytes, OVERHEAD + 8);
  assert.equal(store.get('t', 'k')?.terminal?.toString(), 'end');
});

test('memory: nothing is removed of a tenant that has nothing', async () => {
  assert.equal(await open().store.remove('nobody', { pattern: '*' }), 0);
});

test('memory: a store with room for no tenant still serves the one at hand', () => {
  const { put, has } = open({ maxTenants: 0 });

  put('a', '1');

  assert.equal(has('a', '1'), true);
});
