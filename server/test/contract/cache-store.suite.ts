/**
 * What every store of cached answers promises: it gives back what was stored, to the tenant
 * that stored it, for as long as the entry says, and forgets a tenant when told to.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CacheEntry, CacheStore } from '../../src/gateway/ports/cache-store.ts';

export interface CacheStoreUnderTest {
  readonly store: CacheStore;
  /** The store's wall clock. */
  nowMs(): number;
  advance(ms: number): void | Promise<void>;
  close(): void | Promise<void>;
}

type Open = () => CacheStoreUnderTest | Promise<CacheStoreUnderTest>;

export function entryAt(
  nowMs: number,
  text: string,
  changes: Partial<CacheEntry> = {},
): CacheEntry {
  return {
    dialect: 'openai',
    contentType: 'application/json',
    bytes: Buffer.from(text),
    usage: {
      inputTokens: 5,
      cachedInputTokens: 1,
      outputTokens: 7,
      reasoningTokens: 2,
      source: 'provider',
    },
    finishReasons: ['stop'],
    provider: 'up',
    providerModel: 'm',
    storedAtMs: nowMs,
    freshUntilMs: nowMs + 1000,
    keepUntilMs: nowMs + 5000,
    ...changes,
  };
}

export function cacheStoreSuite(adapter: string, open: Open): void {
  for (const [claim, run] of Object.entries(CLAIMS)) {
    test(`${adapter}: ${claim}`, async (t) => {
      const under = await open();
      t.after(() => under.close());
      await run(under);
    });
  }
}

const CLAIMS: Readonly<Record<string, (under: CacheStoreUnderTest) => Promise<void>>> = {
  'it gives back exactly what was stored': async (under) => {
    const bytes = Buffer.from([0, 255, 10, 13, 0xc3, 0x28, 34, 92]);
    const entry = entryAt(under.nowMs(), '', { bytes, finishReasons: ['stop', 'tool_calls'] });

    await under.store.set('t', 'k', entry);

    assert.deepEqual(await under.store.get('t', 'k'), entry);
  },

  'usage that was not told stays not told': async (under) => {
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'x', { usage: null }));

    assert.equal((await under.store.get('t', 'k'))?.usage, null);
  },

  'what was not stored is null': async (under) => {
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'x'));

    assert.equal(await under.store.get('t', 'other'), null);
  },

  'a tenant never gets what another stored, under the same key': async (under) => {
    await under.store.set('a', 'k', entryAt(under.nowMs(), 'of a'));
    assert.equal(await under.store.get('b', 'k'), null);

    await under.store.set('b', 'k', entryAt(under.nowMs(), 'of b'));

    assert.equal((await under.store.get('a', 'k'))?.bytes.toString(), 'of a');
    assert.equal((await under.store.get('b', 'k'))?.bytes.toString(), 'of b');
  },

  'names that run together when joined stay apart': async (under) => {
    await under.store.set('a', 'b:c', entryAt(under.nowMs(), '1'));

    for (const [tenant, key] of [
      ['a:b', 'c'],
      ['', 'a:b:c'],
      ['a:b:c', ''],
      ['a\u0000b', 'c'],
    ] as const) {
      assert.equal(await under.store.get(tenant, key), null);
    }
  },

  'names that objects are born with are names like others': async (under) => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      assert.equal(await under.store.get(name, name), null);
      await under.store.set(name, name, entryAt(under.nowMs(), name));
      assert.equal((await under.store.get(name, name))?.bytes.toString(), name);
    }
  },

  'a second entry under a key takes the place of the first': async (under) => {
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'first'));
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'second'));

    assert.equal((await under.store.get('t', 'k'))?.bytes.toString(), 'second');
  },

  'an entry is given past its freshness, until it is not kept any more': async (under) => {
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'x'));

    await under.advance(4999);
    assert.notEqual(await under.store.get('t', 'k'), null);
    await under.advance(1);

    assert.equal(await under.store.get('t', 'k'), null);
  },

  'a purge forgets the entries of one tenant and of no other': async (under) => {
    for (const key of ['1', '2', '3']) {
      await under.store.set('a', key, entryAt(under.nowMs(), key));
      await under.store.set('b', key, entryAt(under.nowMs(), key));
    }

    const removed = await under.store.purge('a');

    assert.ok(removed === null || removed === 3, String(removed));
    for (const key of ['1', '2', '3']) {
      assert.equal(await under.store.get('a', key), null);
      assert.notEqual(await under.store.get('b', key), null);
    }
  },

  'a purged tenant can store again at once': async (under) => {
    await under.store.set('t', 'k', entryAt(under.nowMs(), 'before'));
    await under.store.purge('t');

    await under.store.set('t', 'k', entryAt(under.nowMs(), 'after'));

    assert.equal((await under.store.get('t', 'k'))?.bytes.toString(), 'after');
  },

  'a purge of a tenant without entries is harmless': async (under) => {
    const removed = await under.store.purge('nobody');

    assert.ok(removed === null || removed === 0, String(removed));
  },

  'over random histories each tenant reads what it last stored': async (under) => {
    const step = fc.tuple(
      fc.constantFrom('set', 'set', 'get', 'get', 'purge'),
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('1', '2', '3'),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        for (const tenant of ['a', 'b', 'c']) await under.store.purge(tenant);
        const expected = new Map<string, string>();
        for (const [kind, tenant, key, text] of steps) {
          if (kind === 'set') {
            await under.store.set(tenant, key, entryAt(under.nowMs(), text));
            expected.set(`${tenant}/${key}`, text);
          }
          if (kind === 'purge') {
            await under.store.purge(tenant);
            for (const name of ['1', '2', '3']) expected.delete(`${tenant}/${name}`);
          }
          const found = await under.store.get(tenant, key);
          assert.equal(found?.bytes.toString(), expected.get(`${tenant}/${key}`));
        }
      }),
      { numRuns: 200 },
    );
  },
};
