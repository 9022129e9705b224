/**
 * Reads a streamed answer: the wire's decoder does the work, this file gives it its bounds and
 * turns what it finds wrong into coded errors.
 */
import type { StreamFrame } from '../../gateway/model/answer.ts';
import type { CanonicalChunk } from '../../gateway/model/canonical.ts';
import type { ProviderCall, ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { createStreamDecoder } from '../../wire/ollama/stream-decoder.ts';
import type { DecodedFrame } from '../../wire/ollama/types.ts';
import { requireHead } from '../answer-head.ts';
import { MAX_STREAM_BYTES, streamError } from '../answer-stream.ts';
import { decodeErrorText } from './decode-error.ts';

/** One line: a whole tool call at most. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const NO_BYTES = Buffer.alloc(0);

export function openStream(
  { request }: ProviderCall,
  head: ResponseHead,
  secrets: readonly string[],
): StreamDecoder {
  requireHead(head, /^application\/(?:x-)?(?:ndjson|jsonl)\b/i, 'lines of JSON');
  const decoder = createStreamDecoder({
    operation: request.operation === 'completion' ? 'completion' : 'chat',
    maxLineBytes: MAX_LINE_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: (problem) =>
      problem.kind === 'error_line' ? decodeErrorText(problem.text, secrets) : streamError(problem),
  });
  return {
    push: (chunk) => toFrame(decoder.push(chunk)),
    end: () => toFrame(decoder.end()),
  };
}

function toFrame(decoded: DecodedFrame | null): StreamFrame | null {
  if (decoded === null) return null;
  const { isLast, chunks, ...facts } = decoded;
  return {
    ...facts,
    bytes: NO_BYTES,
    terminal: isLast ? NO_BYTES : null,
    // The wire's decoder makes chunks of this form; it does not know the core's types.
    chunks: chunks as unknown as readonly CanonicalChunk[],
  };
}
