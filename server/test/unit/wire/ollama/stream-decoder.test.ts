/**
 * Goal: the outcome of a stream does not depend on how its bytes come. Method: recorded streams
 * cut anywhere, byte by byte, with other line ends, and with blank lines between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createStreamDecoder } from '../../../../src/wire/ollama/stream-decoder.ts';
import { recorded } from '../../../support/recorded.ts';

const STREAMS = ['chat.ndjson', 'chat-tools.ndjson'].map(recorded('ollama', 'ollama-0.6.4'));

function read(pieces: readonly Buffer[]) {
  const decoder = createStreamDecoder({
    operation: 'chat',
    maxLineBytes: 10_000,
    maxStreamBytes: 100_000,
    fail: ({ kind }) => new Error(kind),
  });
  const frames = [...pieces.map((piece) => decoder.push(piece)), decoder.end()].filter(
    (frame) => frame !== null,
  );
  assert.deepEqual(
    frames.map(({ isLast }) => isLast),
    frames.map((_, index) => index === frames.length - 1),
  );
  return {
    chunks: frames.flatMap(({ chunks }) => chunks),
    usage: frames.findLast(({ usage }) => usage !== null)?.usage,
    reasons: frames.flatMap(({ finishReasons }) => finishReasons),
    characters: frames.reduce((sum, frame) => sum + frame.producedCharacters, 0),
  };
}

test('a stream cut anywhere gives the same chunks', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STREAMS),
      fc.array(fc.nat({ max: 2000 }), { maxLength: 12 }),
      (bytes, cuts) => {
        const points = [0, ...cuts.map((at) => at % bytes.length).sort((a, b) => a - b)];
        const pieces = points.map((at, index) => bytes.subarray(at, points[index + 1]));
        assert.deepEqual(read(pieces), read([bytes]));
      },
    ),
  );
});

test('a stream in single bytes gives the same chunks', () => {
  for (const bytes of STREAMS) {
    const single = [...bytes].map((byte) => Buffer.of(byte));
    assert.deepEqual(read(single), read([bytes]));
  }
});

test('blank lines and what follows the last line do not count', () => {
  const [bytes = Buffer.alloc(0)] = STREAMS;
  const spaced = Buffer.from(`\n${bytes.toString().replaceAll('\n', '\n\n')}garbage\n`);

  assert.deepEqual(read([spaced]).chunks, read([bytes]).chunks);
});

test('a stream or a line beyond its bound is refused, however it comes', () => {
  const line = Buffer.from(`{"x":"${'y'.repeat(9_000)}`);

  assert.throws(() => read([line, line]), { message: 'too_long' });
  const many = Array.from({ length: 12 }, () => Buffer.from(`${' '.repeat(9_000)}\n`));
  assert.throws(() => read(many), { message: 'too_long' });
});
