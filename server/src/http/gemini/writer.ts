/**
 * How the Gemini dialect says that something went wrong, in a body and inside a stream. Streams
 * come in two framings, and each has its writer.
 */
import { encodeError, encodeErrorFrame } from '../../wire/gemini/encode-error.ts';
import type { Framing } from '../../wire/gemini/types.ts';
import type { DialectWriter } from '../endpoint.ts';

const NOTHING = Buffer.alloc(0);

export const geminiWriter: DialectWriter = writer('events');

/** For clients that read a stream as the items of one JSON list, which has no comments. */
export const geminiListWriter: DialectWriter = writer('list');

function writer(framing: Framing): DialectWriter {
  const isList = framing === 'list';
  return {
    dialect: 'gemini',
    error: encodeError,
    errorFrame: (error, requestId) => encodeErrorFrame(framing, error, requestId),
    comment: (_request, text) => (isList ? NOTHING : Buffer.from(`: ${text}\n\n`)),
    streamContentType: () =>
      isList ? 'application/json; charset=utf-8' : 'text/event-stream; charset=utf-8',
  };
}
