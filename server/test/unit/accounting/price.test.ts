/**
 * Costs to the nano-dollar, worked out by hand from published prices.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { costNanousd } from '../../../src/gateway/accounting/price.ts';
import type { Price } from '../../../src/gateway/model/price.ts';
import type { Usage } from '../../../src/gateway/model/usage.ts';
import { priceFromUsdPerMillion } from '../../../src/kernel/money.ts';

function price(inputUsd: number, cachedUsd: number, outputUsd: number): Price {
  return {
    id: 'price_1',
    inputPicousd: priceFromUsdPerMillion(inputUsd),
    cachedInputPicousd: priceFromUsdPerMillion(cachedUsd),
    outputPicousd: priceFromUsdPerMillion(outputUsd),
  };
}

function usage(input: number, cached: number, output: number, reasoning = 0): Usage {
  return {
    inputTokens: input,
    cachedInputTokens: cached,
    outputTokens: output,
    reasoningTokens: reasoning,
    source: 'provider',
  };
}

const GOLDEN: readonly [claim: string, usage: Usage, price: Price, cost: number][] = [
  [
    'input and output have prices of their own',
    usage(1000, 0, 500),
    price(2.5, 1.25, 10),
    7_500_000,
  ],
  [
    'B-40: $0.14 per million is 140 per token',
    usage(1_000_000, 0, 0),
    price(0.14, 0, 0),
    140_000_000,
  ],
  [
    'B-40: $2.50 per million is 2500 per token',
    usage(1_000_000, 0, 0),
    price(2.5, 0, 0),
    2_500_000_000,
  ],
  [
    'cached input is cheaper, the rest is not',
    usage(1000, 600, 0),
    price(2.5, 1.25, 10),
    1_750_000,
  ],
  ['all of the input can be cached', usage(1000, 1000, 0), price(2.5, 1.25, 10), 1_250_000],
  [
    'reasoning is output, counted once',
    usage(100, 0, 900, 800),
    price(0.55, 0.14, 2.19),
    2_026_000,
  ],
  ['an embedding has no output', usage(8191, 0, 0), price(0.02, 0, 0), 163_820],
  ['a price of nothing costs nothing', usage(1e6, 1e6, 1e6), price(0, 0, 0), 0],
  ['no tokens cost nothing', usage(0, 0, 0), price(75, 75, 150), 0],
  ['half a nano-dollar is rounded up, once', usage(1, 0, 0), price(0.0005, 0, 0), 1],
  ['less than half is rounded down', usage(1, 0, 0), price(0.000499, 0, 0), 0],
  ['parts are added before they are rounded', usage(2, 1, 1), price(0.0004, 0.0004, 0.0004), 1],
  ['three tokens at 37.5 nano-dollars are 112.5', usage(3, 0, 0), price(0.0375, 0, 0), 113],
  ['more cached than there was counts as all', usage(10, 99, 0), price(2, 1, 0), 10_000],
];

for (const [claim, tokens, at, cost] of GOLDEN) {
  test(claim, () => {
    assert.equal(costNanousd(tokens, at), cost);
  });
}

test('a cost whose pico-dollars are beyond the safe integers is exact all the same', () => {
  const dear = price(1000, 0, 0);

  assert.equal(costNanousd(usage(9_000_000, 0, 0), dear), 9_000_000_000_000);
  assert.equal(costNanousd(usage(99_999_999, 0, 0), dear), 99_999_999_000_000);
  const odd = { ...dear, inputPicousd: 1_000_000_001 };
  assert.equal(costNanousd(usage(99_999_999, 0, 0), odd), 99_999_999_100_000);
});

test('a cost beyond the safe integers throws instead of being wrong', () => {
  const absurd = price(1_000_000_000, 0, 0);

  assert.throws(() => costNanousd(usage(100_000_000, 0, 0), absurd), RangeError);
});

test('a cost equals the one in arbitrary precision', () => {
  const tokens = fc.nat(100_000_000);
  const picousd = fc.nat(600_000_000);
  fc.assert(
    fc.property(tokens, tokens, tokens, picousd, picousd, picousd, (i, c, o, pi, pc, po) => {
      const cached = Math.min(i, c);
      const exact =
        BigInt(i - cached) * BigInt(pi) + BigInt(cached) * BigInt(pc) + BigInt(o) * BigInt(po);
      const at = { id: 'p', inputPicousd: pi, cachedInputPicousd: pc, outputPicousd: po };
      assert.equal(BigInt(costNanousd(usage(i, cached, o), at)), (exact + 500n) / 1000n);
    }),
    { numRuns: 2000 },
  );
});

test('input written to the prompt cache costs its own price, or that of input', () => {
  const usage: Usage = {
    inputTokens: 1000, // 500 fresh, 200 read from the cache, 300 written to it
    cachedInputTokens: 200,
    cacheWriteTokens: 300,
    outputTokens: 10,
    reasoningTokens: 0,
    source: 'provider',
  };
  const price: Price = {
    id: 'price_sonnet',
    inputPicousd: 3_000_000,
    cachedInputPicousd: 300_000,
    cacheWritePicousd: 3_750_000,
    outputPicousd: 15_000_000,
  };
  const { cacheWritePicousd: _, ...withoutWrite } = price;

  // 1 500 000 + 60 000 + 1 125 000 + 150 000 nano-dollars
  assert.equal(costNanousd(usage, price), 2_835_000);
  assert.equal(costNanousd(usage, withoutWrite), 2_610_000);
});
