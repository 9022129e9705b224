/**
 * Goal: what waits to be exported is bounded, every span is counted as sent or dropped, and a
 * stop waits for so long and no longer. Method: the queue alone, a clock moved by hand, a
 * collector that answers as the test says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Log } from '../../../../src/kernel/log.ts';
import { createSpanQueue, type SendResult } from '../../../../src/telemetry/tracing/span-queue.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

const SENT: SendResult = { kind: 'sent', rejected: 0 };
const AGAIN: SendResult = { kind: 'again', reason: 'the collector answered 503', afterMs: null };
const INTERVAL_MS = 1000;

type Answer = SendResult | 'never';

function setUp(answers: readonly Answer[], maxSpans = 100) {
  const clock = createManualClock();
  const batches: number[][] = [];
  const counts = { sent: 0, queue_full: 0, unreachable: 0, refused: 0, stopped: 0 };
  const told: string[] = [];
  const say = (message: string): void => void told.push(message);
  const log: Log = { debug: say, info: say, warn: say, error: say };
  const queue = createSpanQueue<number>({
    ...{ clock, log, maxSpans, intervalMs: INTERVAL_MS },
    async send(batch, signal) {
      batches.push([...batch]);
      const answer = answers[batches.length - 1] ?? SENT;
      if (answer !== 'never') return answer;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
    },
    sent: (count) => {
      counts.sent += count;
    },
    dropped: (reason, count) => {
      counts[reason] += count;
    },
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let i = 0; i < 5; i += 1) await setImmediate();
  };
  return { queue, batches, counts, told, pass, clock };
}

function spans(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}

test('spans wait for others, and go together', async () => {
  const { queue, batches, pass, counts } = setUp([]);
  queue.add(spans(2));
  queue.add([7]);
  await pass(INTERVAL_MS - 1);
  const early = batches.length;
  await pass(1);

  assert.equal(early, 0);
  assert.deepEqual(batches, [[0, 1, 7]]);
  assert.deepEqual([queue.size(), counts.sent], [0, 3]);
});

test('a full batch does not wait', async () => {
  const { queue, batches, pass } = setUp([], 2000);
  queue.add(spans(600));
  await pass(0);

  assert.equal(batches[0]?.length, 512);
});

test('spans beyond the bound are dropped and counted, those on their way included', async () => {
  const { queue, counts, pass } = setUp(['never'], 100);
  queue.add(spans(100));
  await pass(INTERVAL_MS);
  queue.add(spans(1));

  assert.deepEqual([queue.size(), counts.queue_full], [100, 1]);
  const partly = setUp([], 100);
  partly.queue.add(spans(99));
  partly.queue.add(spans(3));
  assert.deepEqual([partly.queue.size(), partly.counts.queue_full], [100, 2]);
});

test('a batch that is not taken goes again after a pause, and in the end is dropped', async () => {
  const { queue, batches, counts, pass, told } = setUp(Array(5).fill(AGAIN) as Answer[]);
  queue.add(spans(3));
  await pass(INTERVAL_MS);
  for (const pauseMs of [1000, 2000, 4000, 8000]) {
    const before = batches.length;
    await pass(pauseMs - 1);
    assert.equal(batches.length, before, `not before ${pauseMs} ms`);
    await pass(1);
    assert.equal(batches.length, before + 1);
  }
  queue.add([9]);
  await pass(INTERVAL_MS);

  assert.deepEqual([counts.unreachable, counts.sent, queue.size()], [3, 1, 0]);
  assert.deepEqual(told, ['traces cannot be exported', 'traces are exported again']);
});

test('a collector that says when to come again is asked then, within bounds', async () => {
  const { queue, batches, pass } = setUp([{ ...AGAIN, afterMs: 3_600_000 }]);
  queue.add(spans(1));
  await pass(INTERVAL_MS);
  await pass(30_000);

  assert.equal(batches.length, 2);
});

test('what a collector refuses, in whole or in part, is counted as dropped', async () => {
  const { queue, counts, pass } = setUp([
    { kind: 'refused', reason: 'the collector answered 400' },
    { kind: 'sent', rejected: 2 },
  ]);
  for (let i = 0; i < 2; i += 1) {
    queue.add(spans(5));
    await pass(INTERVAL_MS);
  }

  assert.deepEqual([counts.refused, counts.sent], [7, 3]);
});

test('a stop sends what waits, and counts what comes later', async () => {
  const { queue, counts, batches } = setUp([], 2000);
  queue.add(spans(500));
  await queue.close(100);
  queue.add(spans(2));

  assert.deepEqual([batches.length, counts.sent, counts.stopped], [1, 500, 2]);
});

test('a stop ends a pause, and waits for a deaf collector no longer than it is told', async () => {
  const paused = setUp([AGAIN, AGAIN]);
  paused.queue.add(spans(4));
  await paused.pass(INTERVAL_MS);
  await paused.queue.close(100);
  const deaf = setUp(['never', 'never']);
  deaf.queue.add(spans(4));
  await deaf.pass(INTERVAL_MS);
  deaf.queue.add(spans(3));
  let closed = false;
  const closing = deaf.queue.close(100).then(() => {
    closed = true;
  });
  await deaf.pass(99);
  const early = closed;
  await deaf.pass(1);
  await closing;

  assert.equal(paused.counts.stopped, 4);
  assert.equal(early, false);
  assert.equal(deaf.counts.stopped, 7);
});
