/**
 * Classifies what the provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the status that the error names. A bad key is a 400 here, told by its
 * reason alone.
 *
 * A refusal keeps the provider's message and words, because they tell the caller what to
 * change; a refusal of our own credentials keeps none of them. No message leaves with a secret.
 */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { errorOfText, readError } from '../../wire/gemini/read-error.ts';
import type { ErrorBody } from '../../wire/gemini/types.ts';
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
  429: 'upstream_rate_limited',
  499: 'upstream_unavailable',
  503: 'upstream_unavailable',
  504: 'upstream_timeout',
  524: 'upstream_timeout',
  529: 'upstream_unavailable',
};

const CODE_BY_WORD: ReadonlyMap<string | null, ErrorCode> = new Map<string | null, ErrorCode>([
  ['ABORTED', 'upstream_unavailable'],
  ['CANCELLED', 'upstream_unavailable'],
  ['DEADLINE_EXCEEDED', 'upstream_timeout'],
  ['FAILED_PRECONDITION', 'upstream_rejected'],
  ['INTERNAL', 'upstream_failed'],
  ['INVALID_ARGUMENT', 'upstream_rejected'],
  ['NOT_FOUND', 'upstream_not_found'],
  ['OUT_OF_RANGE', 'upstream_rejected'],
  ['PERMISSION_DENIED', 'upstream_credentials'],
  ['RESOURCE_EXHAUSTED', 'upstream_rate_limited'],
  ['UNAUTHENTICATED', 'upstream_credentials'],
  ['UNAVAILABLE', 'upstream_unavailable'],
]);

/** Reasons that speak of the gateway's own key, whatever the status. */
const KEY_REASON = /^(?:API_KEY_|ACCESS_TOKEN_|SERVICE_DISABLED|BILLING_DISABLED|CONSUMER_)/;
const CONTEXT_LENGTH = /input token count .{0,80}exceeds the maximum/i;

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
  const body = readError(parseJson(bytes.toString('utf8'))) ?? errorOfText('');
  return build(codeOf(body, codeForStatus(head.status)), body, {
    fallback: `The provider answered with status ${head.status}.`,
    waitMs: retryAfterMs(head.headers) ?? body.retryAfterMs,
    secrets,
  });
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  const { code } = body;
  const isStatus = code !== null && code >= 400 && code < 600;
  const named = CODE_BY_WORD.get(body.status) ?? 'upstream_failed';
  return build(codeOf(body, isStatus ? codeForStatus(code) : named), body, {
    fallback: 'The provider reported an error without a message.',
    waitMs: body.retryAfterMs,
    secrets,
  });
}

interface BuildOptions {
  readonly fallback: string;
  readonly waitMs: number | null;
  readonly secrets: readonly string[];
}

function build(code: ErrorCode, body: ErrorBody, options: BuildOptions): GatewayError {
  const { fallback, waitMs, secrets } = options;
  const said = body.message === null ? fallback : redactMessage(body.message, secrets);
  const hints = waitMs === null ? {} : { retryAfterMs: waitMs };
  if (code === 'upstream_credentials') {
    const message = `${ERROR_CATALOGUE[code].summary} ${said}`;
    return new GatewayError(code, { ...hints, message });
  }
  const upstreamCode = CONTEXT_LENGTH.test(said) ? 'context_length_exceeded' : body.reason;
  return new GatewayError(code, {
    ...hints,
    message: said,
    ...named('upstreamCode', upstreamCode),
    ...named('upstreamType', body.status),
  });
}

/** A name that is what it claims to be. */
function named<K extends string>(key: K, value: string | null): { [name in K]?: string } {
  if (value === null || !/^[A-Za-z][\w.-]{0,63}$/.test(value)) return {};
  return { [key]: value } as { [name in K]?: string };
}

/** What the details know better than the status. */
function codeOf({ reason, longQuota }: ErrorBody, code: ErrorCode): ErrorCode {
  if (reason !== null && KEY_REASON.test(reason)) return 'upstream_credentials';
  return code === 'upstream_rate_limited' && longQuota ? 'upstream_quota_exhausted' : code;
}

function codeForStatus(status: number): ErrorCode {
  const code = CODE_BY_STATUS[status];
  if (code !== undefined) return code;
  if (status >= 400 && status < 500) return 'upstream_rejected';
  return status >= 500 && status < 600 ? 'upstream_failed' : 'upstream_invalid';
}
