/**
 * Which counters a principal's requests go through.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  budgetScopesOf,
  limitScopesOf,
  scopeIds,
  wordsOf,
} from '../../../src/gateway/limits/scopes.ts';
import type { Budget, Limits, Principal } from '../../../src/gateway/model/principal.ts';
import type { Terms } from '../../../src/gateway/model/terms.ts';
import { PRINCIPAL } from '../pipeline/fakes.ts';

const TERMS: Terms = { weight: 1, limits: {}, budget: null, models: new Map() };
const KEY: Principal = { ...PRINCIPAL, keyId: 'key_7', tenant: 'acme' };
const DAILY: Budget = { limitNanousd: 5, period: 'day' };
const TOTAL: Budget = { limitNanousd: 9, period: 'total', soft: true };

function scopesOf(limits: Limits) {
  return limitScopesOf({ ...KEY, limits }, TERMS, 'fast');
}

test('a key with any limit is counted under its own id, zero included', () => {
  for (const limits of [{ requestsPerMinute: 5 }, { tokensPerMinute: 0 }, { concurrency: 2 }]) {
    assert.deepEqual(scopesOf(limits), [{ id: 'key:key_7', limits }]);
  }
});

test('what nothing limits is not counted', () => {
  assert.deepEqual(scopesOf({}), []);
  assert.deepEqual(budgetScopesOf(KEY, TERMS, 'fast'), []);
});

test('a request counts for its key, its tenant and its model within the tenant', () => {
  const terms = {
    ...TERMS,
    limits: { concurrency: 3, tokensPerMinute: 10 },
    models: new Map([['fast', { limits: { requestsPerMinute: 1 }, budget: null }]]),
  };
  const principal = { ...KEY, limits: { concurrency: 1 } };

  assert.deepEqual(limitScopesOf(principal, terms, 'fast'), [
    { id: 'key:key_7', limits: { concurrency: 1 } },
    { id: 'tenant:acme', limits: { concurrency: 3, tokensPerMinute: 10 } },
    { id: 'model:acme/fast', limits: { requestsPerMinute: 1 } },
  ]);
  assert.equal(limitScopesOf(principal, terms, 'slow').length, 2);
});

test('so do budgets', () => {
  const terms = {
    ...TERMS,
    budget: DAILY,
    models: new Map([['openai/gpt', { limits: {}, budget: TOTAL }]]),
  };

  assert.deepEqual(budgetScopesOf({ ...KEY, budget: DAILY }, terms, 'openai/gpt'), [
    { id: 'key:key_7', budget: DAILY },
    { id: 'tenant:acme', budget: DAILY },
    { id: 'model:acme/openai/gpt', budget: TOTAL },
  ]);
  assert.deepEqual(budgetScopesOf(KEY, { ...terms, budget: TOTAL }, 'other'), [
    { id: 'tenant:acme', budget: TOTAL },
  ]);
});

test('every scope has words that tell a client which limit it met', () => {
  assert.deepEqual(scopeIds(KEY, 'a/b').map(wordsOf), [
    'this key',
    'the tenant "acme"',
    'the model "a/b" in this tenant',
  ]);
  assert.equal(wordsOf('key:usr_1'), 'this user');
});
