/**
 * Upper bounds, expectations and estimates, with bodies written out and figures by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  estimateUsage,
  expectedTokens,
  upperBoundNanousd,
} from '../../../src/gateway/accounting/estimate.ts';
import { costNanousd } from '../../../src/gateway/accounting/price.ts';
import type { Price } from '../../../src/gateway/model/price.ts';
import type { InferenceRequest } from '../../../src/gateway/model/request.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { chatRequest, TARGET } from '../pipeline/fakes.ts';

/** Nano-dollars per token, to read the sums in tokens. */
function target(input: number, output: number, changes: Partial<Target> = {}): Target {
  const price: Price = {
    id: 'p',
    inputPicousd: input * 1000,
    cachedInputPicousd: 0,
    outputPicousd: output * 1000,
  };
  return { ...TARGET, price, maxOutputTokens: null, ...changes };
}

function request(bytes: number, changes: Partial<InferenceRequest> = {}): InferenceRequest {
  return chatRequest({ bytes: Buffer.alloc(bytes), body: {}, ...changes });
}

function withContent(content: readonly JsonObject[]): InferenceRequest {
  return request(100, { maxOutputTokens: 0, body: { messages: [{ role: 'user', content }] } });
}

test('the bound is every byte as input and every token allowed as output', () => {
  assert.equal(upperBoundNanousd(request(100, { maxOutputTokens: 50 }), [target(3, 7)]), 650);
});

test('a conversation that was put before the request is input, too', () => {
  const known = request(100, { maxOutputTokens: 50, contextBytes: 30 });

  assert.equal(upperBoundNanousd(known, [target(3, 7)]), 740);
  assert.equal(estimateUsage(known, 0).inputTokens, 33);
});

test('each choice may produce as many', () => {
  const three = request(100, { maxOutputTokens: 50, choices: 3 });

  assert.equal(upperBoundNanousd(three, [target(3, 7)]), 1350);
});

test('without a limit of the client the model’s counts, without one a large default', () => {
  const known = target(1, 1, { maxOutputTokens: 4096 });

  assert.equal(upperBoundNanousd(request(100), [known]), 4196);
  assert.equal(upperBoundNanousd(request(100, { maxOutputTokens: 5000 }), [known]), 5100);
  assert.equal(upperBoundNanousd(request(100), [target(1, 1)]), 131_172);
});

test('the dearest of the targets counts, and each under its own limit', () => {
  const dearByInput = target(9, 1, { maxOutputTokens: 10 });
  const dearByOutput = target(1, 1, { maxOutputTokens: 900 });

  assert.equal(upperBoundNanousd(request(100), [dearByInput, dearByOutput]), 1000);
  assert.equal(upperBoundNanousd(request(200), [dearByInput, dearByOutput]), 1810);
});

test('one target without a price makes the bound unknown', () => {
  const unpriced = { ...target(1, 1), price: null };

  assert.equal(upperBoundNanousd(request(100), [target(1, 1), unpriced]), null);
});

test('cached input that is dearer than fresh is the bound', () => {
  const price = { id: 'p', inputPicousd: 1000, cachedInputPicousd: 3000, outputPicousd: 0 };

  assert.equal(upperBoundNanousd(request(100), [target(0, 0, { price })]), 300);
});

test('an embedding has input alone', () => {
  const embedding = request(100, { operation: 'embedding', maxOutputTokens: 50 });

  assert.equal(upperBoundNanousd(embedding, [target(3, 7)]), 300);
});

test('a list of prompts is answered one by one, a prompt in tokens once', () => {
  const bound = (prompt: JsonObject['prompt']) =>
    upperBoundNanousd(
      request(0, { operation: 'completion', maxOutputTokens: 10, body: { prompt } }),
      [target(0, 1)],
    );

  assert.equal(bound('one'), 10);
  assert.equal(bound(['one', 'two', 'three']), 30);
  assert.equal(bound([[1, 2], [3]]), 20);
  assert.equal(bound([1, 2, 3]), 10);
  assert.equal(bound([]), 10);
});

test('images, files and tools add what their bytes do not show', () => {
  const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } };
  const file = { type: 'file', file: { file_id: 'file-1' } };
  const text = { type: 'text', text: 'hola' };
  const bound = (of: InferenceRequest) => upperBoundNanousd(of, [target(1, 1)]);

  assert.equal(bound(withContent([text])), 100);
  assert.equal(bound(withContent([text, image, image])), 100_100);
  assert.equal(bound(withContent([file])), 1_048_676);
  assert.equal(bound(request(100, { maxOutputTokens: 0, body: { tools: [] } })), 1124);
});

test('a body of unexpected shape is bounded like text', () => {
  for (const messages of [
    7,
    'text',
    [null, 3, 'x', {}, { content: 'x' }, { content: [1, null] }],
  ]) {
    const odd = request(100, { maxOutputTokens: 0, body: { messages } as JsonObject });
    assert.equal(upperBoundNanousd(odd, [target(1, 1)]), 100);
  }
});

test('a fraction of a nano-dollar is rounded up', () => {
  const price = { id: 'p', inputPicousd: 1, cachedInputPicousd: 0, outputPicousd: 0 };

  assert.equal(upperBoundNanousd(request(1), [target(0, 0, { price })]), 1);
  assert.equal(upperBoundNanousd(request(1000), [target(0, 0, { price })]), 1);
  assert.equal(upperBoundNanousd(request(1001), [target(0, 0, { price })]), 2);
});

test('a limit no model has is bounded by the largest amount, not an error', () => {
  for (const maxOutputTokens of [Number.MAX_SAFE_INTEGER, 1e300, Number.POSITIVE_INFINITY]) {
    const absurd = request(1, { maxOutputTokens, choices: 128 });
    assert.equal(upperBoundNanousd(absurd, [target(1, 600)]), Number.MAX_SAFE_INTEGER);
  }
});

test('no usage within the limits costs more than the bound', () => {
  const figures = fc.record({
    bytes: fc.nat(5000),
    most: fc.nat(5000),
    choices: fc.integer({ min: 1, max: 4 }),
    input: fc.double({ min: 0, max: 1, noNaN: true }),
    cached: fc.double({ min: 0, max: 1, noNaN: true }),
    output: fc.double({ min: 0, max: 1, noNaN: true }),
    prices: fc.tuple(fc.nat(1e8), fc.nat(1e8), fc.nat(1e8)),
  });
  fc.assert(
    fc.property(figures, ({ bytes, most, choices, input, cached, output, prices }) => {
      const [inputPicousd, cachedInputPicousd, outputPicousd] = prices;
      const price = { id: 'p', inputPicousd, cachedInputPicousd, outputPicousd };
      const inputTokens = Math.floor(bytes * input);
      const usage = {
        inputTokens,
        cachedInputTokens: Math.floor(inputTokens * cached),
        outputTokens: Math.floor(most * choices * output),
        reasoningTokens: 0,
        source: 'provider' as const,
      };
      const asked = request(bytes, { maxOutputTokens: most, choices });
      const bound = upperBoundNanousd(asked, [target(0, 0, { price })]);
      assert.ok(bound !== null && costNanousd(usage, price) <= bound);
    }),
    { numRuns: 1000 },
  );
});

test('a quarter of the bytes and a usual answer are expected', () => {
  assert.equal(expectedTokens(request(401)), 101 + 512);
  assert.equal(expectedTokens(request(400, { choices: 2 })), 100 + 1024);
});

test('a small limit of the client is expected, a large one is not', () => {
  assert.equal(expectedTokens(request(400, { maxOutputTokens: 10 })), 110);
  assert.equal(expectedTokens(request(400, { maxOutputTokens: 100_000 })), 612);
});

test('of an embedding its input is expected', () => {
  assert.equal(expectedTokens(request(400, { operation: 'embedding' })), 100);
});

test('usage nobody told is estimated from bytes and characters, and says so', () => {
  assert.deepEqual(estimateUsage(request(401), 9), {
    inputTokens: 101,
    cachedInputTokens: 0,
    outputTokens: 3,
    reasoningTokens: 0,
    source: 'estimated',
  });
  assert.equal(estimateUsage(request(400, { operation: 'embedding' }), 5000).outputTokens, 0);
});

test('an estimate stays within what the client allowed', () => {
  const limited = request(400, { maxOutputTokens: 10, choices: 2 });

  assert.equal(estimateUsage(limited, 4000).outputTokens, 20);
  assert.equal(estimateUsage(limited, 40).outputTokens, 10);
});
