/**
 * Goal: every exchange is seen to end once, with the status its client was given.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { observe } from '../../../src/gateway/pipeline/observe.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import {
  exchangeOf,
  frame,
  LAST_FRAME,
  plainAnswer,
  recordingObserver,
  streamOf,
} from './fakes.ts';

function observed(answer: () => Promise<Answer>) {
  const observer = recordingObserver();
  return { handler: observe(observer, systemClock).wrap(answer), ends: observer.ends };
}

async function read(answer: Answer, frames = Number.POSITIVE_INFINITY): Promise<void> {
  let count = 0;
  if (answer.kind !== 'stream') return;
  for await (const _frame of answer.frames) {
    count += 1;
    if (count >= frames) break;
  }
}

test('a plain answer ends with 200, an error with its own status', async () => {
  const good = observed(async () => plainAnswer());
  const bad = observed(() => Promise.reject(new GatewayError('rate_limited')));

  await good.handler(exchangeOf());
  await assert.rejects(bad.handler(exchangeOf()), { code: 'rate_limited' });

  assert.deepEqual([good.ends.map((end) => end.status), bad.ends[0]?.status], [[200], 429]);
});

test('a stream ends once: whole with 200, left with 499, broken as its error says', async () => {
  async function* broken() {
    yield frame();
    throw new GatewayError('upstream_timeout');
  }
  const whole = observed(async () => streamOf([frame(), LAST_FRAME]));
  const left = observed(async () => streamOf([frame(), frame(), LAST_FRAME]));
  const cut = observed(async () => streamOf(broken()));

  await read(await whole.handler(exchangeOf()));
  await read(await left.handler(exchangeOf()), 1);
  await assert.rejects(async () => read(await cut.handler(exchangeOf())));

  const statuses = [whole, left, cut].map(({ ends }) => ends.map((end) => end.status));
  assert.deepEqual(statuses, [[200], [499], [504]]);
});
