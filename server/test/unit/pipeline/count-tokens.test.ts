/**
 * Goal: tokens are counted by the provider that would be paid, and estimated where it cannot
 * count. Method: plans over providers that count and that do not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../../src/gateway/model/target.ts';
import { planCount } from '../../../src/gateway/pipeline/count-tokens.ts';
import type { Providers } from '../../../src/gateway/ports/provider.ts';
import { TARGET } from './fakes.ts';

const PROVIDERS = {
  get: (name: string) => ({ adapter: { countsTokens: name === 'counts' } }),
} as unknown as Providers;

const counting: Target = { ...TARGET, id: 'counts/m', provider: 'counts' };
const other: Target = { ...TARGET, id: 'other/m', provider: 'other' };

function plan(...targets: Target[]) {
  return planCount({ targets, rejected: [] }, PROVIDERS);
}

test('the first target decides whether a provider counts', () => {
  assert.deepEqual(plan(counting), { kind: 'ask', targets: [counting] });
  assert.deepEqual(plan(other, counting), { kind: 'estimate', target: other });
});

test('a failover goes only to targets that count as well', () => {
  assert.deepEqual(plan(counting, other, counting), { kind: 'ask', targets: [counting, counting] });
});

test('where no target can be called, nobody is asked and nothing is made up', () => {
  assert.deepEqual(plan(), { kind: 'ask', targets: [] });
});
