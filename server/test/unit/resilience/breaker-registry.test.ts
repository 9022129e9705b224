/**
 * The registry of breakers: one per target, bounded, read without side effects. The clock is
 * moved by hand, the state machine is the real one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../../src/gateway/model/target.ts';
import { REFUSED } from '../../../src/gateway/ports/breaker.ts';
import {
  type BreakerListener,
  createBreakerRegistry,
} from '../../../src/gateway/resilience/breaker-registry.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { TARGET } from '../pipeline/fakes.ts';

const WALL_MS = 1_700_000_000_000;

function target(id: string, breaker: Partial<Target['breaker']> = {}): Target {
  const defaults = { failureThreshold: 2, successThreshold: 1, openMs: 1000 };
  const settings = { ...defaults, halfOpenMaxCalls: 1, minimumCalls: 1, ...breaker };
  return { ...TARGET, id, breaker: settings };
}

function setUp(maxBreakers?: number) {
  const clock = createManualClock(WALL_MS);
  const events: string[] = [];
  const listener: BreakerListener = {
    transition: (name, from, to) => events.push(`${name}: ${from} → ${to}`),
    failure: (name) => events.push(`${name}: failure`),
  };
  const options = maxBreakers === undefined ? {} : { maxBreakers };
  const registry = createBreakerRegistry({ clock, listener, ...options });
  function fail(of: Target, times: number): void {
    for (let i = 0; i < times; i += 1) registry.of(of).record(registry.of(of).admit(), 'failure');
  }
  return { clock, events, registry, fail };
}

test('every failure and every transition is announced once', () => {
  const { clock, events, registry, fail } = setUp();
  const up = target('up/m');

  fail(up, 2);
  clock.advance(1000);
  registry.of(up).record(registry.of(up).admit(), 'success');

  assert.deepEqual(events, [
    'up/m: failure',
    'up/m: failure',
    'up/m: closed → open',
    'up/m: open → half_open',
    'up/m: half_open → closed',
  ]);
});

test('another model of the same provider is untouched', () => {
  const { registry, fail } = setUp();
  const sick = target('up/sick');
  const well = target('up/well');

  fail(sick, 2);

  assert.equal(registry.of(sick).admit(), REFUSED);
  assert.notEqual(registry.of(well).admit(), REFUSED);
});

test('a snapshot tells the state, the failures, since when and until when', () => {
  const { clock, registry, fail } = setUp();
  const up = target('up/m');
  clock.advance(500);

  fail(up, 2);
  registry.of(up).admit();
  clock.advance(250);

  assert.deepEqual(registry.snapshot(), [
    {
      name: 'up/m',
      state: 'open',
      cause: 'failures',
      failures: 2,
      successes: 0,
      totalCalls: 2,
      totalSuccesses: 0,
      totalFailures: 2,
      totalOpenMs: 250,
      openedAtMs: WALL_MS + 500,
      retryAfterMs: 750,
    },
  ]);
});

test('a snapshot of a probing breaker counts its probes, of a closed one its calls', () => {
  const { clock, registry, fail } = setUp();
  const up = target('up/m', { successThreshold: 2 });
  fail(up, 2);
  clock.advance(1000);

  registry.of(up).record(registry.of(up).admit(), 'success');
  const [probing] = registry.snapshot();
  registry.of(up).record(registry.of(up).admit(), 'success');
  const [closed] = registry.snapshot();

  assert.deepEqual([probing?.state, probing?.successes], ['half_open', 1]);
  assert.equal(probing?.openedAtMs, WALL_MS);
  assert.equal(probing && 'retryAfterMs' in probing, false);
  assert.deepEqual([closed?.state, closed?.successes, closed?.failures], ['closed', 0, 0]);
  assert.equal(closed?.totalSuccesses, 2);
  assert.equal(closed && 'openedAtMs' in closed, false);
});

test('reading snapshot and availability a thousand times changes nothing', () => {
  const { clock, registry, events, fail } = setUp();
  const up = target('up/m');
  fail(up, 2);
  clock.advance(5000);
  const before = registry.snapshot();
  const announced = events.length;

  for (let i = 0; i < 1000; i += 1) {
    registry.snapshot();
    registry.availability(up);
  }

  assert.deepEqual(registry.snapshot(), before);
  assert.equal(before[0]?.state, 'open');
  assert.equal(before[0]?.retryAfterMs, 0);
  assert.equal(events.length, announced);
});

test('availability says how long an open breaker stays shut, rounded up', () => {
  const { clock, registry, fail } = setUp();
  const up = target('up/m');
  fail(up, 2);

  clock.advance(999.5);
  assert.deepEqual(registry.availability(up), {
    kind: 'unavailable',
    reason: 'breaker_open',
    retryAfterMs: 1,
  });
  clock.advance(0.5);

  assert.deepEqual(registry.availability(up), { kind: 'available' });
});

test('availability says when every probe is out, and changes with its end', () => {
  const { clock, registry, fail } = setUp();
  const up = target('up/m', { successThreshold: 2 });
  fail(up, 2);
  clock.advance(1000);

  const permit = registry.of(up).admit();
  const during = registry.availability(up);
  registry.of(up).record(permit, 'success');

  assert.deepEqual(during, {
    kind: 'unavailable',
    reason: 'breaker_probing',
    retryAfterMs: 1000,
  });
  assert.deepEqual(registry.availability(up), { kind: 'available' });
});

test('a target never called is available and leaves no breaker behind', () => {
  const { registry } = setUp();

  assert.deepEqual(registry.availability(target('up/new')), { kind: 'available' });
  assert.deepEqual(registry.snapshot(), []);
});

test('a reset closes an open breaker by hand, and finds none of an unknown name', () => {
  const { registry, fail } = setUp();
  fail(target('up/m'), 2);

  assert.equal(registry.reset('up/m'), true);
  assert.equal(registry.reset('nobody/nothing'), false);

  assert.equal(registry.snapshot()[0]?.state, 'closed');
});

test('a reset forgets the failures of a closed breaker, and those still to come', () => {
  const { registry, fail } = setUp();
  const up = target('up/m');
  const early = registry.of(up).admit();
  fail(up, 1);

  registry.reset('up/m');
  registry.of(up).record(early, 'failure');

  assert.equal(registry.snapshot()[0]?.failures, 0);
});

test('changed settings apply to the next call', () => {
  const { clock, registry, fail } = setUp();
  fail(target('up/m'), 2);
  const impatient = target('up/m', { openMs: 10 });

  clock.advance(10);

  assert.equal(registry.of(target('up/m')).admit(), REFUSED);
  assert.notEqual(registry.of(impatient).admit(), REFUSED);
});

test('changed settings judge the outcome of the next call', () => {
  const { registry, fail } = setUp();
  registry.of(target('up/m'));
  fail(target('up/m', { failureThreshold: 1 }), 1);

  assert.equal(registry.snapshot()[0]?.state, 'open');
});

test('a closed breaker with a failure stays where one without can make room', () => {
  const { registry, fail } = setUp(2);
  fail(target('up/failed'), 1);
  registry.of(target('up/idle'));

  registry.of(target('up/new'));

  assert.deepEqual(
    registry.snapshot().map((one) => one.name),
    ['up/failed', 'up/new'],
  );
});

test('names are bounded: an idle breaker makes room, an open one stays', () => {
  const { registry, fail } = setUp(3);
  fail(target('up/open'), 2);
  registry.of(target('up/idle'));
  registry.of(target('up/other'));

  registry.of(target('up/new'));

  assert.deepEqual(
    registry.snapshot().map((one) => one.name),
    ['up/open', 'up/other', 'up/new'],
  );
});

test('where every breaker is open the oldest makes room', () => {
  const { registry, fail } = setUp(2);
  fail(target('up/a'), 2);
  fail(target('up/b'), 2);

  registry.of(target('up/c'));

  assert.deepEqual(
    registry.snapshot().map((one) => one.name),
    ['up/b', 'up/c'],
  );
});

test('making room looks at a bounded number of breakers', () => {
  const { registry, fail } = setUp(100);
  for (let i = 0; i < 99; i += 1) fail(target(`up/${i}`), 2);
  registry.of(target('up/idle'));

  registry.of(target('up/new'));

  const names = registry.snapshot().map((one) => one.name);
  assert.equal(names.includes('up/0'), false);
  assert.equal(names.includes('up/idle'), true);
});

const SETTINGS = { ...target('up/m').breaker, minimumCalls: 2 };

test('a dependency that is no target has a breaker by its name, listed before any call', () => {
  const { clock, events, registry } = setUp();
  const breaker = registry.named('store', SETTINGS);
  assert.deepEqual(
    registry.snapshot().map(({ name, state }) => [name, state]),
    [['store', 'closed']],
  );

  for (let i = 0; i < 2; i += 1) breaker.record(breaker.admit(), 'failure');
  assert.equal(breaker.lets(), false);
  assert.equal(breaker.admit(), REFUSED);
  clock.advance(1000);
  assert.equal(breaker.lets(), true);
  breaker.record(breaker.admit(), 'success');

  assert.deepEqual(events.slice(2), [
    'store: closed → open',
    'store: open → half_open',
    'store: half_open → closed',
  ]);
});

test('a named breaker asked for again is the same one, under the new settings', () => {
  const { registry } = setUp();
  const first = registry.named('store', SETTINGS);
  first.record(first.admit(), 'failure');

  const again = registry.named('store', { ...SETTINGS, failureThreshold: 3 });
  again.record(again.admit(), 'failure');

  assert.equal(again, first);
  assert.equal(registry.snapshot()[0]?.state, 'closed');
});

test('a named breaker is never forgotten, and its name cannot be a target’s', () => {
  const { registry } = setUp(1);
  registry.named('store', SETTINGS);

  registry.of(target('up/a'));
  registry.of(target('up/b'));

  assert.deepEqual(
    registry.snapshot().map(({ name }) => name),
    ['store', 'up/b'],
  );
  assert.throws(() => registry.named('up/store', SETTINGS));
});

test('a reset of all closes targets and dependencies alike', () => {
  const { registry, fail } = setUp();
  const store = registry.named('store', SETTINGS);
  for (let i = 0; i < 2; i += 1) store.record(store.admit(), 'failure');
  fail(target('up/m'), 2);

  registry.resetAll();

  assert.deepEqual(
    registry.snapshot().map(({ state }) => state),
    ['closed', 'closed'],
  );
});

test('the time spent open adds up over openings, and stands still while closed', () => {
  const { clock, registry, fail } = setUp();
  const up = target('up/m');
  fail(up, 2);
  clock.advance(1500);
  registry.of(up).record(registry.of(up).admit(), 'success');
  clock.advance(10_000);
  fail(up, 2);
  clock.advance(300);

  assert.equal(registry.snapshot()[0]?.totalOpenMs, 1800);
});

test('a call that fails after it was counted as a success is one failed call', () => {
  const { registry } = setUp();
  const up = target('up/m');
  const permit = registry.of(up).admit();
  registry.of(up).record(permit, 'success');

  registry.of(up).recordLateFailure(permit);

  const [one] = registry.snapshot();
  assert.deepEqual([one?.totalCalls, one?.totalSuccesses, one?.totalFailures], [1, 0, 1]);
});

test('what slowness opened is told to be avoided, and refuses nobody', () => {
  const { clock, registry, events } = setUp();
  const up = target('up/m', { minimumCalls: 2, slowCallMs: 100 });
  for (const tookMs of [100, 5000]) registry.of(up).recordTimed(registry.of(up).admit(), tookMs);
  assert.deepEqual(events, ['up/m: closed → open']);

  const passing = registry.of(up).admit();
  assert.notEqual(passing, REFUSED);
  assert.deepEqual(registry.availability(up), {
    kind: 'unavailable',
    reason: 'breaker_slow',
    retryAfterMs: 1000,
  });
  registry.of(up).recordTimed(passing, 10);
  assert.equal(registry.snapshot()[0]?.state, 'open', 'what passes beside it decides nothing');
  assert.equal(registry.snapshot()[0]?.cause, 'slowness');
  clock.advance(1000);
  const probe = registry.of(up).admit();
  const beside = registry.of(up).admit();
  assert.notEqual(beside, REFUSED);
  registry.of(up).record(beside, 'failure');
  assert.equal(registry.snapshot()[0]?.state, 'half_open');
  registry.of(up).recordTimed(probe, 10);

  assert.equal(registry.snapshot()[0]?.state, 'closed');
  const [one] = registry.snapshot();
  assert.deepEqual([one?.totalCalls, one?.totalSuccesses, one?.totalFailures], [5, 4, 1]);
});

test('quick successes and settings without a measure make nothing slow', () => {
  const { registry } = setUp();
  const quick = target('up/quick', { minimumCalls: 2, slowCallMs: 100 });
  const unmeasured = target('up/unmeasured', { minimumCalls: 2 });

  for (let i = 0; i < 10; i += 1) {
    registry.of(quick).recordTimed(registry.of(quick).admit(), 99);
    registry.of(unmeasured).recordTimed(registry.of(unmeasured).admit(), 1e9);
  }

  assert.deepEqual(
    registry.snapshot().map(({ state }) => state),
    ['closed', 'closed'],
  );
});

test('a target rests for the longest time it asked for, and still lets pass', () => {
  const { clock, registry } = setUp();
  const up = target('up/m');
  registry.of(up).restFor(5000);
  registry.of(up).restFor(1000);

  clock.advance(4999);
  assert.deepEqual(registry.availability(up), {
    kind: 'unavailable',
    reason: 'resting',
    retryAfterMs: 1,
  });
  assert.equal(registry.snapshot()[0]?.restingMs, 1);
  assert.equal(registry.snapshot()[0]?.state, 'closed');
  assert.notEqual(registry.of(up).admit(), REFUSED);
  clock.advance(1);

  assert.deepEqual(registry.availability(up), { kind: 'available' });
  assert.equal('restingMs' in (registry.snapshot()[0] ?? {}), false);
});

test('a rest is at most a day, ends by a reset, and is not forgotten to make room', () => {
  const { registry } = setUp(2);
  const up = target('up/m');
  registry.of(up).restFor(1e15);
  registry.of(target('up/idle'));
  registry.of(target('up/new'));
  assert.equal(registry.snapshot()[0]?.restingMs, 86_400_000);

  registry.reset('up/m');

  assert.deepEqual(registry.availability(up), { kind: 'available' });
});
