/**
 * How long a target may take to its first token, learnt from its past: examples of the two
 * mistakes it must not make (killing a healthy slow target, waiting long for a quick one that
 * fell silent), and the bounds that hold for every past.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Timeouts } from '../../../src/gateway/model/target.ts';
import {
  createFirstTokenBook,
  type FirstTokens,
  firstTokenLimitMs,
  NOTHING_SEEN,
  withFirstToken,
  withMiss,
} from '../../../src/gateway/resilience/first-token-budget.ts';

const TIMEOUTS: Timeouts = {
  connectMs: 1000,
  firstTokenMs: 60_000,
  firstTokenRange: { minMs: 10_000, maxMs: 180_000 },
  idleMs: 30_000,
  totalMs: 600_000,
};

function seen(...tookMs: readonly number[]): FirstTokens {
  return tookMs.reduce(withFirstToken, NOTHING_SEEN);
}

function times(count: number, tookMs: number): number[] {
  return Array.from({ length: count }, () => tookMs);
}

const limit = (of: FirstTokens) => firstTokenLimitMs(of, TIMEOUTS);

test('the configured limit holds until ten first tokens have come', () => {
  assert.equal(limit(NOTHING_SEEN), 60_000);
  assert.equal(limit(seen(...times(9, 100))), 60_000);
  assert.equal(limit(seen(...times(10, 100))), 10_000);
});

test('a target that is normally quick is given up sooner', () => {
  assert.equal(limit(seen(...times(40, 5000))), 15_000);
});

test('a healthy slow target keeps three times its usual time, up to the most', () => {
  assert.equal(limit(seen(...times(20, 45_000))), 135_000);
  assert.equal(limit(seen(...times(20, 90_000))), 180_000);
});

test('a target that is usually near its limit earns a longer one: no first token is lost', () => {
  let history = NOTHING_SEEN;
  let lost = 0;
  for (let call = 0; call < 200; call += 1) {
    const tookMs = 40_000 + ((call * 7919) % 35_000); // 40 to 75 s, 57 on average
    if (tookMs < limit(history)) history = withFirstToken(history, tookMs);
    else {
      history = withMiss(history);
      if (call >= 40) lost += 1;
    }
  }

  assert.equal(lost, 0);
});

test('two stray first tokens in forty do not move the limit, a change does', () => {
  const stray = seen(...times(19, 1000), 50_000, ...times(19, 1000), 50_000);
  const changed = seen(...times(20, 1000), ...times(20, 50_000));

  assert.equal(limit(stray), 10_000);
  assert.equal(limit(changed), 150_000);
});

test('each limit that was reached doubles a shortened one, up to the configured one', () => {
  let history = seen(...times(40, 1000));
  const limits = [limit(history)];
  for (let miss = 0; miss < 4; miss += 1) {
    history = withMiss(history);
    limits.push(limit(history));
  }

  assert.deepEqual(limits, [10_000, 20_000, 40_000, 60_000, 60_000]);
  assert.equal(limit(withFirstToken(history, 1000)), 10_000);
});

test('a target that never answers earns no patience', () => {
  let history = NOTHING_SEEN;
  for (let miss = 0; miss < 1000; miss += 1) history = withMiss(history);

  assert.equal(limit(history), 60_000);
});

test('without a range the configured limit is the limit, whatever was seen', () => {
  const { firstTokenRange: _, ...fixed } = TIMEOUTS;

  assert.equal(firstTokenLimitMs(seen(...times(40, 100)), fixed), 60_000);
  assert.equal(firstTokenLimitMs(seen(...times(40, 59_000)), fixed), 60_000);
});

const pasts = fc.array(fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 120 });
const settings = fc
  .tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 3_600_000 })))
  .map((three) => three.toSorted((a, b) => a - b))
  .map(
    ([minMs = 0, firstTokenMs = 0, maxMs = 0]): Timeouts => ({
      ...TIMEOUTS,
      firstTokenMs,
      firstTokenRange: { minMs, maxMs },
    }),
  );

function past(events: readonly (number | null)[]): FirstTokens {
  return events.reduce<FirstTokens>(
    (history, tookMs) => (tookMs === null ? withMiss(history) : withFirstToken(history, tookMs)),
    NOTHING_SEEN,
  );
}

test('no past takes the limit out of its range, and none grows beyond forty samples', () => {
  fc.assert(
    fc.property(pasts, settings, (events, timeouts) => {
      const history = past(events);
      const limitMs = firstTokenLimitMs(history, timeouts);
      const { minMs = 0, maxMs = 0 } = timeouts.firstTokenRange ?? {};

      assert.ok(limitMs >= minMs && limitMs <= maxMs, `${limitMs} in ${minMs}..${maxMs}`);
      assert.ok(history.seenMs.length <= 40);
    }),
    { numRuns: 5000 },
  );
});

test('whatever usually comes is waited for: a limit is at least its usual time or the most', () => {
  fc.assert(
    fc.property(pasts, settings, (events, timeouts) => {
      const history = past(events);
      if (history.usualMs === null) return;
      const limitMs = firstTokenLimitMs(history, timeouts);
      const below = history.seenMs.filter((tookMs) => tookMs <= limitMs).length;

      assert.ok(
        below >= 0.95 * history.seenMs.length || limitMs === timeouts.firstTokenRange?.maxMs,
      );
    }),
    { numRuns: 5000 },
  );
});

test('limits reached only ever lengthen a limit, and never beyond the configured one', () => {
  fc.assert(
    fc.property(pasts, settings, fc.integer({ min: 1, max: 2000 }), (events, timeouts, misses) => {
      const history = past([...events, 1]);
      const limitMs = firstTokenLimitMs(history, timeouts);
      const missed = firstTokenLimitMs({ ...history, missed: misses }, timeouts);

      assert.ok(missed >= limitMs);
      assert.ok(missed <= Math.max(limitMs, timeouts.firstTokenMs));
    }),
  );
});

test('the book keeps the past of each target apart', () => {
  const book = createFirstTokenBook();
  for (let i = 0; i < 10; i += 1) book.came('up/quick', 100);
  book.missed('up/quick');

  assert.equal(book.limitMs('up/quick', TIMEOUTS), 20_000);
  assert.equal(book.limitMs('up/new', TIMEOUTS), 60_000);
});
