/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/gemini/stream-decoder.ts';
import { requireHead } from '../answer-head.ts';
import { asStreamDecoder, MAX_STREAM_BYTES, streamError } from '../answer-stream.ts';
import { answerContext } from './answer-context.ts';
import { decodeNamedError } from './decode-error.ts';
import { GEMINI_KIND } from './settings.ts';

/** One event: large enough for an image in base64, small beside a worker's memory. */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;

export function openStream(
  call: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireHead(head, /^text\/event-stream\b/i, 'an event stream');
  const { request } = call;
  const passes = request.dialect === GEMINI_KIND;
  const decoder = createStreamDecoder({
    chunks: passes ? null : answerContext(call, head, request.bytes),
    framing: request.foreign?.framing ?? 'events',
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: (problem) =>
      problem.kind === 'error_event'
        ? decodeNamedError(problem.error, secrets)
        : streamError(problem),
  });
  return asStreamDecoder(decoder);
}
