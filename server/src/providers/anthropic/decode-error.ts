/**
 * Classifies what the provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the type of the error it names.
 *
 * A refusal keeps the provider's message, type and code, because they tell the caller what to
 * change. A refusal of our own credentials keeps neither type nor code: shown as they are, they
 * would make callers throw away good keys. No message leaves with a secret in it.
 */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { readError } from '../../wire/anthropic/read-error.ts';
import type { ErrorBody } from '../../wire/anthropic/types.ts';
import { redactMessage } from '../redact-message.ts';
import { retryAfterMs } from '../retry-after.ts';

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'upstream_credentials',
  402: 'upstream_quota_exhausted',
  403: 'upstream_credentials',
  404: 'upstream_not_found',
  408: 'upstream_timeout',
  409: 'upstream_unavailable',
  413: 'upstream_too_large',
  422: 'upstream_unprocessable',
  429: 'upstream_rate_limited',
  503: 'upstream_unavailable',
  504: 'upstream_timeout',
  524: 'upstream_timeout',
  529: 'upstream_overloaded',
};

const CODE_BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  authentication_error: 'upstream_credentials',
  billing_error: 'upstream_quota_exhausted',
  invalid_request_error: 'upstream_rejected',
  not_found_error: 'upstream_not_found',
  overloaded_error: 'upstream_overloaded',
  permission_error: 'upstream_credentials',
  rate_limit_error: 'upstream_rate_limited',
  request_too_large: 'upstream_too_large',
  timeout_error: 'upstream_timeout',
};

/** Codes of a 429 that waiting does not mend. */
const QUOTA_CODES = new Set(['contract_spend_limit_reached', 'enforced_spend_limit_reached']);

const NO_ERROR: ErrorBody = { type: null, message: null, code: null };
const NAME = /^[A-Za-z][\w.-]{0,63}$/;

/** Reads any answer whose status is not 2xx. */
export function decodeError(
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): GatewayError {
  if (head.status >= 300 && head.status < 400) {
    const message = `The provider redirects (${head.status}), which is not followed.`;
    return new GatewayError('upstream_invalid', { message });
  }
  const body = readError(parseJson(bytes.toString('utf8'))) ?? NO_ERROR;
  const waitMs = retryAfterMs(head.headers);
  return build(codeOf(head.status, body), body, {
    fallback: `The provider answered with status ${head.status}.`,
    secrets,
    ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
    ...(head.headers['x-should-retry'] === 'false' ? { retryable: false } : {}),
  });
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  const code = CODE_BY_TYPE[body.type ?? ''] ?? 'upstream_failed';
  return build(isQuota(code, body) ? 'upstream_quota_exhausted' : code, body, {
    fallback: 'The provider reported an error without a message.',
    secrets,
  });
}

interface BuildOptions {
  readonly fallback: string;
  readonly secrets: readonly string[];
  readonly retryAfterMs?: number;
  readonly retryable?: boolean;
}

function build(code: ErrorCode, body: ErrorBody, options: BuildOptions): GatewayError {
  const { fallback, secrets, ...hints } = options;
  const said = body.message === null ? fallback : redactMessage(body.message, secrets);
  if (code === 'upstream_credentials') {
    const message = `${ERROR_CATALOGUE[code].summary} ${said}`;
    return new GatewayError(code, { ...hints, message });
  }
  return new GatewayError(code, {
    ...hints,
    message: said,
    ...(body.code !== null && NAME.test(body.code) ? { upstreamCode: body.code } : {}),
    ...(body.type !== null && NAME.test(body.type) ? { upstreamType: body.type } : {}),
  });
}

function codeOf(status: number, body: ErrorBody): ErrorCode {
  const code = CODE_BY_STATUS[status];
  if (code !== undefined) return isQuota(code, body) ? 'upstream_quota_exhausted' : code;
  if (status >= 400 && status < 500) return 'upstream_rejected';
  return status >= 500 && status < 600 ? 'upstream_failed' : 'upstream_invalid';
}

function isQuota(code: ErrorCode, body: ErrorBody): boolean {
  return code === 'upstream_rate_limited' && body.code !== null && QUOTA_CODES.has(body.code);
}
