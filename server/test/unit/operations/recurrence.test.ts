/** Instants at which a job recurs: every process computes the same ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextRunMs } from '../../../src/operations/jobs/recurrence.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('a day with an offset of three hours is 03:00 UTC, today or tomorrow', () => {
  const daily = { everyMs: DAY_MS, offsetMs: 3 * HOUR_MS };
  const next = (at: string) => new Date(nextRunMs(daily, Date.parse(at))).toISOString();
  assert.equal(next('2026-11-20T02:59:59Z'), '2026-11-20T03:00:00.000Z');
  assert.equal(next('2026-11-20T03:00:00Z'), '2026-11-21T03:00:00.000Z');
});

test('the next instant is after the moment asked for, by one interval at most', () => {
  const interval = fc.integer({ min: 1, max: 7 * DAY_MS });
  const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(interval, fc.integer({ min: 0, max: DAY_MS }), moment, (everyMs, offsetMs, at) => {
      const next = nextRunMs({ everyMs, offsetMs }, at);
      assert.ok(next > at && next - at <= everyMs);
      assert.ok((next - offsetMs) % everyMs === 0);
    }),
  );
});
