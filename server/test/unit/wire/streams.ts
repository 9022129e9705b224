/**
 * What tests of stream decoders share: a failure that keeps what was found wrong, and all that a
 * stream told, put together.
 */
import assert from 'node:assert/strict';

/** Bounds that no recording comes near, and the failure that keeps what was found wrong. */
export const LIMITS = {
  maxEventBytes: 100_000,
  maxStreamBytes: 1_000_000,
  fail: <P extends { readonly kind: string }>(problem: P) => new Failure(problem),
};

export class Failure<P extends { readonly kind: string }> extends Error {
  readonly problem: P;

  constructor(problem: P) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** What a decoder complains of. */
export function problemOf<P extends { readonly kind: string }>(run: () => unknown): P {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.problem as P;
  }
  assert.fail('nothing was thrown');
}

interface Frame<C, U> {
  readonly bytes: Buffer;
  readonly terminal: Buffer | null;
  readonly chunks?: readonly C[];
  readonly producedCharacters: number;
  readonly usage: U | null;
  readonly finishReasons: readonly string[];
}

interface Decoder<C, U> {
  push(bytes: Buffer): Frame<C, U> | null;
  end(): Frame<C, U> | null;
}

export interface Outcome<C, U> {
  readonly text: string;
  readonly terminal: string | null;
  readonly chunks: readonly C[];
  readonly characters: number;
  readonly usage: U | null;
  readonly finishReasons: readonly string[];
}

/** Reads the pieces to the stream's end. */
export function outcomeOf<C, U>(stream: Decoder<C, U>, pieces: readonly Buffer[]): Outcome<C, U> {
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
