/**
 * Goal: a stream of responses passes byte for byte while its usage, end and errors are noticed,
 * however its bytes are cut. Method: streams of the documented shapes, whole and cut at random
 * places; expected values are worked out by hand from the fixtures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createStreamDecoder,
  type ResponsesFrame,
} from '../../../../src/wire/responses/stream-decoder.ts';
import { cutAt, cutPoints, openaiFixture } from '../../../support/openai-fixtures.ts';
import { Failure, LIMITS } from '../streams.ts';

const WHOLE = openaiFixture('response.openai-7.55.0.sse');
const FAILED = openaiFixture('response-failed.openai-7.55.0.sse');
const END = WHOLE.indexOf('event: response.completed');

function decode(chunks: readonly Buffer[], limits: { maxEventBytes?: number } = {}) {
  const stream = createStreamDecoder({ ...LIMITS, ...limits });
  const frames: ResponsesFrame[] = [];
  for (const chunk of chunks) {
    const frame = stream.push(chunk);
    if (frame !== null) frames.push(frame);
    if (frame?.failure !== undefined) return frames;
  }
  const last = stream.end();
  return last === null ? frames : [...frames, last];
}

function bytesOf(frames: readonly ResponsesFrame[]): string {
  return Buffer.concat(frames.map(({ bytes }) => bytes)).toString();
}

test('any cutting of a stream gives the same bytes, end, usage and numbers', () => {
  fc.assert(
    fc.property(cutPoints(WHOLE.length), (points) => {
      const frames = decode(cutAt(WHOLE, points));
      const last = frames.at(-1);

      assert.equal(bytesOf(frames), WHOLE.toString('utf8', 0, END));
      assert.equal(last?.terminal?.toString(), WHOLE.toString('utf8', END));
      assert.deepEqual(last?.usage, {
        inputTokens: 328,
        cachedInputTokens: 128,
        outputTokens: 56,
        reasoningTokens: 20,
        source: 'provider',
      });
      assert.deepEqual(last?.finishReasons, ['tool_calls']);
      assert.equal(last?.sequence, 26);
      // “Looking it up.”, “Sunny in Madrid.”, and 49 characters of arguments
      const characters = frames.reduce((sum, frame) => sum + frame.producedCharacters, 0);
      assert.equal(characters, 14 + 16 + 49);
    }),
  );
});

test('any cutting of a stream that failed forwards all of it, and then fails', () => {
  fc.assert(
    fc.property(cutPoints(FAILED.length), (points) => {
      const frames = decode(cutAt(FAILED, points));
      const { failure } = frames.at(-1) ?? {};

      assert.equal(bytesOf(frames), FAILED.toString());
      assert.ok(failure instanceof Failure && failure.problem.kind === 'error_event');
      assert.equal(failure.problem.error.code, 'server_error');
    }),
  );
});

test('any stream that ends before its last event is cut short', () => {
  fc.assert(
    fc.property(fc.nat({ max: WHOLE.length - 3 }), (length) => {
      assert.throws(
        () => decode([WHOLE.subarray(0, length)]),
        (error) => error instanceof Failure && error.problem.kind === 'truncated',
      );
    }),
  );
});

test('a last event without its blank line is given one', () => {
  const frames = decode([WHOLE.subarray(0, WHOLE.length - 1)]);

  assert.equal(frames.at(-1)?.terminal?.toString(), WHOLE.toString('utf8', END));
});

test('an event beyond the limit ends the stream as too long', () => {
  assert.throws(
    () => decode([WHOLE], { maxEventBytes: 1000 }),
    (error) => error instanceof Failure && error.problem.kind === 'too_long',
  );
});
