/**
 * Goal: embeddings that behave like embeddings: of length one, the same for the same text, near
 * for texts that share words, in the form that was asked for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../../src/kernel/json.ts';
import { embed } from '../../../../src/providers/mock/embedding.ts';
import { at, createMock } from './fixture.ts';

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

async function vectors(input: JsonValue, more: JsonObject = {}): Promise<unknown[]> {
  const answer = await createMock().plain('embedding', { model: 'mock', input, ...more });
  return (at(answer.body, 'data') as unknown[]).map((item) => at(item, 'embedding'));
}

test('every text has a vector of length one', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 300 }), (text, dimensions) => {
      const vector = embed(text, dimensions);

      assert.equal(vector.length, dimensions);
      assert.ok(Math.abs(product(vector, vector) - 1) < 1e-5);
      assert.deepEqual(embed(text, dimensions), vector);
    }),
  );
});

test('texts that share words lie nearer than texts that share none', () => {
  const question = embed('how does a canal lock work', 512);

  const near = product(question, embed('a canal lock: how does it work', 512));
  const far = product(question, embed('receta de gazpacho andaluz', 512));

  assert.ok(near > 0.7 && far < 0.3, `${near} ${far}`);
});

test('texts, lists of texts and lists of tokens are embedded in order', async () => {
  assert.equal((await vectors('a')).length, 1);
  assert.deepEqual(await vectors(['a', 'b']), [(await vectors('a'))[0], (await vectors('b'))[0]]);
  assert.equal((await vectors([1, 2, 3])).length, 1);
  assert.equal((await vectors([[1], [2]])).length, 2);
});

test('the dimensions asked for are given, 1536 where none are', async () => {
  assert.equal(at(await vectors('a'), 0, 'length'), 1536);
  assert.equal(at(await vectors('a', { dimensions: 64 }), 0, 'length'), 64);
});

test('base64 holds the very floats', async () => {
  const [floats] = await vectors('hello world', { dimensions: 32 });
  const [encoded] = await vectors('hello world', { dimensions: 32, encoding_format: 'base64' });

  const bytes = Buffer.from(String(encoded), 'base64');
  const decoded = Array.from({ length: 32 }, (_, i) => bytes.readFloatLE(4 * i));
  assert.deepEqual(decoded, floats);
});

test('tokens are counted over all inputs', async () => {
  const answer = await createMock().plain('embedding', { model: 'mock', input: ['12345', '1'] });

  assert.deepEqual(at(answer.body, 'usage'), { prompt_tokens: 3, total_tokens: 3 });
  assert.equal(answer.usage?.outputTokens, 0);
});
