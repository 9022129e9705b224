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
  /** How many random histories it is put through. */
  readonly runs?: number;
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
    terminal: null,
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
    generation: '0',
    storedAtMs: nowMs,
    freshUntilMs: nowMs + 1000,
    keepUntilMs: nowMs + 5000,
    ...changes,
  };
}

/** Stores a text under the tenant's current generation, as the cache stage does. */
async function put(
  { store, nowMs }: CacheStoreUnderTest,
  tenant: string,
  key: string,
  text: string,
  changes: Partial<CacheEntry> = {},
): Promise<CacheEntry> {
  if (store.generation(tenant) === null) await store.get(tenant, key);
  const generation = store.generation(tenant);
  assert.ok(generation !== null, 'a store that was asked knows the generation');
  const entry = entryAt(nowMs(), text, { generation, ...changes });
  await store.set(tenant, key, entry);
  return entry;
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
    const finishReasons = ['stop', 'tool_calls'] as const;

    const entry = await put(under, 't', 'k', '', { bytes, finishReasons });

    assert.deepEqual(await under.store.get('t', 'k'), entry);
  },

  'a stream is given back with its end marker, an empty one included': async (under) => {
    const stream = { contentType: '', terminal: Buffer.from('data: [DONE]\n\n') };
    const whole = await put(under, 't', 'k', 'data: {}\n\n', stream);
    const bare = await put(under, 't', 'bare', 'data: {}\n\n', { terminal: Buffer.alloc(0) });

    assert.deepEqual(await under.store.get('t', 'k'), whole);
    assert.deepEqual(await under.store.get('t', 'bare'), bare);
  },

  'usage that was not told stays not told': async (under) => {
    await put(under, 't', 'k', 'x', { usage: null });

    assert.equal((await under.store.get('t', 'k'))?.usage, null);
  },

  'what was not stored is null': async (under) => {
    await put(under, 't', 'k', 'x');

    assert.equal(await under.store.get('t', 'other'), null);
  },

  'a tenant never gets what another stored, under the same key': async (under) => {
    await put(under, 'a', 'k', 'of a');
    assert.equal(await under.store.get('b', 'k'), null);

    await put(under, 'b', 'k', 'of b');

    assert.equal((await under.store.get('a', 'k'))?.bytes.toString(), 'of a');
    assert.equal((await under.store.get('b', 'k'))?.bytes.toString(), 'of b');
  },

  'names that run together when joined stay apart': async (under) => {
    await put(under, 'a', 'b:c', '1');

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
      await put(under, name, name, name);
      assert.equal((await under.store.get(name, name))?.bytes.toString(), name);
    }
  },

  'a second entry under a key takes the place of the first': async (under) => {
    await put(under, 't', 'k', 'first');
    await put(under, 't', 'k', 'second');

    assert.equal((await under.store.get('t', 'k'))?.bytes.toString(), 'second');
  },

  'an entry is given past its freshness, until it is not kept any more': async (under) => {
    await put(under, 't', 'k', 'x');

    await under.advance(4999);
    assert.notEqual(await under.store.get('t', 'k'), null);
    await under.advance(1);

    assert.equal(await under.store.get('t', 'k'), null);
  },

  'a purge forgets the entries of one tenant and of no other': async (under) => {
    for (const key of ['1', '2', '3']) {
      await put(under, 'a', key, key);
      await put(under, 'b', key, key);
    }

    const removed = await under.store.purge('a');

    assert.ok(removed === null || removed === 3, String(removed));
    for (const key of ['1', '2', '3']) {
      assert.equal(await under.store.get('a', key), null);
      assert.notEqual(await under.store.get('b', key), null);
    }
  },

  'a purged tenant can store again at once': async (under) => {
    await put(under, 't', 'k', 'before');
    await under.store.purge('t');

    await put(under, 't', 'k', 'after');

    assert.equal((await under.store.get('t', 'k'))?.bytes.toString(), 'after');
  },

  'an entry begun before a purge is not given after it': async (under) => {
    await put(under, 't', 'k', 'x');
    const generation = under.store.generation('t') ?? '';
    await under.store.purge('t');

    await put(under, 't', 'late', 'begun before', { generation });

    assert.equal(await under.store.get('t', 'late'), null);
  },

  'no purge brings back the entries of an earlier one': async (under) => {
    const before = await put(under, 't', 'k', 'x');
    for (let purges = 0; purges < 20; purges += 1) {
      await under.store.purge('t');
      assert.notEqual(under.store.generation('t'), before.generation);
    }
    assert.equal(await under.store.get('t', 'k'), null);
  },

  'single entries are forgotten by key, by a pattern over keys, or by who answered': async (
    under,
  ) => {
    const { store } = under;
    const fill = async (): Promise<void> => {
      for (const key of ['a-1', 'a-2', 'b-1']) await put(under, 't', key, key);
      await put(under, 't', 'b-2', 'b-2', { provider: 'other', providerModel: 'n' });
      await put(under, 'neighbour', 'a-1', 'stays');
    };
    const left = async (): Promise<string> => {
      const keys = ['a-1', 'a-2', 'b-1', 'b-2'];
      const found = await Promise.all(keys.map((key) => store.get('t', key)));
      assert.notEqual(await store.get('neighbour', 'a-1'), null);
      return keys.filter((_, index) => found[index] !== null).join(' ');
    };
    for (const [selection, removed, rest] of [
      [{ key: 'a-2' }, 1, 'a-1 b-1 b-2'],
      [{ key: 'absent' }, 0, 'a-1 a-2 b-1 b-2'],
      [{ pattern: 'a-?' }, 2, 'b-1 b-2'],
      [{ pattern: '*1' }, 2, 'a-2 b-2'],
      [{ model: 'n' }, 1, 'a-1 a-2 b-1'],
      [{ model: 'up/m' }, 3, 'b-2'],
      [{ model: 'other/m' }, 0, 'a-1 a-2 b-1 b-2'],
      [{ model: 'm', pattern: '*-1' }, 2, 'a-2 b-2'],
      [{ pattern: '*' }, 4, ''],
    ] as const) {
      await fill();
      assert.equal(await store.remove('t', selection), removed, JSON.stringify(selection));
      assert.equal(await left(), rest, JSON.stringify(selection));
    }
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
            await put(under, tenant, key, text);
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
      { numRuns: under.runs ?? 200 },
    );
  },
};
