/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { GatewayError } from '../../gateway/model/errors.ts';
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/openai/stream-decoder.ts';
import type { StreamProblem } from '../../wire/openai/types.ts';
import { requireHead } from '../answer-head.ts';
import { asStreamDecoder, MAX_STREAM_BYTES, streamError } from '../answer-stream.ts';
import { decodeNamedError } from './decode-error.ts';

/** One event: large enough for an image or sound in base64, small beside a worker's memory. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

export function openStream(
  call: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireHead(head, /^text\/event-stream\b/i, 'an event stream');
  const decoder = createStreamDecoder({
    forwardUsage: call.request.includeUsage,
    asChunks: call.request.dialect !== 'openai',
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: (problem) => toError(problem, secrets),
  });
  return asStreamDecoder(decoder);
}

/** Of both of this wire's streams. */
export function toError(problem: StreamProblem, secrets: readonly string[]): GatewayError {
  return problem.kind === 'error_event'
    ? decodeNamedError(problem.error, secrets)
    : streamError(problem);
}
