/**
 * What the official `@anthropic-ai/sdk` package makes of a status: its class in both lines, and
 * the type of the dialect that stands in the body.
 */
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import type { SdkLine } from './anthropic-surroundings.ts';

/** Types of the dialect, by the status that the client sees. */
export const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
  502: 'api_error',
  503: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Names of the classes that only the newer line has. */
const NEWER: Readonly<Record<number, string>> = {
  402: 'PaymentRequiredError',
  413: 'ContentTooLargeError',
  503: 'ServiceUnavailableError',
  504: 'GatewayTimeoutError',
  529: 'OverloadedError',
};

/** Both lines have a class for some statuses; the newer one tells more apart. */
export function assertClass(errors: SdkLine['errors'], thrown: Error, status: number): void {
  const classes: Readonly<Record<number, new (...args: never[]) => Error>> = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    500: errors.InternalServerError,
    502: errors.InternalServerError,
  };
  const expected = classes[status];
  if (expected !== undefined) assert.ok(thrown instanceof expected, thrown.constructor.name);
  else if (errors === Anthropic) assert.equal(thrown.constructor.name, NEWER[status]);
}
