/**
 * How long targets take, with the clock in hand: what counts, what fades, and what a failure or
 * a client that left says.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createLatencyBook,
  type LatencyBook,
  type TimedEnd,
} from '../../../src/gateway/routing/latency-book.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { targetOf } from './fixture.ts';

const DECAY_MS = 10_000;
const A = targetOf('a');

interface Setting {
  readonly clock: ManualClock;
  readonly book: LatencyBook;
  /** One call of so many milliseconds. */
  call(durationMs: number, end?: TimedEnd, stream?: boolean): void;
  /** Rounded to the tenth. */
  expected(stream?: boolean): number | null;
}

function setUp(): Setting {
  const clock = createManualClock();
  const book = createLatencyBook(clock, () => DECAY_MS);
  return {
    clock,
    book,
    call(durationMs, end = 'answered', stream = true) {
      const call = { target: A, startedMs: clock.monotonicMs() };
      const ended = book.started(call, stream);
      clock.advance(durationMs);
      ended(end);
    },
    expected(stream = true) {
      const ms = book.expectedMs(A, stream);
      return ms === null ? null : Math.round(ms * 10) / 10;
    },
  };
}

describe('the expected time of a target', () => {
  it('is not known before the first answer', () => {
    const { expected, call } = setUp();

    assert.equal(expected(), null);
    call(50, 'void');
    assert.equal(expected(), null);
  });

  it('is that of the first answer', () => {
    const { expected, call } = setUp();

    call(120);

    assert.equal(expected(), 120);
  });

  it('rises at once with a slower answer', () => {
    const { expected, call } = setUp();

    call(100);
    call(2000);

    assert.equal(expected(), 2000);
  });

  it('comes down with quicker ones, more the longer they took to come', () => {
    const { clock, expected, call } = setUp();
    call(2000);

    call(100); // 2000·e^-0.01 + 100·(1 - e^-0.01)
    const soon = expected();
    clock.advance(30_000);
    call(100);

    assert.equal(soon, 1981.1);
    assert.ok(Number(expected()) < 200, `${expected()}`);
  });

  it('fades while nothing is called, by two thirds in the decay time', () => {
    const { clock, expected, call } = setUp();
    call(1000);

    clock.advance(DECAY_MS);

    assert.equal(expected(), 367.9);
    clock.advance(9 * DECAY_MS);
    assert.equal(expected(), 0);
  });

  it('is at least what the oldest call has waited', () => {
    const { clock, book, expected, call } = setUp();
    call(50);
    const hanging = { target: A, startedMs: clock.monotonicMs() };
    const ended = book.started(hanging, true);

    clock.advance(7000);
    const whileWaiting = expected();
    ended('void');

    assert.equal(whileWaiting, 7000);
    assert.equal(expected(), 24.8);
  });

  it('counts a failure as the longest wait, however quick it came', () => {
    const { expected, call } = setUp();

    call(1, 'failed');

    assert.equal(expected(), 1000); // timeouts.firstTokenMs of the target
  });

  it('counts a slow failure as long as it took', () => {
    const { expected, call } = setUp();

    call(4000, 'failed');

    assert.equal(expected(), 4000);
  });

  it('takes a client that left as a least time, and never as a good one', () => {
    const { expected, call } = setUp();

    call(500, 'left');
    assert.equal(expected(), 500);
    call(1, 'left');
    assert.ok(Number(expected()) > 490, `${expected()}`);
  });

  it('is kept apart for streams and plain answers', () => {
    const { expected, call } = setUp();

    call(20, 'answered', true);
    call(3000, 'answered', false);

    assert.equal(expected(false), 3000);
    assert.ok(Number(expected(true)) < 20);
  });
});

describe('calls that wait', () => {
  it('are counted from their start to their first piece', () => {
    const { clock, book } = setUp();
    const one = { target: A, startedMs: clock.monotonicMs() };
    const two = { target: A, startedMs: clock.monotonicMs() };

    const endOne = book.started(one, true);
    const endTwo = book.started(two, true);
    assert.deepEqual([book.waiting(A, true), book.waiting(A, false)], [2, 0]);
    endOne('answered');
    endOne('answered');
    assert.equal(book.waiting(A, true), 1);
    endTwo('left');

    assert.equal(book.waiting(A, true), 0);
    assert.equal(book.waiting(targetOf('nobody'), true), 0);
  });
});

describe('the book', () => {
  it('forgets targets beyond its bound, and those with waiting calls last', () => {
    const { clock, book } = setUp();
    const busy = { target: targetOf('busy'), startedMs: 0 };
    book.started(busy, true);
    for (let at = 0; at < 5000; at += 1) {
      const call = { target: targetOf(`t${at}`), startedMs: clock.monotonicMs() };
      book.started(call, true)('answered');
    }

    assert.equal(book.waiting(busy.target, true), 1);
    assert.equal(book.expectedMs(targetOf('t0'), true), null);
    assert.notEqual(book.expectedMs(targetOf('t4999'), true), null);
  });

  it('is changed by calls alone: reading it any number of times says the same', () => {
    const { clock, book, call } = setUp();
    call(80);
    clock.advance(3000);

    const readings = Array.from({ length: 5 }, () => book.expectedMs(A, true));
    book.expectedMs(targetOf('asked'), true);
    book.waiting(targetOf('asked'), true);

    assert.equal(new Set(readings).size, 1);
    assert.equal(book.expectedMs(targetOf('asked'), true), null);
  });

  it('never says less than nothing, nor more than the longest it saw', () => {
    const step = fc.record({
      tookMs: fc.nat(5000),
      idleMs: fc.nat(60_000),
      end: fc.constantFrom<TimedEnd>('answered', 'failed', 'left', 'void'),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { clock, book, call } = setUp();
        for (const { tookMs, idleMs, end } of steps) {
          call(tookMs, end);
          clock.advance(idleMs);
          const ms = book.expectedMs(A, true) ?? 0;
          assert.ok(ms >= 0 && ms <= Math.max(1000, ...steps.map((each) => each.tookMs)), `${ms}`);
        }
      }),
    );
  });
});
