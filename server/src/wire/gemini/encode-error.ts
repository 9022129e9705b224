/**
 * A failure as Google's clients expect it: `{"error":{code,message,status,details}}` in a body,
 * as the event that ends a stream, or as the item that ends a list.
 *
 * The SDK throws its `ApiError` with `code` as the status; an `ErrorInfo` names our code, and a
 * `RetryInfo` says how long to wait, as Google's own answers do.
 */

import type { JsonObject } from '../../kernel/json.ts';
import type { Failure } from '../failure.ts';
import type { Framing } from './types.ts';

interface TimedFailure extends Failure {
  readonly retryAfterMs: number | null;
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};

export function encodeError(failure: TimedFailure, requestId: string): Buffer {
  return Buffer.from(errorText(failure, requestId));
}

/** Ends a stream whose head was sent; behind at least one item where the framing is a list. */
export function encodeErrorFrame(
  framing: Framing,
  failure: TimedFailure,
  requestId: string,
): Buffer {
  const text = errorText(failure, requestId);
  return Buffer.from(framing === 'events' ? `data: ${text}\n\n` : `,\n${text}\n]\n`);
}

function errorText(failure: TimedFailure, requestId: string): string {
  const { status, message } = failure;
  return JSON.stringify({
    error: {
      code: status,
      message,
      status: ownWord(failure) ?? STATUS_WORDS[status] ?? (status >= 500 ? 'INTERNAL' : 'UNKNOWN'),
      details: detailsOf(failure, requestId),
    },
  });
}

/** Google's own word for what its API refused, kept because clients steer by it. */
function ownWord({ upstreamType }: Failure): string | null {
  return upstreamType !== null && /^[A-Z][A-Z_]{1,63}$/.test(upstreamType) ? upstreamType : null;
}

function detailsOf(failure: TimedFailure, requestId: string): readonly JsonObject[] {
  const { code, upstreamCode, field, retryAfterMs } = failure;
  const details: JsonObject[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: (upstreamCode ?? code).toUpperCase(),
      domain: 'esclusa',
      metadata: { code, ...(field === null ? {} : { field }) },
    },
    { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId },
  ];
  if (retryAfterMs !== null) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: `${Math.ceil(retryAfterMs) / 1000}s`,
    });
  }
  return details;
}
