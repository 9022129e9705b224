/**
 * Which counters a principal's requests go through.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitScopesOf } from '../../../src/gateway/limits/scopes.ts';
import type { Limits } from '../../../src/gateway/model/principal.ts';
import { PRINCIPAL } from '../pipeline/fakes.ts';

function scopesOf(limits: Limits) {
  return limitScopesOf({ ...PRINCIPAL, keyId: 'key_7', limits });
}

test('a key with any limit is counted under its own id, zero included', () => {
  for (const limits of [{ requestsPerMinute: 5 }, { tokensPerMinute: 0 }, { concurrency: 2 }]) {
    assert.deepEqual(scopesOf(limits), [{ id: 'key:key_7', limits }]);
  }
});

test('a key without limits is not counted', () => {
  assert.deepEqual(scopesOf({}), []);
});
