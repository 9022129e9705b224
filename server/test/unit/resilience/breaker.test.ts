/**
 * The breaker's state machine, example by example: time and outcomes are written out, nothing
 * is simulated but the clock. The same machine is held against a model in
 * `breaker-model.test.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BreakerSettings } from '../../../src/gateway/model/target.ts';
import {
  admitCall,
  type BreakerState,
  closedState,
  failures,
  type Outcome,
  openForMs,
  recordOutcome,
} from '../../../src/gateway/resilience/breaker.ts';

const SETTINGS: BreakerSettings = {
  failureThreshold: 5,
  successThreshold: 2,
  openMs: 60_000,
  halfOpenMaxCalls: 3,
  minimumCalls: 5,
};

/** A breaker driven by hand: `call` is a whole call, `begin` one that is still running. */
function drive(settings = SETTINGS) {
  let state: BreakerState = closedState(0);
  let nowMs = 0;
  function begin(): number | null {
    const next = admitCall(state, settings, nowMs);
    if (next === null) return null;
    state = next;
    return next.generation;
  }
  function end(permit: number | null, outcome: Outcome): void {
    assert.ok(permit !== null, 'the call was admitted');
    state = recordOutcome(state, settings, nowMs, permit, outcome);
  }
  return {
    begin,
    end,
    call: (outcome: Outcome) => end(begin(), outcome),
    calls(count: number, outcome: Outcome) {
      for (let i = 0; i < count; i += 1) end(begin(), outcome);
    },
    wait: (ms: number) => {
      nowMs += ms;
    },
    state: () => state,
    failures: () => failures(state, nowMs),
    openForMs: () => (state.kind === 'open' ? openForMs(state, settings, nowMs) : null),
  };
}

function opened() {
  const breaker = drive();
  breaker.calls(5, 'failure');
  assert.equal(breaker.state().kind, 'open');
  return breaker;
}

function openedBySlowness() {
  const breaker = drive();
  breaker.calls(5, 'slow');
  assert.equal(breaker.state().kind, 'open');
  return breaker;
}

function probing() {
  const breaker = opened();
  breaker.wait(60_000);
  return breaker;
}

test('five failures in a row open a breaker with a threshold of five, four do not', () => {
  const breaker = drive();

  breaker.calls(4, 'failure');
  assert.equal(breaker.state().kind, 'closed');
  breaker.call('failure');

  assert.equal(breaker.state().kind, 'open');
  assert.equal(breaker.begin(), null);
});

test('an open breaker refuses until exactly its time is over', () => {
  const breaker = opened();

  breaker.wait(59_999);
  assert.equal(breaker.begin(), null);
  assert.equal(breaker.openForMs(), 1);
  breaker.wait(1);

  assert.notEqual(breaker.begin(), null);
  assert.equal(breaker.state().kind, 'half_open');
});

test('two good probes close the breaker, one does not', () => {
  const breaker = probing();

  breaker.call('success');
  assert.equal(breaker.state().kind, 'half_open');
  breaker.call('success');

  assert.equal(breaker.state().kind, 'closed');
  assert.equal(breaker.failures(), 0);
});

test('as many probes run at once as allowed, the next is refused until one ends', () => {
  const breaker = probing();

  const probes = [breaker.begin(), breaker.begin(), breaker.begin()];
  assert.equal(breaker.begin(), null);
  breaker.end(probes[0] ?? null, 'success');

  assert.notEqual(breaker.begin(), null);
  assert.equal(breaker.begin(), null);
});

test('below the minimum of calls nothing opens, at the minimum the same failures do', () => {
  const breaker = drive({ ...SETTINGS, minimumCalls: 8 });

  breaker.calls(2, 'success');
  breaker.calls(5, 'failure');
  assert.equal(breaker.state().kind, 'closed');
  breaker.call('failure');

  assert.equal(breaker.state().kind, 'open');
});

test('a success never opens, even when it completes the minimum of calls', () => {
  const breaker = drive({ ...SETTINGS, minimumCalls: 6 });

  breaker.calls(5, 'failure');
  breaker.call('success');

  assert.equal(breaker.state().kind, 'closed');
});

test('every second call failing opens, every third does not', () => {
  const half = drive();
  const third = drive();

  for (let i = 0; i < 200 && half.state().kind === 'closed'; i += 1) {
    half.call(i % 2 === 0 ? 'success' : 'failure');
  }
  for (let i = 0; i < 200; i += 1) third.call(i % 3 === 0 ? 'failure' : 'success');

  assert.equal(half.state().kind, 'open');
  assert.equal(third.state().kind, 'closed');
});

test('a failure counts for less than sixty seconds', () => {
  const young = drive();
  const old = drive();

  for (const [breaker, waitMs] of [
    [young, 59_999],
    [old, 60_000],
  ] as const) {
    breaker.call('failure');
    breaker.wait(waitMs);
    breaker.calls(4, 'failure');
  }

  assert.equal(young.state().kind, 'open');
  assert.equal(old.state().kind, 'closed');
  assert.equal(old.failures(), 4);
});

test('ignored outcomes count neither as calls nor as failures', () => {
  const breaker = drive();

  breaker.calls(4, 'failure');
  breaker.calls(100, 'ignored');
  assert.equal(breaker.state().kind, 'closed');
  assert.equal(breaker.failures(), 4);
  breaker.call('failure');

  assert.equal(breaker.state().kind, 'open');
});

test('an ignored probe gives its place back and decides nothing', () => {
  const breaker = probing();

  breaker.calls(10, 'ignored');

  assert.deepEqual(
    { ...breaker.state(), generation: 0 },
    { kind: 'half_open', generation: 0, cause: 'failures', running: 0, successes: 0 },
  );
});

test('an outcome of an earlier generation changes nothing', () => {
  const breaker = drive();
  const early = Array.from({ length: 20 }, () => breaker.begin());
  for (const permit of early.slice(0, 5)) breaker.end(permit, 'failure');
  breaker.wait(60_000);
  const probe = breaker.begin();
  const before = breaker.state();

  for (const permit of early.slice(5, 10)) breaker.end(permit, 'failure');
  for (const permit of early.slice(10, 15)) breaker.end(permit, 'success');
  assert.equal(breaker.state(), before);
  breaker.end(probe, 'success');
  breaker.call('success');
  assert.equal(breaker.state().kind, 'closed');
  for (const permit of early.slice(15)) breaker.end(permit, 'failure');

  assert.equal(breaker.failures(), 0);
});

test('a stream that breaks after its first byte counts as a failure too', () => {
  const breaker = drive();
  const streams = Array.from({ length: 5 }, () => breaker.begin());

  for (const permit of streams) breaker.end(permit, 'success');
  for (const permit of streams) breaker.end(permit, 'failure');

  assert.equal(breaker.state().kind, 'open');
});

test('a probing stream that breaks while others probe re-opens', () => {
  const breaker = probing();
  const stream = breaker.begin();

  breaker.end(stream, 'success');
  breaker.end(stream, 'failure');

  assert.equal(breaker.state().kind, 'open');
  assert.equal(breaker.openForMs(), 60_000);
});

test('an open breaker counts nothing, for it let no call pass', () => {
  const breaker = opened();
  const before = breaker.state();

  breaker.end(before.generation, 'success');
  breaker.end(before.generation, 'failure');

  assert.equal(breaker.state(), before);
});

test('a stalled process opens nothing: two silent seconds before good outcomes', () => {
  const breaker = drive();
  const running = Array.from({ length: 50 }, () => breaker.begin());

  breaker.wait(2000);
  for (const permit of running) breaker.end(permit, 'success');

  assert.equal(breaker.state().kind, 'closed');
  assert.equal(breaker.failures(), 0);
});

test('B-01: recovery needs no reader, and reading changes nothing', () => {
  const unread = opened();
  const read = opened();

  unread.wait(60_000);
  read.wait(60_000);
  const before = structuredClone(read.state());
  for (let i = 0; i < 1000; i += 1) {
    read.failures();
    read.openForMs();
  }

  assert.deepEqual(read.state(), before);
  assert.equal(read.state().kind, 'open');
  assert.notEqual(unread.begin(), null);
});

test('B-02: failing probes re-open at once and never lock the breaker for ever', () => {
  const breaker = probing();

  for (let round = 0; round < 10; round += 1) {
    const probes = [breaker.begin(), breaker.begin(), breaker.begin()];
    breaker.end(probes[0] ?? null, 'failure');
    assert.equal(breaker.state().kind, 'open');
    assert.equal(breaker.openForMs(), 60_000, 'the time starts anew');
    breaker.end(probes[1] ?? null, 'success');
    breaker.end(probes[2] ?? null, 'failure');
    assert.equal(breaker.begin(), null);
    breaker.wait(60_000);
  }
  breaker.calls(2, 'success');

  assert.equal(breaker.state().kind, 'closed');
});

test('B-04: successes while closed are not carried into probing', () => {
  const breaker = drive();
  breaker.calls(500, 'success');
  breaker.calls(5, 'failure');
  breaker.wait(60_000);

  breaker.call('success');

  assert.equal(breaker.state().kind, 'half_open');
});

test('B-04: five failures scattered over 505 calls within a second do not open', () => {
  const breaker = drive();

  for (let i = 0; i < 505; i += 1) {
    breaker.call(i % 101 === 100 ? 'failure' : 'success');
    breaker.wait(2);
  }

  assert.equal(breaker.state().kind, 'closed');
});

test('a breaker that is switched off never opens and remembers nothing', () => {
  const settings = { ...SETTINGS, failureThreshold: Number.POSITIVE_INFINITY };
  const start = closedState(0);
  let state: BreakerState = start;

  for (let i = 0; i < 1000; i += 1) state = recordOutcome(state, settings, i, 0, 'failure');

  assert.equal(state, start);
});

test('as many slow calls as the minimum of calls open, one that was quick among them not', () => {
  const slow = drive();
  const mixed = drive();

  slow.calls(4, 'slow');
  assert.equal(slow.state().kind, 'closed');
  slow.call('slow');
  mixed.call('success');
  mixed.calls(9, 'slow');

  assert.deepEqual(
    { ...slow.state(), generation: 0 },
    {
      kind: 'open',
      generation: 0,
      cause: 'slowness',
      openedAtMs: 0,
      failures: 0,
    },
  );
  assert.equal(mixed.state().kind, 'closed');
});

test('the share of slow calls that opens is a setting', () => {
  const breaker = drive({ ...SETTINGS, slowCallRate: 0.5 });

  for (let i = 0; i < 3; i += 1) breaker.call('success');
  breaker.calls(2, 'slow');
  assert.equal(breaker.state().kind, 'closed');
  breaker.call('slow');

  assert.equal(breaker.state().kind, 'open');
});

test('slow calls are no failures, and quick successes never open', () => {
  const breaker = drive({ ...SETTINGS, slowCallRate: 0.5 });

  breaker.calls(4, 'slow');
  breaker.call('success');

  assert.equal(breaker.state().kind, 'closed');
  assert.equal(breaker.failures(), 0);
});

test('a slow probe opens again what slowness had opened, and closes what failures had', () => {
  const slow = openedBySlowness();
  const failed = probing();
  slow.wait(60_000);

  slow.call('slow');
  failed.calls(2, 'slow');

  assert.equal(slow.state().kind, 'open');
  assert.equal(slow.openForMs(), 60_000);
  assert.equal(failed.state().kind, 'closed');
});

test('a failed probe of what slowness had opened makes it one that failed', () => {
  const breaker = openedBySlowness();
  breaker.wait(60_000);

  breaker.call('failure');

  const state = breaker.state();
  assert.ok(state.kind === 'open' && state.cause === 'failures');
});
