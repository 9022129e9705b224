/**
 * A failure as OpenAI's clients expect it, in a body and as the event that ends a stream:
 * `{"error":{"message","type","param","code","request_id"}}`.
 *
 * The SDK picks its exception by status and code, and callers steer by `code`; a code or type
 * that came from the provider is therefore kept, ours stands where there is none.
 */
import type { Failure } from '../failure.ts';

export function encodeError(failure: Failure, requestId: string): Buffer {
  return Buffer.from(errorText(failure, requestId));
}

/** A complete event; the SDKs throw on it, which a bare end of the stream would not make them. */
export function encodeErrorFrame(failure: Failure, requestId: string): Buffer {
  return Buffer.from(`data: ${errorText(failure, requestId)}\n\n`);
}

function errorText(failure: Failure, requestId: string): string {
  return JSON.stringify({
    error: {
      message: failure.message,
      type: failure.upstreamType ?? errorType(failure),
      param: failure.field,
      code: failure.upstreamCode ?? failure.code,
      request_id: requestId,
    },
  });
}

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

function errorType(failure: Failure): string {
  if (failure.code === 'upstream_quota_exhausted') return 'insufficient_quota';
  if (failure.status >= 500) return 'server_error';
  return TYPE_BY_STATUS[failure.status] ?? 'invalid_request_error';
}
