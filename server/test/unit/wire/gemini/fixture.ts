/**
 * The recorded bodies and streams of `test/fixtures/gemini`, and what tests do with streams.
 */
import { readFileSync } from 'node:fs';
import {
  createStreamDecoder,
  type DecodedFrame,
  type StreamDecoderOptions,
} from '../../../../src/wire/gemini/stream-decoder.ts';
import type { Chunk, StreamProblem } from '../../../../src/wire/gemini/types.ts';

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

export class Failure extends Error {
  readonly problem: StreamProblem;

  constructor(problem: StreamProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

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

export interface Outcome {
  readonly text: string;
  readonly terminal: string | null;
  readonly chunks: readonly Chunk[];
  readonly characters: number;
  readonly usage: DecodedFrame['usage'];
  readonly finishReasons: readonly string[];
}

export function decode(
  pieces: readonly Buffer[],
  options: Partial<StreamDecoderOptions> = {},
): Outcome {
  const stream = decoder(options);
  const frames = [...pieces.map((piece) => stream.push(piece)), stream.end()].filter(
    (frame) => frame !== null,
  );
  return {
    text: Buffer.concat(frames.map(({ bytes }) => bytes)).toString('utf8'),
    terminal: frames.at(-1)?.terminal?.toString() ?? null,
    chunks: frames.flatMap((frame) => frame.chunks ?? []),
    characters: frames.reduce((sum, frame) => sum + frame.producedCharacters, 0),
    usage: frames.findLast(({ usage }) => usage !== null)?.usage ?? null,
    finishReasons: frames.flatMap(({ finishReasons }) => finishReasons),
  };
}
