/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/anthropic/stream-decoder.ts';
import { requireEvents } from '../answer-head.ts';
import { asStreamDecoder, failWith, MAX_STREAM_BYTES } from '../answer-stream.ts';
import { decodeNamedError } from './decode-error.ts';
import type { AnthropicConnection } from './settings.ts';
import { factsOf, passesThrough } from './wire.ts';

/** One event: a whole block of thoughts at most. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

export function openStream(
  connection: AnthropicConnection,
  call: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireEvents(head);
  const decoder = createStreamDecoder({
    translate: passesThrough(call.request) ? null : factsOf(connection, call, head),
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: failWith(decodeNamedError, secrets),
  });
  return asStreamDecoder(decoder);
}
