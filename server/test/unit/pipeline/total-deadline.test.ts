/** The time of an exchange in all: who has none left calls nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTotalDeadline } from '../../../src/gateway/pipeline/total-deadline.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { chatRequest, exchangeOf, TARGET } from './fakes.ts';

const TOTAL_MS = TARGET.timeouts.totalMs;

function started(elapsedMs: number) {
  const clock = createManualClock();
  const exchange = Object.assign(exchangeOf(chatRequest()), { startedMs: clock.monotonicMs() });
  clock.advance(elapsedMs);
  const work = new AbortController();
  const timer = startTotalDeadline(clock, exchange, [TARGET], work);
  return { clock, work, timer };
}

test('work is aborted when the time is over, and not before', () => {
  const { clock, work } = started(TOTAL_MS - 2);
  clock.advance(1);
  assert.equal(work.signal.aborted, false);

  clock.advance(1);

  assert.equal(work.signal.reason.code, 'deadline_exceeded');
});

test('work whose time is over before it begins is aborted at once', () => {
  assert.equal(started(TOTAL_MS).work.signal.reason.code, 'deadline_exceeded');
});

test('work that ends in time is not aborted', () => {
  const { clock, work, timer } = started(0);
  timer.cancel();
  clock.advance(2 * TOTAL_MS);
  assert.equal(work.signal.aborted, false);
});
