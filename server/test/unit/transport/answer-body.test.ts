/**
 * Goal: what waits for a slow reader is bounded, in order and complete. Method: a source that
 * only records what it is told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { AnswerBody, type BodySource } from '../../../src/transport/answer-body.ts';

function recordingSource(): BodySource & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    pause: () => void told.push('pause'),
    resume: () => void told.push('resume'),
    giveUp: () => void told.push('giveUp'),
    exceed(maxBytes) {
      told.push(`exceed ${maxBytes}`);
      return new GatewayError('upstream_too_long');
    },
  };
}

test('the source is paused once at 128 KiB and resumed when the reader caught up', async () => {
  const source = recordingSource();
  const body = new AnswerBody(source);
  const reading = body[Symbol.asyncIterator]();

  body.push(Buffer.alloc(128 * 1024 - 1));
  assert.deepEqual(source.told, []);
  body.push(Buffer.alloc(1));
  body.push(Buffer.alloc(64 * 1024));
  assert.deepEqual(source.told, ['pause']);
  assert.equal(body.paused, true);
  const step = await reading.next();

  assert.equal(step.value?.length, 192 * 1024);
  assert.deepEqual(source.told, ['pause', 'resume']);
  assert.equal(body.paused, false);
});

test('collecting lifts the pause, because its own limit bounds it', async () => {
  const source = recordingSource();
  const body = new AnswerBody(source);

  body.push(Buffer.alloc(200 * 1024));
  const whole = body.collect(1024 * 1024);
  body.push(Buffer.alloc(200 * 1024));
  body.end();

  assert.deepEqual(source.told, ['pause', 'resume']);
  assert.equal((await whole).length, 400 * 1024);
});

test('a body that is complete before it is read keeps its one piece uncopied', async () => {
  const piece = Buffer.from('whole');
  const body = new AnswerBody(recordingSource());
  body.push(piece);
  body.end();

  assert.equal(await body.collect(5), piece);
});

test('many small pieces come out in order as one', async () => {
  const body = new AnswerBody(recordingSource());
  const texts = Array.from({ length: 1000 }, (_, i) => `${i};`);
  for (const text of texts) body.push(Buffer.from(text));
  body.end();

  const step = await body[Symbol.asyncIterator]().next();

  assert.equal(step.value?.toString(), texts.join(''));
});

test('a failure waits behind what came before it, an abort does not', async () => {
  for (const discard of [false, true]) {
    const body = new AnswerBody(recordingSource());
    const reading = body[Symbol.asyncIterator]();
    body.push(Buffer.from('before'));
    body.fail(new GatewayError('upstream_truncated'), discard);

    if (!discard) assert.equal((await reading.next()).value?.toString(), 'before');
    await assert.rejects(reading.next(), { code: 'upstream_truncated' });
    assert.deepEqual(await reading.next(), { value: undefined, done: true });
  }
});

test('nothing is delivered after the end, a failure or a cancellation', async () => {
  const body = new AnswerBody(recordingSource());
  body.fail(new GatewayError('upstream_timeout'), true);
  body.push(Buffer.from('late'));
  body.end();

  await assert.rejects(body.collect(100), { code: 'upstream_timeout' });
});

test('a body is read once', () => {
  const body = new AnswerBody(recordingSource());
  body[Symbol.asyncIterator]();

  assert.throws(() => body.collect(10), /read once/);
});

test('a body that says it is too long is given up before it is read', async () => {
  const source = recordingSource();
  const body = new AnswerBody(source);
  body.declaredBytes = 101;

  await assert.rejects(body.collect(100), { code: 'upstream_too_long' });

  assert.deepEqual(source.told, ['exceed 100']);
});

test('a body that says its length and keeps to the limit is collected', async () => {
  const body = new AnswerBody(recordingSource());
  body.declaredBytes = 100;
  const whole = body.collect(100);
  body.push(Buffer.alloc(100));
  body.end();

  assert.equal((await whole).length, 100);
});

test('large pieces are given together as they came, however many they are', async () => {
  const body = new AnswerBody(recordingSource());
  const whole = body.collect(64 * 1024 * 1024);
  for (let piece = 0; piece < 600; piece += 1) body.push(Buffer.alloc(16_384, piece % 256));
  body.end();

  const bytes = await whole;
  assert.equal(bytes.length, 600 * 16_384);
  for (let piece = 0; piece < 600; piece += 1) {
    assert.equal(bytes[piece * 16_384], piece % 256);
  }
});
