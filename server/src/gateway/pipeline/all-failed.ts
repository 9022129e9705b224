/**
 * What the client is told when every target that was tried has failed: the failure that will
 * be over first, and after how long asking again is worth it.
 *
 * Invariant: the time is that of the soonest target of the whole route, those left out from the
 * start included, so that nobody is sent away for an hour because the last one tried said so.
 */
import type { Availability } from '../model/availability.ts';
import { GatewayError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import { type Rejection, soonestRetryMs } from '../routing/order.ts';

export interface TargetFailure {
  readonly target: Target;
  readonly error: GatewayError;
}

export function allFailed(
  failures: readonly [TargetFailure, ...TargetFailure[]],
  rejected: readonly Rejection[],
  availability: (target: Target) => Availability,
): GatewayError {
  let best = failures[0];
  for (const failure of failures) {
    if (rank(failure, availability) <= rank(best, availability)) best = failure;
  }
  const { error } = best;
  const soonestMs = Math.min(waitMs(best, availability), soonestRetryMs(rejected) ?? Infinity);
  if (error.retryAfterMs === null || soonestMs >= error.retryAfterMs) return error;
  return retryAfter(error, soonestMs);
}

/** What trying again does not mend comes behind whatever passes. */
function rank(failure: TargetFailure, availability: (target: Target) => Availability): number {
  return failure.error.retryable ? waitMs(failure, availability) : Number.POSITIVE_INFINITY;
}

function waitMs({ target, error }: TargetFailure, availability: (of: Target) => Availability) {
  const state = availability(target);
  return state.kind === 'unavailable' ? state.retryAfterMs : (error.retryAfterMs ?? 0);
}

function retryAfter(error: GatewayError, retryAfterMs: number): GatewayError {
  const { code, message, field, upstreamCode, upstreamType, retryable, neverSent } = error;
  return new GatewayError(code, {
    ...{ message, retryAfterMs, retryable, neverSent, cause: error.cause },
    ...(field === null ? {} : { field }),
    ...(upstreamCode === null ? {} : { upstreamCode }),
    ...(upstreamType === null ? {} : { upstreamType }),
  });
}
