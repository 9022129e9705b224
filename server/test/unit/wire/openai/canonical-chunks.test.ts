/**
 * Goal: a client of another dialect gets every event of a stream, and no bytes of this wire.
 * Method: recorded streams, whole and cut anywhere, against the events that stand in them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { createStreamDecoder } from '../../../../src/wire/openai/stream-decoder.ts';
import { openaiFixture } from '../../../support/openai-fixtures.ts';

const FIXTURES = [
  'chat.sse',
  'chat-tools.sse',
  'chat-two-choices.sse',
  'chat-crlf.sse',
  'chat-no-marker.sse',
  'chat-reasoning.sse',
  'chat-filter-results.sse',
];

function read(pieces: readonly Buffer[]) {
  const decoder = createStreamDecoder({
    forwardUsage: false,
    asChunks: true,
    maxEventBytes: 100_000,
    maxStreamBytes: 1_000_000,
    fail: ({ kind }) => new Error(kind),
  });
  const frames = [...pieces.map((piece) => decoder.push(piece)), decoder.end()].filter(
    (frame) => frame !== null,
  );
  assert.ok(frames.every(({ bytes }) => bytes.length === 0));
  assert.deepEqual(
    frames.map(({ terminal }) => terminal !== null),
    frames.map((_, index) => index === frames.length - 1),
  );
  return {
    chunks: frames.flatMap(({ chunks }) => chunks ?? []),
    usage: frames.findLast(({ usage }) => usage !== null)?.usage ?? null,
    reasons: frames.flatMap(({ finishReasons }) => finishReasons),
    characters: frames.reduce((sum, frame) => sum + frame.producedCharacters, 0),
  };
}

function eventsOf(bytes: Buffer): JsonObject[] {
  return bytes
    .toString()
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)))
    .filter(({ choices, usage }) => usage != null || choices.length > 0);
}

test('the chunks are the events, those without choices or usage left out', () => {
  for (const name of FIXTURES) {
    const bytes = openaiFixture(name);
    const { chunks } = read([bytes]);
    assert.ok(chunks.length > 1, name);
    assert.deepEqual(chunks, eventsOf(bytes), name);
  }
});

test('a stream cut anywhere gives the same chunks, usage and reasons', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...FIXTURES),
      fc.array(fc.nat({ max: 4000 }), { maxLength: 12 }),
      (name, cuts) => {
        const bytes = openaiFixture(name);
        const points = [0, ...cuts.map((at) => at % bytes.length).sort((a, b) => a - b)];
        const pieces = points.map((at, index) => bytes.subarray(at, points[index + 1]));
        assert.deepEqual(read(pieces), read([bytes]));
      },
    ),
  );
});

test('reasoning under a vendor’s own name is reasoning', () => {
  const event = { id: 'c', choices: [{ index: 0, delta: { reasoning: 'so', content: '' } }] };
  const end = { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
  const text = `: waiting\n\ndata: ${JSON.stringify(event)}\n\ndata: ${JSON.stringify(end)}\n\n`;

  const { chunks } = read([Buffer.from(text)]);

  assert.deepEqual(chunks, [
    { id: 'c', choices: [{ index: 0, delta: { content: '', reasoning_content: 'so' } }] },
    end,
  ]);
});
