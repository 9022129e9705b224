/**
 * How the OpenAI dialect says that something went wrong, in a body and inside a stream.
 */
import { encodeError, encodeErrorFrame } from '../../wire/openai/encode-error.ts';
import type { DialectWriter } from '../endpoint.ts';

export const openaiWriter: DialectWriter = {
  dialect: 'openai',
  error: encodeError,
  errorFrame: encodeErrorFrame,
  comment: (_request, text) => Buffer.from(`: ${text}\n\n`),
  streamContentType: () => 'text/event-stream; charset=utf-8',
};
