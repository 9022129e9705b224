/**
 * What an exchange is charged, by how it went.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { billOf } from '../../../src/gateway/accounting/bill.ts';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { NO_USAGE, type Usage } from '../../../src/gateway/model/usage.ts';
import { attempt, chatRequest, exchangeOf, TARGET } from '../pipeline/fakes.ts';

const TOLD: Usage = {
  inputTokens: 100,
  cachedInputTokens: 40,
  outputTokens: 10,
  reasoningTokens: 0,
  source: 'provider',
};

/** One nano-dollar for an input token, half for a cached one, two for output. */
const PRICED: Target = {
  ...TARGET,
  price: { id: 'price_1', inputPicousd: 1000, cachedInputPicousd: 500, outputPicousd: 2000 },
};

function called(targets: readonly Target[], dispatched: boolean): Exchange {
  const exchange = exchangeOf(chatRequest({ bytes: Buffer.alloc(400) }));
  for (const target of targets) exchange.attempts.push(attempt(target));
  exchange.dispatched = dispatched;
  exchange.cache = { status: 'MISS', tier: null, ageSeconds: null, detail: null };
  return exchange;
}

const NOTHING = { usage: NO_USAGE, costNanousd: 0, priceId: null };

test('usage the provider told is charged under its target’s price', () => {
  assert.deepEqual(billOf(called([PRICED], true), { usage: TOLD, characters: 5 }), {
    usage: TOLD,
    costNanousd: 60 + 20 + 20,
    priceId: 'price_1',
  });
});

test('the target called last is charged', () => {
  const other = { ...PRICED, price: { ...PRICED.price, id: 'price_2' } } as Target;

  const bill = billOf(called([PRICED, other], true), { usage: TOLD, characters: 0 });

  assert.equal(bill.priceId, 'price_2');
});

test('what was sent and never told is charged by estimate', () => {
  const bill = billOf(called([PRICED], true), { usage: null, characters: 40 });

  assert.equal(bill.usage.source, 'estimated');
  assert.equal(bill.costNanousd, 100 + 2 * 10);
});

test('what was not sent, or refused by the provider, is charged nothing', () => {
  assert.deepEqual(billOf(called([PRICED], false), { usage: null, characters: 0 }), NOTHING);
});

test('usage that was told is charged, sent or not', () => {
  const bill = billOf(called([PRICED], false), { usage: TOLD, characters: 0 });

  assert.equal(bill.costNanousd, 100);
});

test('an exchange that called nobody is charged nothing', () => {
  assert.deepEqual(billOf(called([], false), { usage: null, characters: 0 }), NOTHING);
});

test('a target without a price is unpriced, with its usage', () => {
  const unpriced = { ...TARGET, price: null };

  const bill = billOf(called([unpriced], true), { usage: TOLD, characters: 0 });

  assert.deepEqual(bill, { usage: TOLD, costNanousd: null, priceId: null });
});

for (const status of ['HIT', 'JOIN', 'STALE'] as const) {
  test(`${status} is charged nothing, whatever usage the answer tells`, () => {
    const exchange = called([PRICED], true);
    exchange.cache = { status, tier: null, ageSeconds: null, detail: null };

    assert.deepEqual(billOf(exchange, { usage: TOLD, characters: 100 }), NOTHING);
  });
}
