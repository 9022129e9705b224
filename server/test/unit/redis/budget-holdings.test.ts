import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BudgetHoldings } from '../../../src/stores/redis/budget-holdings.ts';

const call = { tenant: 'acme', scopeId: 'key:a' };

test('a place for which an answer is awaited is not forgotten: a census finds it', () => {
  const holdings = new BudgetHoldings(3);
  const asked = holdings.ask('acme', 'key:a');
  for (let i = 0; i < 10; i += 1) holdings.at('other', `key:${i}`);

  holdings.tell(call, 'load-1', 0);

  assert.equal(asked.told, 'load-1');
});

test('a place nobody waits for makes room for another', () => {
  const holdings = new BudgetHoldings(3);
  holdings.answered([holdings.ask('acme', 'key:a')]);

  for (let i = 0; i < 10; i += 1) holdings.at('other', `key:${i}`);

  assert.equal(holdings.known('acme', 'key:a'), undefined);
  assert.notEqual(holdings.known('other', 'key:9'), undefined);
});
