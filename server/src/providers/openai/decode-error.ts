/**
 * Classifies what a provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the error it names.
 *
 * A refusal keeps the provider's message, parameter and code, because they tell the caller
 * what to change. A refusal of our own credentials keeps none of its codes: shown as they are,
 * they would make callers throw away good keys. No message leaves with a secret in it.
 */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { readErrorBody } from '../../wire/openai/read-error.ts';
import type { ErrorBody } from '../../wire/openai/types.ts';
import { redactMessage } from '../redact-message.ts';
import { retryAfterMs } from '../retry-after.ts';

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
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
  503: 'upstream_unavailable',
  504: 'upstream_timeout',
  524: 'upstream_timeout',
  529: 'upstream_unavailable',
};

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
  if (head.status >= 300 && head.status < 400) {
    const message = `The provider redirects (${head.status}), which is not followed.`;
    return new GatewayError('upstream_invalid', { message });
  }
  const body = readErrorBody(parseJson(bytes.toString('utf8'))) ?? NO_ERROR;
  const code = head.status === 429 && isQuota(body) ? 'upstream_quota_exhausted' : null;
  const waitMs = retryAfterMs(head.headers);
  return build(code ?? codeForStatus(head.status), body, {
    fallback: `The provider answered with status ${head.status}.`,
    secrets,
    ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
    ...(head.headers['x-should-retry'] === 'false' ? { retryable: false } : {}),
  });
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  return build(codeForBody(body), body, {
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
    return new GatewayError(code, {
      ...hints,
      message: `${ERROR_CATALOGUE[code].summary} ${said}`,
    });
  }
  return new GatewayError(code, {
    ...hints,
    message: said,
    ...named('field', body.param, /^[\w.[\]$-]{1,128}$/),
    ...named('upstreamCode', body.code, /^[A-Za-z][\w.-]{0,63}$/),
    ...named('upstreamType', body.type, /^[A-Za-z][\w.-]{0,63}$/),
  });
}

/** A name that is what it claims to be; statuses repeated as codes steer nobody. */
function named<K extends string>(
  key: K,
  value: string | number | null,
  pattern: RegExp,
): { [name in K]?: string } {
  if (typeof value !== 'string' || !pattern.test(value)) return {};
  return { [key]: value } as { [name in K]?: string };
}

function codeForStatus(status: number): ErrorCode {
  const code = CODE_BY_STATUS[status];
  if (code !== undefined) return code;
  if (status >= 400 && status < 500) return 'upstream_rejected';
  return status >= 500 && status < 600 ? 'upstream_failed' : 'upstream_invalid';
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
