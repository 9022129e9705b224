/** Stored answers as answers again: the very bytes, in pieces that end where events do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerOf } from '../../../src/gateway/caching/replay.ts';
import type { StreamFrame } from '../../../src/gateway/model/answer.ts';
import { entryAt } from '../../contract/cache-store.suite.ts';

const NEVER = new AbortController().signal;
const DONE = Buffer.from('data: [DONE]\n\n');

async function replayed(text: string, signal = NEVER): Promise<StreamFrame[]> {
  const answer = answerOf(entryAt(0, text, { terminal: DONE, contentType: '' }), signal);
  assert.equal(answer.kind, 'stream');
  const frames: StreamFrame[] = [];
  for await (const frame of (answer as Extract<typeof answer, { kind: 'stream' }>).frames) {
    frames.push(frame);
  }
  return frames;
}

test('a plain answer is the bytes, the usage and the reasons that were stored', () => {
  const entry = entryAt(0, '{"a":1}');

  assert.deepEqual(answerOf(entry, NEVER), {
    kind: 'plain',
    dialect: 'openai',
    contentType: 'application/json',
    bytes: entry.bytes,
    body: null,
    usage: entry.usage,
    finishReasons: ['stop'],
  });
});

test('a short stream is one frame with its end marker, usage and reasons', async () => {
  const frames = await replayed('data: 1\n\ndata: 2\n\n');

  assert.equal(frames.length, 1);
  assert.equal(frames[0]?.bytes.toString(), 'data: 1\n\ndata: 2\n\n');
  assert.deepEqual(frames[0]?.terminal, DONE);
  assert.equal(frames[0]?.usage?.inputTokens, 5);
  assert.deepEqual(frames[0]?.finishReasons, ['stop']);
});

test('a stream of an end marker alone is one frame', async () => {
  const frames = await replayed('');

  assert.equal(frames.length, 1);
  assert.deepEqual(frames[0]?.terminal, DONE);
});

test('a long stream comes in pieces that end where events do, LF or CRLF', async () => {
  for (const blank of ['\n\n', '\r\n\r\n']) {
    const event = `data: ${'x'.repeat(1000)}${blank}`;

    const frames = await replayed(event.repeat(300));

    assert.ok(frames.length >= 4 && frames.length <= 6, `${frames.length} pieces`);
    for (const { bytes } of frames) {
      assert.ok(bytes.length <= 65_536);
      assert.ok(bytes.toString().endsWith(blank));
    }
    assert.deepEqual(
      frames.map(({ terminal }) => terminal !== null),
      frames.map((_, index) => index === frames.length - 1),
    );
  }
});

test('an event longer than a piece is not cut', async () => {
  const long = `data: ${'x'.repeat(100_000)}\n\n`;

  const frames = await replayed(`data: 1\n\n${long}data: 2\n\n`);

  assert.deepEqual(
    frames.map(({ bytes }) => bytes.length),
    [9, long.length, 9],
  );
});

test('what has no blank lines comes as one piece', async () => {
  const frames = await replayed(`[${'1,\r\n'.repeat(50_000)}2`);

  assert.equal(frames.length, 1);
});

test('a client that left ends the replay with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('left');
  abort.abort(reason);

  await assert.rejects(replayed('data: 1\n\n', abort.signal), reason);
});

test('whatever was stored, the pieces joined are it, and only the last has the end', async () => {
  const text = fc
    .array(fc.tuple(fc.nat(70_000), fc.constantFrom('\n\n', '\r\n\r\n', '\n', '')), {
      maxLength: 8,
    })
    .map((parts) => parts.map(([size, end]) => 'y'.repeat(size) + end).join(''));
  await fc.assert(
    fc.asyncProperty(text, async (stored) => {
      const frames = await replayed(stored);

      assert.equal(frames.map(({ bytes }) => bytes.toString()).join(''), stored);
      assert.equal(frames.filter(({ terminal }) => terminal !== null).length, 1);
      assert.notEqual(frames.at(-1)?.terminal, null);
    }),
    { numRuns: 60 },
  );
});
