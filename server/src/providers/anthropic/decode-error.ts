/**
 * Classifies what the provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the type of the error it names.
 */
import type { ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { readError } from '../../wire/anthropic/read-error.ts';
import type { ErrorBody } from '../../wire/anthropic/types.ts';
import { codeForStatus, statusError, upstreamError } from '../upstream-error.ts';

/** Statuses that mean something else here than to most vendors. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  402: 'upstream_quota_exhausted',
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

/** Reads any answer whose status is not 2xx. */
export function decodeError(
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): GatewayError {
  const body = readError(parseJson(bytes.toString('utf8'))) ?? NO_ERROR;
  const code = exactCode(CODE_BY_STATUS[head.status] ?? codeForStatus(head.status), body);
  return statusError(code, body, secrets, head);
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  const code = CODE_BY_TYPE[body.type ?? ''] ?? 'upstream_failed';
  return upstreamError(exactCode(code, body), body, secrets);
}

function exactCode(code: ErrorCode, body: ErrorBody): ErrorCode {
  return isQuota(code, body) ? 'upstream_quota_exhausted' : code;
}

function isQuota(code: ErrorCode, body: ErrorBody): boolean {
  return code === 'upstream_rate_limited' && body.code !== null && QUOTA_CODES.has(body.code);
}
