/**
 * The provider that speaks Anthropic's wire. A client of the same dialect has its bytes passed
 * on; any other request is encoded from the canonical form, and its answer decoded to it.
 *
 * Pure: it translates and classifies, and keeps nothing between calls but its own headers.
 */
import type { ProviderAdapter } from '../../gateway/ports/provider.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeError } from './decode-error.ts';
import { encodeProbe, encodeRequest } from './encode-request.ts';
import type { AnthropicConnection } from './settings.ts';
import { openStream } from './stream.ts';
import { WIRE } from './wire.ts';

export function createAnthropicAdapter(connection: AnthropicConnection): ProviderAdapter {
  const secrets = [connection.apiKey ?? '', ...Object.values(connection.headers)];
  return {
    dialect: WIRE,
    countsTokens: true,
    encode: (call) => encodeRequest(connection, call),
    decodeAnswer: (call, head, bytes) => decodeAnswer(connection, call, head, bytes, secrets),
    createStreamDecoder: (call, head) => openStream(connection, call, head, secrets),
    probe: () => encodeProbe(connection),
    decodeError: (head, bytes) => decodeError(head, bytes, secrets),
  };
}
