/**
 * Places at a provider: how many, whose, and what happens to names no longer used.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBulkheads } from '../../../src/gateway/resilience/bulkhead.ts';
import { createRetryBudgets } from '../../../src/gateway/resilience/retry.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { TARGET } from '../pipeline/fakes.ts';

function at(provider: string, model = 'm') {
  return { ...TARGET, provider, id: `${provider}/${model}` };
}

test('the models of a provider share its places, another provider has its own', () => {
  const bulkheads = createBulkheads();

  const taken = [
    bulkheads.of(at('a', 'x')).tryEnter(2),
    bulkheads.of(at('a', 'y')).tryEnter(2),
    bulkheads.of(at('a', 'x')).tryEnter(2),
    bulkheads.of(at('b', 'x')).tryEnter(2),
  ];

  assert.deepEqual(taken, [true, true, false, true]);
  assert.equal(bulkheads.running('a'), 2);
  assert.equal(bulkheads.running('b'), 1);
  assert.equal(bulkheads.running('c'), 0);
});

test('a lowered limit holds back new calls until enough have ended', () => {
  const bulkhead = createBulkheads().of(at('a'));
  bulkhead.tryEnter(2);
  bulkhead.tryEnter(2);

  assert.equal(bulkhead.tryEnter(1), false);
  bulkhead.leave();
  assert.equal(bulkhead.tryEnter(1), false);
  bulkhead.leave();

  assert.equal(bulkhead.tryEnter(1), true);
});

test('of a thousand and more providers a busy one is not forgotten', () => {
  const bulkheads = createBulkheads();
  bulkheads.of(at('busy')).tryEnter(1);
  const idle = bulkheads.of(at('idle'));

  for (let i = 0; i < 2000; i += 1) bulkheads.of(at(`p${i}`));

  assert.equal(bulkheads.running('busy'), 1);
  assert.notEqual(bulkheads.of(at('idle')), idle);
});

test('of a thousand and more retry budgets the oldest makes room', () => {
  const budgets = createRetryBudgets(createManualClock());
  const first = budgets.of(at('first'));

  for (let i = 0; i < 1023; i += 1) budgets.of(at(`p${i}`));
  assert.equal(budgets.of(at('first')), first);
  budgets.of(at('one more'));

  assert.notEqual(budgets.of(at('first')), first);
});
