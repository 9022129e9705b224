/**
 * Goal: tokens are read as the vendors mean them, and nothing unbelievable becomes money.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../../src/kernel/json.ts';
import { decodeUsage } from '../../../../src/wire/openai/decode-usage.ts';

function figures(value: JsonValue | undefined): number[] | null {
  const usage = decodeUsage(value);
  if (usage === null) return null;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return [inputTokens, cachedInputTokens, outputTokens, reasoningTokens];
}

test('input, cached, output and reasoning tokens are read from their members', () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 30 },
  };

  assert.deepEqual(figures(usage), [100, 64, 50, 30]);
});

test('cache hits are read from the counter of their own that one vendor uses', () => {
  const usage = { prompt_tokens: 12, completion_tokens: 9, prompt_cache_hit_tokens: 4 };

  assert.deepEqual(figures(usage), [12, 4, 9, 0]);
});

test('reasoning that the total shows to be counted apart is added to the output', () => {
  const details = { completion_tokens_details: { reasoning_tokens: 30 } };
  const base = { prompt_tokens: 10, completion_tokens: 5, ...details };

  assert.deepEqual(figures({ ...base, total_tokens: 45 }), [10, 0, 35, 30]);
  assert.deepEqual(figures({ ...base, completion_tokens: 35, total_tokens: 45 }), [10, 0, 35, 30]);
});

test('embeddings have no output', () => {
  assert.deepEqual(figures({ prompt_tokens: 8, total_tokens: 8 }), [8, 0, 0, 0]);
});

test('a missing, negative, fractional or absurd main figure makes the usage unknown', () => {
  for (const wrong of [undefined, null, -1, 1.5, 1e300, '12', Number.NaN, [], {}]) {
    const value = wrong as JsonValue;
    assert.equal(figures({ prompt_tokens: value, completion_tokens: 1 }), null, String(wrong));
    if (wrong == null) continue;
    assert.equal(figures({ prompt_tokens: 1, completion_tokens: value }), null, String(wrong));
  }
  for (const whole of [undefined, null, 'x', 3, [], true]) assert.equal(figures(whole), null);
});

test('a detail that is no part of its whole grants no discount', () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 11 },
    completion_tokens_details: { reasoning_tokens: 6 },
  };

  assert.deepEqual(figures(usage), [10, 0, 5, 0]);
  assert.deepEqual(
    figures({ ...usage, prompt_tokens_details: { cached_tokens: -3 } }),
    [10, 0, 5, 0],
  );
});

test('whatever a provider sends, figures are whole, not negative, and parts within wholes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (a, object) => {
      for (const value of [a, object, { prompt_tokens: 5, ...object }] as JsonValue[]) {
        const found = figures(value);
        if (found === null) continue;
        const [input = 0, cached = 0, output = 0, reasoning = 0] = found;
        assert.ok(found.every((figure) => Number.isSafeInteger(figure) && figure >= 0));
        assert.ok(cached <= input && reasoning <= output);
      }
    }),
  );
});
