/**
 * Figures as people read them, in both languages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCount, formatDollars, formatUsd } from '../../../src/cli/format.ts';

test('groups of a count are never parted by what parts the decimals of an amount', () => {
  assert.equal(formatCount(1_404_829, 'en'), '1,404,829');
  assert.equal(formatCount(1_404_829, 'es'), '1\u00a0404\u00a0829');
  assert.equal(formatCount(999, 'es'), '999');
  assert.equal(formatUsd(1_094_014_000), '$1.094014');
});

test('a budget has cents where it has any, and no more than it had', () => {
  assert.equal(formatDollars('1.5'), '$1.50');
  assert.equal(formatDollars('20'), '$20');
  assert.equal(formatDollars('0.125'), '$0.125');
});
