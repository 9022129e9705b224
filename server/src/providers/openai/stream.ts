/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/openai/stream-decoder.ts';
import { requireEvents } from '../answer-head.ts';
import { asStreamDecoder, failWith, MAX_STREAM_BYTES } from '../answer-stream.ts';
import { decodeNamedError } from './decode-error.ts';

/** One event: large enough for an image or sound in base64, small beside a worker's memory. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

export function openStream(
  call: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireEvents(head);
  const decoder = createStreamDecoder({
    forwardUsage: call.request.includeUsage,
    asChunks: call.request.dialect !== 'openai',
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: failWith(decodeNamedError, secrets),
  });
  return asStreamDecoder(decoder);
}
