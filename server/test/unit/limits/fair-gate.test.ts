import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairGate, GateClosed } from '../../../src/gateway/limits/fair-gate.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const NEVER = new AbortController().signal;
const SETTINGS = { capacity: 2, maxWaiting: 5, maxWaitingPerTenant: 3, maxWaitMs: 1000 };

function open(settings = SETTINGS) {
  const clock = createManualClock();
  return { clock, gate: createFairGate(clock, settings, () => 1) };
}

async function closed(entering: Promise<unknown> | unknown): Promise<GateClosed> {
  try {
    await entering;
  } catch (thrown) {
    assert.ok(thrown instanceof GateClosed);
    return thrown;
  }
  throw new Error('it passed');
}

test('where there is room a request passes without a wait', () => {
  const { gate } = open();

  assert.equal(typeof gate.enter('a', NEVER), 'function');
  assert.equal(typeof gate.enter('a', NEVER), 'function');
  assert.equal(gate.waiting(), 0);
});

test('a place that is given back goes to who waits, and once', async () => {
  const { gate } = open();
  const first = await gate.enter('a', NEVER);
  await gate.enter('a', NEVER);
  const third = gate.enter('a', NEVER);
  const fourth = gate.enter('b', NEVER);
  assert.equal(gate.waiting(), 2);

  first();
  first();

  const leave = await fourth; // the tenant that runs least
  assert.equal(gate.waiting(), 1);
  leave();
  await third;
  assert.equal(gate.waiting(), 0);
});

test('a wait ends at once with its signal, and leaves no place behind', async () => {
  const { clock, gate } = open({ ...SETTINGS, capacity: 1 });
  const leave = await gate.enter('a', NEVER);
  const abort = new AbortController();
  const waiting = gate.enter('b', abort.signal);
  const next = gate.enter('c', NEVER);

  abort.abort(new Error('the client left'));

  await assert.rejects(async () => waiting, /the client left/);
  assert.equal(gate.waiting(), 1);
  leave();
  (await next)();
  assert.equal(typeof gate.enter('d', abort.signal), 'function');
  assert.equal(clock.pendingTimers(), 0);
});

test('a wait is bounded, and says when to come again', async () => {
  const { clock, gate } = open({ ...SETTINGS, capacity: 1 });
  await gate.enter('a', NEVER);
  const waiting = gate.enter('b', NEVER);

  clock.advance(1000);

  const refusal = await closed(waiting);
  assert.equal(refusal.reason, 'waited_too_long');
  assert.equal(refusal.retryAfterMs, 1000);
  assert.equal(gate.waiting(), 0);
});

test('lines are bounded, for each tenant and in all', async () => {
  const { gate } = open();
  for (let i = 0; i < 2; i += 1) await gate.enter('a', NEVER);
  for (let i = 0; i < 3; i += 1) void gate.enter('a', NEVER);

  assert.equal((await closed(gate.enter('a', NEVER))).reason, 'line_full');
  void gate.enter('b', NEVER);
  void gate.enter('c', NEVER);
  assert.equal((await closed(gate.enter('d', NEVER))).reason, 'line_full');
});

test('the time to come again follows from how long places are held and who is ahead', async () => {
  const { clock, gate } = open({ ...SETTINGS, capacity: 1 });
  const first = await gate.enter('a', NEVER);
  clock.advance(8000);
  first();
  await gate.enter('a', NEVER);
  const waiting = [0, 1, 2].map(() => gate.enter('a', NEVER));

  const refusal = await closed(gate.enter('a', NEVER));

  assert.equal(refusal.retryAfterMs, 4 * 8000);
  assert.equal(waiting.length, 3);
});

test('without a wait allowed a full process refuses at once', async () => {
  const { gate } = open({ ...SETTINGS, capacity: 1, maxWaitMs: 0 });
  await gate.enter('a', NEVER);

  assert.equal((await closed(gate.enter('b', NEVER))).reason, 'line_full');
});
