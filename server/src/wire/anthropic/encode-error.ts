/**
 * A failure as Anthropic's clients expect it, in a body and as the event that ends a stream:
 * `{"type":"error","error":{"type","message","details"},"request_id"}`.
 *
 * The SDK picks its exception by status; callers steer by `type` and `details.error_code`. A
 * type or code that came from the provider is kept where this dialect has room for it.
 */
import type { Failure } from '../failure.ts';

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const TYPES: ReadonlySet<string> = new Set([
  ...Object.values(TYPE_BY_STATUS),
  'api_error',
  'invalid_request_error',
]);

export function encodeError(failure: Failure, requestId: string): Buffer {
  return Buffer.from(errorText(failure, requestId));
}

/** A complete event; the SDKs throw on it, which a bare end of the stream would not make them. */
export function encodeErrorFrame(failure: Failure, requestId: string): Buffer {
  return Buffer.from(`event: error\ndata: ${errorText(failure, requestId)}\n\n`);
}

function errorText(failure: Failure, requestId: string): string {
  const { field } = failure;
  return JSON.stringify({
    type: 'error',
    error: {
      type: errorType(failure),
      message: failure.message,
      details: {
        error_code: errorCode(failure),
        ...(field === null ? {} : { field }),
      },
    },
    request_id: requestId,
  });
}

/** Clients that keep a conversation at the vendor go on without that when they read this code. */
function errorCode({ code, field, upstreamCode }: Failure): string {
  const isThread = code === 'field_not_supported' && field === 'thread';
  return upstreamCode ?? (isThread ? 'thread_unsupported_request' : code);
}

/** The status decides, where the dialect has one type for it. */
function errorType({ status, upstreamType }: Failure): string {
  const type = TYPE_BY_STATUS[status];
  if (type !== undefined) return type;
  if (upstreamType !== null && TYPES.has(upstreamType)) return upstreamType;
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
