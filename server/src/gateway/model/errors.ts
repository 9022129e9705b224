/**
 * The coded catalogue of everything that can be refused or go wrong in an exchange: code,
 * HTTP status, whether a client may try again, and the message.
 *
 * An error is classified once, where it is born, by throwing `GatewayError` with a code of
 * this table; the edge writes it in the dialect of the endpoint. `docs/errors.md` is kept
 * equal to this table by a test. A message says what was wrong, where, and what to do; it
 * never contains a secret, a stack or another tenant's data.
 */

interface ErrorRow {
  readonly status: number;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly summary: string;
}

export const ERROR_CATALOGUE = {
  // The request itself
  body_not_json: row(400, false, 'The body is not valid JSON.'),
  body_not_utf8: row(400, false, 'The body is not valid UTF-8.'),
  body_too_deep: row(400, false, 'The JSON body nests deeper than allowed.'),
  body_too_large: row(413, false, 'The body is larger than `max_body_bytes`.'),
  content_type_unsupported: row(415, false, 'The body is not sent as application/json.'),
  content_encoding_unsupported: row(415, false, 'Compressed request bodies are not accepted.'),
  invalid_request: row(400, false, 'A field is missing, of the wrong type or out of range.'),
  duplicate_field: row(400, false, 'A field appears twice in the outermost object.'),
  duplicate_header: row(400, false, 'A header that must be single was sent twice.'),
  header_invalid: row(400, false, 'A header has a value that is not accepted.'),
  headers_too_large: row(431, false, 'The headers are larger than 32 KiB.'),
  http_malformed: row(400, false, 'The bytes are not valid HTTP.'),
  request_timeout: row(408, true, 'The request was not received in time.'),
  not_found: row(404, false, 'There is nothing at this path.'),
  method_not_allowed: row(405, false, 'The path exists, but not for this method.'),
  field_not_supported: row(422, false, 'The chosen target cannot honour a field.'),
  conflict: row(409, false, 'The resource exists already or changed meanwhile.'),
  cursor_invalid: row(400, false, 'The page cursor was changed or is not ours.'),
  // Who is calling
  credentials_missing: row(401, false, 'No API key was sent.'),
  credentials_invalid: row(401, false, 'The API key is unknown, revoked or malformed.'),
  credentials_expired: row(401, false, 'The API key has expired.'),
  credentials_conflicting: row(400, false, 'Two different credentials were sent.'),
  credentials_in_query: row(400, false, 'Credentials were sent in the query string.'),
  permission_denied: row(403, false, 'The principal may not do this.'),
  model_not_allowed: row(403, false, 'The API key may not use this model.'),
  identity_unavailable: row(503, true, 'The key cannot be checked at the moment.'),
  // What may be spent
  rate_limited: row(429, true, 'A limit of requests or tokens per minute is used up.'),
  concurrency_limited: row(429, true, 'Too many requests of this key are running.'),
  overloaded: row(529, true, 'The gateway is full; the request was not queued.'),
  budget_exceeded: row(402, false, 'The budget does not cover this request.'),
  budget_unavailable: row(503, true, 'The budget counter is being rebuilt.'),
  price_unknown: row(403, false, 'The model has no price, so a budget cannot cover it.'),
  // Where it goes
  model_not_found: row(404, false, 'No model or alias has this name.'),
  model_unsupported_operation: row(400, false, 'The model does not offer this operation.'),
  no_target_available: row(503, true, 'Every target of the model is out of service.'),
  cache_only_miss: row(504, false, 'only-if-cached was asked for and nothing is stored.'),
  content_blocked: row(400, false, 'A guardrail refused the content.'),
  // What the provider did
  upstream_rejected: row(400, false, 'The provider refused the request.'),
  upstream_not_found: row(404, false, 'The provider does not know the model.'),
  upstream_unprocessable: row(422, false, 'The provider could not process the request.'),
  upstream_too_large: row(413, false, 'The provider found the request too large.'),
  upstream_rate_limited: row(429, true, 'The provider limits the rate.'),
  upstream_quota_exhausted: row(429, false, 'The quota at the provider is used up.'),
  upstream_credentials: row(502, false, 'The provider refused the gateway’s credentials.'),
  upstream_failed: row(502, true, 'The provider failed.'),
  upstream_unavailable: row(503, true, 'The provider is unavailable or overloaded.'),
  upstream_unreachable: row(502, true, 'The provider could not be reached.'),
  upstream_timeout: row(504, true, 'The provider did not answer in time.'),
  upstream_invalid: row(502, true, 'The provider answered with something unreadable.'),
  upstream_truncated: row(502, true, 'The provider’s stream ended before its end.'),
  upstream_too_long: row(502, false, 'The provider’s answer exceeds a limit.'),
  // Ourselves
  client_closed: row(499, false, 'The client left before the answer was complete.'),
  deadline_exceeded: row(504, true, 'The total time for the request is over.'),
  ledger_unavailable: row(503, true, 'The exchange cannot be recorded, so it was refused.'),
  storage_unavailable: row(503, true, 'The database does not answer.'),
  shutting_down: row(503, true, 'This process is shutting down.'),
  internal_error: row(500, true, 'The gateway failed; the log has the details.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface GatewayErrorOptions {
  /** What was wrong, where, and what to do; the catalogue's summary where absent. */
  readonly message?: string;
  /** The field or header at fault, as the client wrote it: `messages[2].role`. */
  readonly field?: string;
  /** The provider's own error code or type, kept because it steers clients. */
  readonly upstreamCode?: string;
  /** The provider's own error type, kept for clients of the same dialect. */
  readonly upstreamType?: string;
  /** Milliseconds until the same request may succeed. */
  readonly retryAfterMs?: number;
  /** Overrides the catalogue where the provider said that trying again is useless. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly field: string | null;
  readonly upstreamCode: string | null;
  readonly upstreamType: string | null;
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    super(options.message ?? ERROR_CATALOGUE[code].summary, { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = ERROR_CATALOGUE[code].status;
    this.retryable = options.retryable ?? ERROR_CATALOGUE[code].retryable;
    this.field = options.field ?? null;
    this.upstreamCode = options.upstreamCode ?? null;
    this.upstreamType = options.upstreamType ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Turns whatever was thrown into a coded error; an unknown one is ours and keeps its cause. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal_error', { cause: thrown });
}

function row(status: number, retryable: boolean, summary: string): ErrorRow {
  return { status, retryable, summary };
}
