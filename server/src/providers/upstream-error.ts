/**
 * Builds the coded error for what a provider answered instead of an answer. Which code it is, each
 * wire decides for itself; what may be shown of it is the same for all.
 *
 * A refusal keeps the provider's message and names, because they tell the caller what to change.
 * A refusal of our own credentials keeps no name: shown as they are, they would make callers
 * throw away good keys. No message and no name leaves with a secret in it.
 */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../gateway/model/errors.ts';
import type { ResponseHead } from '../gateway/ports/provider.ts';
import { redactMessage } from './redact-message.ts';
import { retryAfterMs } from './retry-after.ts';

/** What the provider said, as far as it said it; of the wrong form counts as unsaid. */
export interface Said {
  readonly message: string | null;
  readonly param?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
}

export interface ErrorHints {
  readonly retryAfterMs?: number;
  readonly retryable?: boolean;
}

/** What statuses mean to most vendors. */
const USUAL_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'upstream_credentials',
  402: 'upstream_credentials',
  403: 'upstream_credentials',
  404: 'upstream_not_found',
  408: 'upstream_timeout',
  409: 'upstream_unavailable',
  413: 'upstream_too_large',
  422: 'upstream_unprocessable',
  425: 'upstream_unavailable',
  429: 'upstream_rate_limited',
  499: 'upstream_unavailable',
  503: 'upstream_unavailable',
  504: 'upstream_timeout',
  524: 'upstream_timeout',
  529: 'upstream_unavailable',
};

const NAME = /^[A-Za-z][\w.-]{0,63}$/;
const FIELD = /^[\w.[\]$-]{1,128}$/;

/** Where no status was needed to say it: in a 2xx body, or inside a stream. */
export const UNSAID = 'The provider reported an error without a message.';

/** `fallback` stands in for a message that was not given. */
export function upstreamError(
  code: ErrorCode,
  said: Said,
  secrets: readonly string[],
  fallback: string = UNSAID,
  hints: ErrorHints = {},
): GatewayError {
  const shown = said.message ? redactMessage(said.message, secrets) : fallback;
  if (code === 'upstream_credentials') {
    const message = `${ERROR_CATALOGUE[code].summary} ${shown}`;
    return new GatewayError(code, { ...hints, message });
  }
  return new GatewayError(code, {
    ...hints,
    message: shown,
    ...named('field', said.param, FIELD, secrets),
    ...named('upstreamCode', said.code, NAME, secrets),
    ...named('upstreamType', said.type, NAME, secrets),
  });
}

/** The error of an answer whose status is not 2xx; what its head hints at wins over `hints`. */
export function statusError(
  code: ErrorCode,
  said: Said,
  secrets: readonly string[],
  head: ResponseHead,
  hints: ErrorHints = {},
): GatewayError {
  const { status } = head;
  if (status >= 300 && status < 400) {
    const message = `The provider redirects (${status}), which is not followed.`;
    return new GatewayError('upstream_invalid', { message });
  }
  const fallback = `The provider answered with status ${status}.`;
  return upstreamError(code, said, secrets, fallback, { ...hints, ...hintsOf(head) });
}

/** When to try again, and whether at all, as the head says it. */
function hintsOf({ headers }: ResponseHead): ErrorHints {
  const waitMs = retryAfterMs(headers);
  return {
    ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
    ...(headers['x-should-retry'] === 'false' ? { retryable: false } : {}),
  };
}

/** The code of a status: what it means to most, else what its class of statuses means. */
export function codeForStatus(status: number): ErrorCode {
  const code = USUAL_CODES[status];
  if (code !== undefined) return code;
  if (status >= 400 && status < 500) return 'upstream_rejected';
  return status >= 500 && status < 600 ? 'upstream_failed' : 'upstream_invalid';
}

/**
 * A name that is what it claims to be, and nothing that a message would be cleaned of; statuses
 * repeated as codes steer nobody.
 */
function named<K extends string>(
  key: K,
  value: unknown,
  pattern: RegExp,
  secrets: readonly string[],
): { [name in K]?: string } {
  if (typeof value !== 'string' || !pattern.test(value)) return {};
  if (redactMessage(value, secrets) !== value) return {};
  return { [key]: value } as { [name in K]?: string };
}
