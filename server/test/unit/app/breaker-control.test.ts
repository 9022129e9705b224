/**
 * Goal: the breakers of several workers are one list in which nothing bad hides behind what is
 * good elsewhere. Method: what workers tell, by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreakerControl, together } from '../../../src/app/breaker-control.ts';
import type { BreakerSnapshot } from '../../../src/gateway/resilience/breaker-registry.ts';
import { silentLog } from '../../../src/kernel/log.ts';

function snapshot(changes: Partial<BreakerSnapshot> = {}): BreakerSnapshot {
  return {
    ...{ name: 'p/m', state: 'closed', failures: 0, successes: 0 },
    ...{ totalCalls: 10, totalSuccesses: 10, totalFailures: 0, totalOpenMs: 0 },
    ...changes,
  };
}

const OPEN = snapshot({
  ...{ state: 'open', cause: 'failures', failures: 5, totalCalls: 5, totalSuccesses: 0 },
  ...{ totalFailures: 5, totalOpenMs: 2000, openedAtMs: 1000, retryAfterMs: 900 },
});
const PROBING = snapshot({ state: 'half_open', cause: 'slowness', successes: 1, openedAtMs: 500 });

test('the state of a breaker is its worst anywhere, its calls are all of them', () => {
  const [one, ...others] = together([
    { worker: 'a', breakers: [snapshot({ failures: 2 })] },
    { worker: 'b', breakers: [PROBING] },
    { worker: 'c', breakers: [OPEN] },
    { worker: 'd', breakers: [{ ...OPEN, retryAfterMs: 700, restingMs: 50 }] },
  ]);

  assert.deepEqual(others, []);
  assert.deepEqual(one, {
    ...{ name: 'p/m', state: 'open', is_open: true, cause: 'failures' },
    ...{ failure_count: 5, success_count: 1 },
    ...{ total_calls: 30, total_failures: 10, total_successes: 20, failure_rate: 0.3333 },
    ...{ open_seconds_total: 2, opened_at: '1970-01-01T00:00:00.500Z' },
    ...{ retry_after_ms: 700, resting_ms: 50 },
    workers: [
      { worker: 'a', state: 'closed', failure_count: 2, retry_after_ms: null },
      { worker: 'b', state: 'half_open', failure_count: 0, retry_after_ms: null },
      { worker: 'c', state: 'open', failure_count: 5, retry_after_ms: 900 },
      { worker: 'd', state: 'open', failure_count: 5, retry_after_ms: 700 },
    ],
  });
});

test('a breaker that only one worker knows is listed with that one', () => {
  const all = together([
    { worker: 'a', breakers: [snapshot()] },
    { worker: 'b', breakers: [snapshot(), snapshot({ name: 'p/other' })] },
  ]);

  const told = all.map(({ name, workers }) => [name, workers.map(({ worker }) => worker)]);
  assert.deepEqual(told, [
    ['p/m', ['a', 'b']],
    ['p/other', ['b']],
  ]);
});

test('where the others cannot be asked a worker answers, and closes, for itself', async () => {
  const closed: (string | null)[] = [];
  const breakers = {
    snapshot: () => [OPEN],
    reset: (name: string) => closed.push(name) > 0,
    resetAll: () => void closed.push(null),
  };
  const member = { poll: async () => Promise.reject(new Error('late')), onPoll: () => undefined };
  const control = createBreakerControl({ breakers, member, worker: 'a', log: silentLog });

  const [one] = await control.list();
  await control.reset('p/m');
  await control.reset(null);

  assert.deepEqual(one?.workers, [
    { worker: 'a', state: 'open', failure_count: 5, retry_after_ms: 900 },
  ]);
  assert.deepEqual(closed, ['p/m', null]);
});
