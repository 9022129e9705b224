/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/gemini/stream-decoder.ts';
import { requireEvents } from '../answer-head.ts';
import { asStreamDecoder, failWith, MAX_STREAM_BYTES } from '../answer-stream.ts';
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
  requireEvents(head);
  const { request } = call;
  const passes = request.dialect === GEMINI_KIND;
  const decoder = createStreamDecoder({
    chunks: passes ? null : answerContext(call, head, request.bytes),
    framing: request.foreign?.framing ?? 'events',
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: failWith(decodeNamedError, secrets),
  });
  return asStreamDecoder(decoder);
}
