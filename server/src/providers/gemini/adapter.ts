/**
 * The provider that speaks Gemini's wire. Clients of the same dialect have their bytes passed
 * through, for the model stands in the path; all others are translated from and to the
 * canonical form.
 *
 * Pure: it translates and classifies, and keeps nothing between calls but its own headers.
 */
import type { ProviderAdapter } from '../../gateway/ports/provider.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeError } from './decode-error.ts';
import { encodeProbe, encodeRequest, requestHeaders } from './encode-request.ts';
import type { GeminiConnection } from './settings.ts';
import { openStream } from './stream.ts';

export function createGeminiAdapter(connection: GeminiConnection): ProviderAdapter {
  const headers = requestHeaders(connection);
  const secrets = [connection.apiKey ?? '', ...Object.values(connection.headers)];
  return {
    dialect: 'gemini',
    countsTokens: true,
    encode: (call) => encodeRequest(headers, call),
    decodeAnswer: (call, head, bytes) => decodeAnswer(call, head, bytes, secrets),
    createStreamDecoder: (call, head) => openStream(call, head, secrets),
    probe: () => encodeProbe(headers),
    decodeError: (head, bytes) => decodeError(head, bytes, secrets),
  };
}
