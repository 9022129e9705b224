/**
 * What resilience does about a coded error: count it against a target, try the same target
 * again, go to another one. The codes are given where errors are born; this is the one table of
 * reactions.
 *
 * Invariant: what a caller can cause alone (a bad request, leaving early, an exhausted budget)
 * never counts against a target and is never tried again.
 */
import type { ErrorCode, GatewayError } from '../model/errors.ts';

const TRANSIENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'upstream_failed',
  'upstream_unavailable',
  'upstream_overloaded',
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_invalid',
  'upstream_truncated',
  'upstream_rate_limited',
]);

const ABOUT_THIS_TARGET: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'upstream_quota_exhausted',
  'upstream_credentials',
  'upstream_not_found',
  'field_not_supported',
  'no_target_available',
  'overloaded',
]);

/** The target is in trouble that may pass: counts as a failure in its breaker. */
export function isTransient(error: GatewayError): boolean {
  return TRANSIENT.has(error.code);
}

/** The same target may succeed at the next attempt. */
export function mayRetry(error: GatewayError): boolean {
  return error.retryable && TRANSIENT.has(error.code);
}

/** Another target may succeed where this one failed. */
export function mayFailOver(error: GatewayError): boolean {
  return TRANSIENT.has(error.code) || ABOUT_THIS_TARGET.has(error.code);
}

/** A rate limit that names no time usually lets calls pass again after this. */
const UNNAMED_REST_MS = 1000;

/** Milliseconds for which the target asked to be left alone; null: it did not. */
export function restMs(error: GatewayError): number | null {
  if (!TRANSIENT.has(error.code) && error.code !== 'upstream_quota_exhausted') return null;
  if (error.retryAfterMs !== null) return error.retryAfterMs;
  return error.code === 'upstream_rate_limited' ? UNNAMED_REST_MS : null;
}
