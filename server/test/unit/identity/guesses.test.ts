/**
 * Goal: unknown credentials are counted by address, forgotten in a minute, and never fill the
 * memory (attack B11). Method: a clock moved by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuesses } from '../../../src/identity/guesses.ts';
import { createManualClock } from '../../support/manual-clock.ts';

test('fifty a minute pass, the next is told how long to wait, another address is not', () => {
  const clock = createManualClock();
  const guesses = createGuesses(clock);
  const first = Array.from({ length: 50 }, () => guesses.count('192.0.2.1'));
  clock.advance(20_000);

  assert.deepEqual(new Set(first), new Set([null]));
  assert.equal(guesses.count('192.0.2.1'), 40_000);
  assert.equal(guesses.count('192.0.2.2'), null);
  clock.advance(40_000);
  assert.equal(guesses.count('192.0.2.1'), null);
});

test('an address nobody knows is not counted', () => {
  const guesses = createGuesses(createManualClock());
  const answers = Array.from({ length: 100 }, () => guesses.count(null));

  assert.deepEqual(new Set(answers), new Set([null]));
});

test('of too many addresses the eldest makes room, and the others stay counted', () => {
  const guesses = createGuesses(createManualClock());
  for (let at = 0; at < 51; at += 1) guesses.count('eldest');
  for (let at = 0; at < 51; at += 1) guesses.count('second');
  for (let at = 0; at < 9_999; at += 1) guesses.count(`other-${at}`);

  assert.equal(guesses.count('second'), 60_000);
  assert.equal(guesses.count('eldest'), null);
});
