/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/openai/stream-decoder.ts';
import type { StreamProblem } from '../../wire/openai/types.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { decodeNamedError } from './decode-error.ts';

/** One event: large enough for an image or sound in base64, small beside a worker's memory. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** All events together, however long the provider goes on. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;

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
  // This wire's chunks are canonical ones; its decoder does not know the core's types.
  return decoder as StreamDecoder;
}

export function toError(problem: StreamProblem, secrets: readonly string[]): GatewayError {
  switch (problem.kind) {
    case 'garbled':
      return invalid(problem.message);
    case 'too_long':
      return new GatewayError('upstream_too_long', { message: problem.message });
    case 'truncated':
      return new GatewayError('upstream_truncated', { message: problem.message });
    case 'error_event':
      return decodeNamedError(problem.error, secrets);
  }
}
