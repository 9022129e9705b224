/**
 * The table of reactions, code by code: the whole catalogue is in it, so that a new code is a
 * decision and not an accident.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ERROR_CATALOGUE,
  type ErrorCode,
  GatewayError,
} from '../../../src/gateway/model/errors.ts';
import { isTransient, mayFailOver, mayRetry } from '../../../src/gateway/resilience/reactions.ts';

const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

function codesThat(react: (error: GatewayError) => boolean): ErrorCode[] {
  return CODES.filter((code) => react(new GatewayError(code))).sort();
}

const TRANSIENT = [
  'upstream_failed',
  'upstream_invalid',
  'upstream_overloaded',
  'upstream_rate_limited',
  'upstream_timeout',
  'upstream_truncated',
  'upstream_unavailable',
  'upstream_unreachable',
];

test('exactly the passing troubles of a provider count against its target', () => {
  assert.deepEqual(codesThat(isTransient), TRANSIENT);
});

test('exactly the same are tried again at the same target', () => {
  assert.deepEqual(codesThat(mayRetry), TRANSIENT);
});

test('an error whose provider says that trying again is useless is not tried again', () => {
  const error = new GatewayError('upstream_failed', { retryable: false });

  assert.equal(mayRetry(error), false);
  assert.equal(isTransient(error), true);
});

test('another target is tried for these, and for what concerns this target alone', () => {
  const others = [
    'field_not_supported',
    'no_target_available',
    'overloaded',
    'upstream_credentials',
    'upstream_not_found',
    'upstream_quota_exhausted',
  ];

  assert.deepEqual(codesThat(mayFailOver), [...TRANSIENT, ...others].sort());
});
