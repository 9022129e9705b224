/**
 * Classifies what a provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the error it names.
 */
import type { ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { readErrorBody } from '../../wire/openai/read-error.ts';
import type { ErrorBody } from '../../wire/openai/types.ts';
import { codeForStatus, statusError, upstreamError } from '../upstream-error.ts';

const CODE_BY_NAME: Readonly<Record<string, ErrorCode>> = {
  authentication_error: 'upstream_credentials',
  content_filter: 'upstream_rejected',
  context_length_exceeded: 'upstream_rejected',
  engine_overloaded: 'upstream_unavailable',
  invalid_api_key: 'upstream_credentials',
  invalid_prompt: 'upstream_rejected',
  invalid_request_error: 'upstream_rejected',
  model_not_found: 'upstream_not_found',
  not_found_error: 'upstream_not_found',
  overloaded_error: 'upstream_unavailable',
  permission_error: 'upstream_credentials',
  rate_limit_error: 'upstream_rate_limited',
  rate_limit_exceeded: 'upstream_rate_limited',
  service_unavailable: 'upstream_unavailable',
  timeout: 'upstream_timeout',
};

/** Codes and types that mean an account without means, which waiting does not mend. */
const QUOTA_NAMES = new Set([
  'billing_hard_limit_reached',
  'billing_not_active',
  'exceeded_current_quota_error',
  'insufficient_quota',
]);

const NO_ERROR: ErrorBody = { message: null, type: null, param: null, code: null };

/** Reads any answer whose status is not 2xx. */
export function decodeError(
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): GatewayError {
  const body = readErrorBody(parseJson(bytes.toString('utf8'))) ?? NO_ERROR;
  const isSpent = head.status === 429 && isQuota(body);
  const code = isSpent ? 'upstream_quota_exhausted' : codeForStatus(head.status);
  return statusError(code, body, secrets, head);
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  return upstreamError(codeForBody(body), body, secrets);
}

function codeForBody(body: ErrorBody): ErrorCode {
  if (isQuota(body)) return 'upstream_quota_exhausted';
  if (typeof body.code === 'number' && body.code >= 400 && body.code < 600) {
    return codeForStatus(body.code);
  }
  for (const name of [body.code, body.type]) {
    const code = typeof name === 'string' ? CODE_BY_NAME[name] : undefined;
    if (code !== undefined) return code;
  }
  return 'upstream_failed';
}

function isQuota({ code, type }: ErrorBody): boolean {
  return QUOTA_NAMES.has(String(code)) || QUOTA_NAMES.has(String(type));
}
