/**
 * What a client is told when every target failed: targets, their failures and when each can be
 * called again are written out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Availability } from '../../../src/gateway/model/availability.ts';
import { type ErrorCode, GatewayError } from '../../../src/gateway/model/errors.ts';
import { allFailed, type TargetFailure } from '../../../src/gateway/pipeline/all-failed.ts';
import { TARGET } from './fakes.ts';

function failure(id: string, code: ErrorCode, retryAfterMs?: number): TargetFailure {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { target: { ...TARGET, id }, error: new GatewayError(code, options) };
}

/** Milliseconds until each target can be called; a target that is not named can be now. */
function told(
  failures: readonly [TargetFailure, ...TargetFailure[]],
  waits: Readonly<Record<string, number>> = {},
  rejectedMs: readonly number[] = [],
): GatewayError {
  const rejected = rejectedMs.map((retryAfterMs, index) => ({
    ...{ target: { ...TARGET, id: `rejected-${index}` }, retryAfterMs },
    reason: 'breaker_open' as const,
  }));
  return allFailed(failures, rejected, ({ id }): Availability => {
    const retryAfterMs = waits[id];
    if (retryAfterMs === undefined) return { kind: 'available' };
    return { kind: 'unavailable', reason: 'resting', retryAfterMs };
  });
}

test('the only failure is told as it is', () => {
  const only = failure('a', 'upstream_rate_limited', 7000);

  assert.equal(told([only], { a: 7000 }), only.error);
});

test('the failure that is over first is told, wherever it stood', () => {
  const hour = failure('a', 'upstream_rate_limited', 3_600_000);
  const soon = failure('b', 'upstream_unavailable', 5000);
  const waits = { a: 3_600_000, b: 5000 };

  assert.equal(told([hour, soon], waits), soon.error);
  assert.equal(told([soon, hour], waits), soon.error);
});

test('of failures that are over at the same time the last is told', () => {
  const first = failure('a', 'upstream_failed');
  const last = failure('b', 'upstream_timeout');

  assert.equal(told([first, last]), last.error);
});

test('what passes is told rather than what stays', () => {
  const limited = failure('a', 'upstream_rate_limited', 9000);
  const refused = failure('b', 'upstream_credentials');

  assert.equal(told([limited, refused], { a: 9000 }), limited.error);
  assert.equal(told([refused]), refused.error);
});

test('the time is that of the soonest target, one that was left out included', () => {
  const hour = failure('a', 'upstream_rate_limited', 3_600_000);

  const error = told([hour], { a: 3_600_000 }, [9000, 4000]);

  assert.deepEqual(
    [error.code, error.retryAfterMs, error.message],
    ['upstream_rate_limited', 4000, hour.error.message],
  );
});
