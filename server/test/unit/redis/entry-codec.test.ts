/** Entries as bytes: read back as they were written, and nothing else is read. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { crc32, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { CacheEntry } from '../../../src/gateway/ports/cache-store.ts';
import { decodeEntry, encodeEntry, readFacts } from '../../../src/stores/redis/entry-codec.ts';

const count = fc.nat({ max: 1_000_000 });
/** Noise, and text that compresses, on both sides of every threshold. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
  fc.uint8Array({ minLength: 2040, maxLength: 2060, size: 'max' }).map((a) => Buffer.from(a)),
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.nat({ max: 8000 }))
    .map(([text, times]) => Buffer.from(text.repeat(times))),
);
const plainObject = { noNullPrototype: true };
const entries: fc.Arbitrary<CacheEntry> = fc.record(
  {
    dialect: fc.constantFrom('openai', 'anthropic', 'gemini', 'responses', 'native'),
    contentType: fc.string(),
    bytes,
    terminal: fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))),
    usage: fc.option(
      fc.record(
        {
          ...{ inputTokens: count, cachedInputTokens: count, outputTokens: count },
          ...{ reasoningTokens: count, source: fc.constantFrom('provider', 'estimated') },
        },
        plainObject,
      ),
    ),
    finishReasons: fc.array(fc.constantFrom('stop', 'length', 'tool_calls'), { maxLength: 3 }),
    provider: fc.string({ unit: 'grapheme' }),
    providerModel: fc.string({ unit: 'grapheme' }),
    generation: fc.string(),
    ...{ storedAtMs: count, freshUntilMs: count, keepUntilMs: count },
  },
  plainObject,
);

test('an entry is read back as it was written, under its own tenant and key alone', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.string(), fc.string(), async (entry, tenant, key) => {
      const { value } = await encodeEntry(tenant, key, entry);
      assert.deepEqual(await decodeEntry(tenant, key, value), entry);
      assert.equal(await decodeEntry(`${tenant}x`, key, value), null);
      assert.equal(await decodeEntry(tenant, `x${key}`, value), null);
      assert.equal(readFacts(value.subarray(0, 4096))?.generation, entry.generation);
    }),
    { numRuns: 200 },
  );
});

test('a value that was changed or cut anywhere is no entry', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), async (entry, at, by) => {
      const { value } = await encodeEntry('t', 'k', entry);
      const changed = Buffer.from(value);
      const index = at % value.length;
      changed[index] = (changed[index] ?? 0) ^ by;
      assert.equal(await decodeEntry('t', 'k', changed), null);
      assert.equal(await decodeEntry('t', 'k', value.subarray(0, index)), null);
      assert.equal(await decodeEntry('t', 'k', Buffer.concat([value, Buffer.from([by])])), null);
    }),
    { numRuns: 200 },
  );
});

test('no garbage is an entry, and none is thrown at', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (array) => {
      for (const first of [0, 1, 2, 3, 255]) {
        const value = Buffer.from([first, ...array]);
        assert.equal(await decodeEntry('t', 'k', value), null);
        readFacts(value);
      }
    }),
  );
});

test('a longer answer is kept compressed where that is smaller, else plain', async () => {
  const entry = (body: Buffer): CacheEntry => ({
    ...{ dialect: 'openai', contentType: 'application/json', bytes: body, terminal: null },
    ...{ usage: null, finishReasons: ['stop'], provider: 'p', providerModel: 'm' },
    ...{ generation: 'g', storedAtMs: 0, freshUntilMs: 1, keepUntilMs: 2 },
  });
  const kept = async (body: Buffer) => {
    const { plainBytes, keptBytes, value } = await encodeEntry('t', 'k', entry(body));
    assert.deepEqual((await decodeEntry('t', 'k', value))?.bytes, body);
    assert.ok(value.length < keptBytes + 400, 'the head is small');
    return keptBytes / plainBytes;
  };
  const json = Buffer.from(
    JSON.stringify({ rows: Array.from({ length: 400 }, (_, id) => ({ id })) }),
  );
  assert.ok((await kept(json)) < 0.6);
  assert.equal(await kept(Buffer.alloc(2048, 'a')), 1);
  assert.ok((await kept(Buffer.alloc(2049, 'a'))) < 0.1);
  assert.ok((await kept(Buffer.alloc(200_000, 'words '))) < 0.01);
  const digests = Array.from({ length: 100 }, (_, i) => hash('sha256', `${i}`, 'buffer'));
  assert.equal(await kept(Buffer.concat(digests)), 1, 'noise is larger when it is compressed');
});

const HEAD = {
  ...{ dialect: 'openai', contentType: 'application/json', provider: 'p', providerModel: 'm' },
  ...{ generation: 'g', finishReasons: ['stop'], usage: null },
  ...{ storedAtMs: 0, freshUntilMs: 1, keepUntilMs: 2, body: 2, end: null },
};
const USAGE = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0 };

/** A value whose checksum is right, whatever else it says. */
function sealed(head: unknown, rest = Buffer.from('{}'), format = 1): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const value = Buffer.concat([Buffer.alloc(9), text, rest]);
  value[0] = format;
  value.writeUInt32BE(text.length, 5);
  const name = crc32('1:tk');
  value.writeUInt32BE(crc32(value.subarray(5), crc32(value.subarray(0, 1), name)), 1);
  return value;
}

test('a value that is sealed by hand as this version seals it is an entry', async () => {
  const entry = await decodeEntry('t', 'k', sealed(HEAD));
  assert.equal(entry?.bytes.toString(), '{}');
  const dropped = ['messages[0].name'];
  assert.deepEqual((await decodeEntry('t', 'k', sealed({ ...HEAD, dropped })))?.dropped, dropped);
  const usage = { ...USAGE, source: 'provider' };
  assert.deepEqual((await decodeEntry('t', 'k', sealed({ ...HEAD, usage })))?.usage, usage);
});

const NO_HEADS: readonly [what: string, head: unknown][] = [
  ['no object', [HEAD]],
  ['a text that is none', { ...HEAD, provider: 7 }],
  ['fields that are no list', { ...HEAD, dropped: 'user' }],
  ['fields that are no texts', { ...HEAD, dropped: [7] }],
  ['a time that is none', { ...HEAD, keepUntilMs: 'later' }],
  ['a length below zero', { ...HEAD, body: -1 }],
  ['half a length', { ...HEAD, body: 1.5 }],
  ['an end that is no length', { ...HEAD, end: 'x' }],
  ['a usage that is no object', { ...HEAD, usage: 5 }],
  ['a usage without counts', { ...HEAD, usage: { source: 'provider' } }],
  ['a usage from nowhere', { ...HEAD, usage: { ...USAGE, source: 'guess' } }],
  ['reasons that are no list', { ...HEAD, finishReasons: 'stop' }],
  ['reasons that are no texts', { ...HEAD, finishReasons: [1] }],
  ['more bytes than there are', { ...HEAD, body: 3 }],
  ['more bytes than any entry has', { ...HEAD, body: 128 * 1024 * 1024 + 1 }],
];

for (const [what, head] of NO_HEADS) {
  test(`a value whose head has ${what} is no entry`, async () => {
    assert.equal(await decodeEntry('t', 'k', sealed(head)), null);
  });
}

test('a value whose compressed bytes are none, or are too many, is no entry', async () => {
  const body = 200_000;
  const bomb = zstdCompressSync(Buffer.alloc(10_000_000, 'x'));
  for (const rest of [Buffer.from('no zstd'), bomb]) {
    assert.equal(await decodeEntry('t', 'k', sealed(HEAD, rest, 2)), null);
    assert.equal(await decodeEntry('t', 'k', sealed({ ...HEAD, body }, rest, 2)), null);
  }
});
