/**
 * The provider that speaks Ollama's own API, which no client speaks: requests are always encoded
 * from the canonical form, and answers decoded to it.
 *
 * Pure: it translates and classifies, and keeps nothing between calls but its own headers.
 */
import type { ProviderAdapter } from '../../gateway/ports/provider.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeError } from './decode-error.ts';
import { encodeProbe, encodeRequest, requestHeaders } from './encode-request.ts';
import type { OllamaConnection } from './settings.ts';
import { openStream } from './stream.ts';

export function createOllamaAdapter(connection: OllamaConnection): ProviderAdapter {
  const headers = requestHeaders(connection);
  const secrets = [connection.apiKey ?? '', ...Object.values(connection.headers)];
  return {
    dialect: 'native',
    encode: (call) => encodeRequest(connection, headers, call),
    decodeAnswer: (call, head, bytes) => decodeAnswer(call, head, bytes, secrets),
    createStreamDecoder: (call, head) => openStream(call, head, secrets),
    probe: () => encodeProbe(headers),
    decodeError: (head, bytes) => decodeError(head, bytes, secrets),
  };
}
