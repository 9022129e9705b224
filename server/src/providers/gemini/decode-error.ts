/**
 * Classifies what the provider answered instead of an answer: by its status, or, inside a 2xx
 * body or a stream, by the status that the error names. A bad key is a 400 here, told by its
 * reason alone.
 */
import type { ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { errorOfText, readError } from '../../wire/gemini/read-error.ts';
import type { ErrorBody } from '../../wire/gemini/types.ts';
import {
  codeForStatus,
  type ErrorHints,
  type Said,
  statusError,
  UNSAID,
  upstreamError,
} from '../upstream-error.ts';

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
  const body = readError(parseJson(bytes.toString('utf8'))) ?? errorOfText('');
  const code = codeOf(body, codeForStatus(head.status));
  return statusError(code, saidBy(body), secrets, head, waitOf(body));
}

/** Reads an error that came where an answer was due: in a 2xx body, or inside a stream. */
export function decodeNamedError(body: ErrorBody, secrets: readonly string[]): GatewayError {
  const { code } = body;
  const isStatus = code !== null && code >= 400 && code < 600;
  const named = CODE_BY_WORD.get(body.status) ?? 'upstream_failed';
  const known = codeOf(body, isStatus ? codeForStatus(code) : named);
  return upstreamError(known, saidBy(body), secrets, UNSAID, waitOf(body));
}

function saidBy({ message, reason, status }: ErrorBody): Said {
  const isTooLong = message !== null && CONTEXT_LENGTH.test(message);
  return { message, code: isTooLong ? 'context_length_exceeded' : reason, type: status };
}

/** The body may say it as well. */
function waitOf({ retryAfterMs }: ErrorBody): ErrorHints {
  return retryAfterMs === null ? {} : { retryAfterMs };
}

/** What the details know better than the status. */
function codeOf({ reason, longQuota }: ErrorBody, code: ErrorCode): ErrorCode {
  if (reason !== null && KEY_REASON.test(reason)) return 'upstream_credentials';
  return code === 'upstream_rate_limited' && longQuota ? 'upstream_quota_exhausted' : code;
}
