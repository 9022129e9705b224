/**
 * Goal: a worker that dies comes back at once, one that keeps dying ever later, and a crash
 * loop is known as one. Method: lives in milliseconds, told by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRestarts, SHORT_LIVES_MAX, STABLE_MS } from '../../../src/cluster/restarts.ts';

test('short lives wait twice as long each time, up to ten seconds', () => {
  const restarts = createRestarts();

  const delays = Array.from({ length: 10 }, () => restarts.after(50).delayMs);

  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

test('a long life is followed at once, and early deaths are forgotten', () => {
  const restarts = createRestarts();
  restarts.after(null);
  restarts.after(STABLE_MS - 1);

  assert.deepEqual(restarts.after(STABLE_MS), { delayMs: 0, isLoop: false });
  assert.deepEqual(restarts.after(null), { delayMs: 100, isLoop: false });
});

test('it is a loop from the eighth short life in a row', () => {
  const restarts = createRestarts();

  const loops = Array.from({ length: SHORT_LIVES_MAX }, () => restarts.after(null).isLoop);

  assert.deepEqual(loops, [false, false, false, false, false, false, false, true]);
});
