/**
 * A row that another process is about to write: it is waited for, no longer than said, and the
 * wait ends with the caller.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { findLate } from '../../../src/http/admin/late-row.ts';
import { createManualClock } from '../../support/manual-clock.ts';

it('finds a row that is written while it waits', async () => {
  const clock = createManualClock();
  const rows = [null, null, 'row'];
  const found = findLate(async () => rows.shift() ?? null, patience(clock, 1000));

  await advance(clock, 200);

  assert.equal(await found, 'row');
});

it('calls a row missing when the wait is over, and not before', async () => {
  const clock = createManualClock();
  let isOver = false;
  const found = findLate(async () => null, patience(clock, 1000)).finally(() => {
    isOver = true;
  });

  await advance(clock, 950);
  assert.equal(isOver, false);
  await advance(clock, 50);

  assert.equal(await found, null);
});

it('does not wait where no other process writes', async () => {
  const clock = createManualClock();

  assert.equal(await findLate(async () => null, patience(clock, 0)), null);
  assert.equal(clock.pendingTimers(), 0);
});

it('stops when the caller has left', async () => {
  const clock = createManualClock();
  const gone = { ...patience(clock, 1000), isGone: () => true };

  assert.equal(await findLate(async () => null, gone), null);
});

type ManualClock = ReturnType<typeof createManualClock>;

function patience(clock: ManualClock, lagMs: number) {
  return { clock, lagMs, isGone: () => false };
}

async function advance(clock: ManualClock, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 10) {
    await setImmediate();
    clock.advance(10);
  }
  await setImmediate();
}
