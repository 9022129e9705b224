/**
 * The provider that speaks OpenAI's wire: OpenAI itself and every compatible vendor. What a
 * vendor does differently is a named capability of its connection, never a name that is asked
 * for here.
 *
 * Pure: it translates and classifies, and keeps nothing between calls but its own headers.
 */
import type { ProviderAdapter } from '../../gateway/ports/provider.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeError } from './decode-error.ts';
import { encodeProbe, encodeRequest, requestHeaders } from './encode-request.ts';
import { decodeResponse, openResponseStream, passesThrough, RESPONSES_WIRE } from './responses.ts';
import type { OpenaiConnection } from './settings.ts';
import { openStream } from './stream.ts';

export function createOpenaiAdapter(connection: OpenaiConnection): ProviderAdapter {
  const headers = requestHeaders(connection);
  const secrets = [connection.apiKey ?? '', ...Object.values(connection.headers)];
  return {
    dialect: 'openai',
    encode: (call) => encodeRequest(connection, headers, call),
    wireOf: (request) => (passesThrough(connection, request) ? RESPONSES_WIRE : 'openai'),
    decodeAnswer: (call, head, bytes) =>
      passesThrough(connection, call.request)
        ? decodeResponse(head, bytes, secrets)
        : decodeAnswer(call, head, bytes, secrets),
    createStreamDecoder: (call, head) =>
      passesThrough(connection, call.request)
        ? openResponseStream(head, secrets)
        : openStream(call, head, secrets),
    probe: () => encodeProbe(connection, headers),
    decodeError: (head, bytes) => decodeError(head, bytes, secrets),
  };
}
