/**
 * Pauses before retries, and the retry budget of a provider, with a clock and a die in hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import {
  createRetryBudgets,
  RetryBudget,
  retryPauseMs,
} from '../../../src/gateway/resilience/retry.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { TARGET } from '../pipeline/fakes.ts';

const FIFTH = { attempts: 3, budgetRatio: 0.2 };

function rolling(value: number) {
  return { float: () => value, bytes: (length: number) => new Uint8Array(length) };
}

function failed(retryAfterMs?: number): GatewayError {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new GatewayError('upstream_failed', options);
}

test('the pause is any part of one that doubles from 100 ms and stops at 2 s', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7].map((retry) => retryPauseMs(failed(), retry, rolling(1)));
  const shortest = [1, 2, 9].map((retry) => retryPauseMs(failed(), retry, rolling(0)));

  assert.deepEqual(longest, [100, 200, 400, 800, 1600, 2000, 2000]);
  assert.deepEqual(shortest, [0, 0, 0]);
  assert.equal(retryPauseMs(failed(), 3, rolling(0.5)), 200);
});

test('a pause the provider asks for is kept, and a little more, up to 2 s', () => {
  assert.equal(retryPauseMs(failed(1000), 1, rolling(0)), 1000);
  assert.equal(retryPauseMs(failed(1000), 1, rolling(0.5)), 1050);
  assert.equal(retryPauseMs(failed(2000), 1, rolling(0)), 2000);
});

test('a provider that asks for more than 2 s is not waited for', () => {
  assert.equal(retryPauseMs(failed(2001), 1, rolling(0)), null);
  assert.equal(retryPauseMs(failed(3_600_000), 1, rolling(0)), null);
});

test('three retries in ten seconds are always allowed, a fourth needs requests', () => {
  const budget = new RetryBudget(createManualClock());
  budget.countRequest();

  const taken = [1, 2, 3, 4].map(() => budget.tryTake(FIFTH));

  assert.deepEqual(taken, [true, true, true, false]);
});

test('a hundred failing requests are followed by twenty retries and not one more', () => {
  const budget = new RetryBudget(createManualClock());
  let retries = 0;

  for (let i = 0; i < 100; i += 1) budget.countRequest();
  for (let i = 0; i < 100; i += 1) retries += budget.tryTake(FIFTH) ? 1 : 0;

  assert.equal(retries, 20);
});

test('a ratio that floating point cannot hold counts as written', () => {
  const budget = new RetryBudget(createManualClock());
  let retries = 0;

  for (let i = 0; i < 100; i += 1) budget.countRequest();
  for (let i = 0; i < 100; i += 1) {
    retries += budget.tryTake({ attempts: 3, budgetRatio: 0.29 }) ? 1 : 0;
  }

  assert.equal(retries, 29);
});

test('retries are forgotten after ten seconds and not before', () => {
  const clock = createManualClock();
  const budget = new RetryBudget(clock);
  for (let i = 0; i < 3; i += 1) budget.tryTake(FIFTH);

  clock.advance(9999);
  assert.equal(budget.tryTake(FIFTH), false);
  clock.advance(1);

  assert.equal(budget.tryTake(FIFTH), true);
});

test('after a long silence nothing of before counts', () => {
  const clock = createManualClock();
  const budget = new RetryBudget(clock);
  for (let i = 0; i < 1000; i += 1) budget.countRequest();
  for (let i = 0; i < 3; i += 1) budget.tryTake(FIFTH);

  clock.advance(1_000_000_000);

  assert.deepEqual(
    [1, 2, 3, 4].map(() => budget.tryTake(FIFTH)),
    [true, true, true, false],
  );
});

test('within any ten whole seconds retries stay below the share or three', () => {
  const event = fc.tuple(fc.constantFrom('request', 'request', 'retry', 'wait'), fc.nat(3000));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300, size: 'max' }), (events) => {
      const clock = createManualClock();
      const budget = new RetryBudget(clock);
      const log: { second: number; kind: 'request' | 'retry' }[] = [];
      for (const [kind, waitMs] of events) {
        const second = Math.floor(clock.monotonicMs() / 1000);
        if (kind === 'wait') clock.advance(waitMs);
        if (kind === 'request') {
          budget.countRequest();
          log.push({ second, kind });
        }
        if (kind !== 'retry') continue;
        const recent = log.filter((one) => one.second > second - 10);
        const retries = recent.filter((one) => one.kind === 'retry').length;
        const allowed = Math.max(3, Math.floor((recent.length - retries) / 5));
        assert.equal(budget.tryTake(FIFTH), retries < allowed);
        if (retries < allowed) log.push({ second, kind });
      }
    }),
    { numRuns: 500 },
  );
});

test('each provider has a budget of its own, shared by its models', () => {
  const budgets = createRetryBudgets(createManualClock());

  const a = budgets.of({ ...TARGET, provider: 'a', id: 'a/x' });

  assert.equal(budgets.of({ ...TARGET, provider: 'a', id: 'a/y' }), a);
  assert.notEqual(budgets.of({ ...TARGET, provider: 'b', id: 'b/x' }), a);
});
