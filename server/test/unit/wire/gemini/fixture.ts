/**
 * The recorded bodies and streams of `test/fixtures/gemini`, and what tests do with streams.
 */
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
