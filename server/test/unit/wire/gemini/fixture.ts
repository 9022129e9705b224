/**
 * The recorded bodies and streams of `test/fixtures/gemini`, and what tests do with streams.
 */
import { readFileSync } from 'node:fs';
import {
  createStreamDecoder,
  type StreamDecoderOptions,
} from '../../../../src/wire/gemini/stream-decoder.ts';
import { Failure, outcomeOf } from '../streams.ts';

const VERSION = 'genai-3.1.0';

/** `chat.sse` stands for `chat.genai-3.1.0.sse`. */
export function geminiFixture(name: string): Buffer {
  const file = name.replace('.', `.${VERSION}.`);
  return readFileSync(new URL(`../../../fixtures/gemini/${file}`, import.meta.url));
}

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
    maxEventBytes: 100_000,
    maxStreamBytes: 1_000_000,
    fail: (problem) => new Failure(problem),
    ...options,
  });
}

export function decode(pieces: readonly Buffer[], options: Partial<StreamDecoderOptions> = {}) {
  return outcomeOf(decoder(options), pieces);
}
