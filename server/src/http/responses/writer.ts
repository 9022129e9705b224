/**
 * How the Responses dialect says that something went wrong: in a body as all of OpenAI's
 * endpoints do, inside a stream with an event of its own.
 */
import { encodeError } from '../../wire/openai/encode-error.ts';
import { encodeErrorEvent } from '../../wire/responses/encode-error.ts';
import type { DialectWriter } from '../endpoint.ts';

export const responsesWriter: DialectWriter = {
  dialect: 'responses',
  error: encodeError,
  errorFrame: (error, _requestId, sequence) => encodeErrorEvent(error, sequence),
  comment: (_request, text) => Buffer.from(`: ${text}\n\n`),
  streamContentType: () => 'text/event-stream; charset=utf-8',
};
