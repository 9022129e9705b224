/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { StreamFrame } from '../../gateway/model/answer.ts';
import type { CanonicalChunk } from '../../gateway/model/canonical.ts';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/anthropic/stream-decoder.ts';
import type { DecodedFrame, StreamProblem } from '../../wire/anthropic/types.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { decodeNamedError } from './decode-error.ts';
import type { AnthropicConnection } from './settings.ts';
import { factsOf, passesThrough } from './wire.ts';

/** One event: a whole block of thoughts at most. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** All events together, however long the provider goes on. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;

export function openStream(
  connection: AnthropicConnection,
  call: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireHead(head, /^text\/event-stream\b/i, 'an event stream');
  const decoder = createStreamDecoder({
    translate: passesThrough(call.request) ? null : factsOf(connection, call, head),
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: (problem) => toError(problem, secrets),
  });
  return {
    push: (chunk) => toFrame(decoder.push(chunk)),
    end: () => toFrame(decoder.end()),
  };
}

function toFrame(decoded: DecodedFrame | null): StreamFrame | null {
  if (decoded?.chunks === undefined) return decoded as StreamFrame | null;
  // The wire's decoder makes chunks of this form; it does not know the core's types.
  return { ...decoded, chunks: decoded.chunks as unknown as readonly CanonicalChunk[] };
}

function toError(problem: StreamProblem, secrets: readonly string[]): GatewayError {
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
