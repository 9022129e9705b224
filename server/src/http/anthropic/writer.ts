/**
 * How the Anthropic dialect says that something went wrong, in a body and inside a stream.
 */
import { encodeError, encodeErrorFrame } from '../../wire/anthropic/encode-error.ts';
import type { DialectWriter } from '../endpoint.ts';

export const anthropicWriter: DialectWriter = {
  dialect: 'anthropic',
  requestIdHeader: 'request-id',
  error: encodeError,
  errorFrame: encodeErrorFrame,
  comment: (_request, text) => Buffer.from(`: ${text}\n\n`),
  streamContentType: () => 'text/event-stream; charset=utf-8',
};
