/**
 * The recorded bodies and streams of `test/fixtures/gemini`, and what tests do with streams.
 */
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { decodeRequest } from '../../../../src/wire/gemini/decode/request.ts';
import {
  createStreamDecoder,
  type StreamDecoderOptions,
} from '../../../../src/wire/gemini/stream-decoder.ts';
import { recorded } from '../../../support/recorded.ts';
import { LIMITS, outcomeOf } from '../streams.ts';

export const geminiFixture = recorded('gemini', 'genai-3.1.0');

export const CONTEXT = {
  model: 'asked-for',
  id: 'made-up',
  oneCall: false,
  createdSeconds: 1_700_000_000,
};

export function decoder(options: Partial<StreamDecoderOptions> = {}) {
  return createStreamDecoder({
    chunks: null,
    framing: 'events',
    ...LIMITS,
    ...options,
  });
}

export function decode(pieces: readonly Buffer[], options: Partial<StreamDecoderOptions> = {}) {
  return outcomeOf(decoder(options), pieces);
}

/** Tests look into whatever was translated. */
export type Json = ReturnType<typeof JSON.parse>;

/** In canonical form, for the model `m`. */
export function decodedRequest(body: Json | string, stream = false) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const parsed = JSON.parse(text) as JsonObject;
  const decoded = decodeRequest({ model: 'm', stream, body: parsed, text: () => text });
  return { ...decoded, body: decoded.body as Json };
}
