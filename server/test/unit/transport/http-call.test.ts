/**
 * Goal: the one timer of a call measures the provider's silence and nothing else. Method: the
 * pool is played by the test, the clock moved by hand.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { Dispatcher } from 'undici';
import { HttpCall } from '../../../src/transport/http-call.ts';
import { codeOf } from '../../support/gateway-error.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const LIMITS = { firstByteMs: 1000, idleMs: 100 };

interface Played {
  readonly call: HttpCall;
  readonly clock: ManualClock;
  readonly controller: Dispatcher.DispatchController;
  readonly abort: AbortController;
  readonly told: string[];
  readonly options: Dispatcher.DispatchOptions;
}

function play(): Played {
  const clock = createManualClock();
  const abort = new AbortController();
  const told: string[] = [];
  const context = {
    provider: 'demo',
    clock,
    cutting: () => false,
    released: (phase: string, failure: Error | null) =>
      void told.push(`released ${phase} ${failure === null ? 'well' : 'failed'}`),
  };
  const options: Dispatcher.DispatchOptions = { path: '/', method: 'POST', body: 'large' };
  const call = new HttpCall(context, options, LIMITS, abort.signal);
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    pause: () => void told.push('pause'),
    resume: () => void told.push('resume'),
    abort(reason) {
      told.push('abort');
      call.onResponseError(controller, reason); // as the pool does, at once
    },
  };
  return { call, clock, controller, abort, told, options };
}

function begin({ call, controller }: Played): void {
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' });
}

test('the first byte may take its whole limit, counted from the sending', async () => {
  const played = play();
  played.clock.advance(900); // waiting for a socket
  played.call.onRequestStart(played.controller);
  played.clock.advance(999);
  assert.deepEqual(played.told, []);
  played.clock.advance(1);

  assert.equal(await codeOf(played.call.head), 'upstream_timeout');
  assert.deepEqual(played.told, ['abort', 'released sent well']);
  assert.equal(played.clock.pendingTimers(), 0);
});

test('the wait for a socket is bounded by the same limit', async () => {
  const { call, clock } = play();
  clock.advance(1000);

  assert.equal(await codeOf(call.head), 'upstream_timeout');
});

test('the idle limit counts from the last byte, to the millisecond', async () => {
  const played = play();
  begin(played);
  const { body } = await played.call.head;
  const reading = body[Symbol.asyncIterator]();

  for (let i = 0; i < 50; i += 1) {
    played.call.onResponseData(played.controller, Buffer.from('x'));
    await reading.next();
    played.clock.advance(99);
  }
  assert.deepEqual(played.told, []);
  const pending = reading.next();
  played.clock.advance(1);

  assert.equal(await codeOf(pending), 'upstream_timeout');
});

test('time in which this process stood still is not the provider’s silence', async () => {
  const played = play();
  begin(played);
  const { body } = await played.call.head;
  const reading = body[Symbol.asyncIterator]();
  played.call.onResponseData(played.controller, Buffer.from('x'));
  await reading.next();
  const pending = reading.next();

  played.clock.standStill(5000); // the idle timer fires 4900 ms late
  assert.deepEqual(played.told, []);
  played.clock.advance(99);
  assert.deepEqual(played.told, []);
  played.clock.advance(1);

  assert.equal(await codeOf(pending), 'upstream_timeout');
});

test('time in which our own reader is behind is not the provider’s silence', async () => {
  const played = play();
  begin(played);
  const { body } = await played.call.head;
  const reading = body[Symbol.asyncIterator]();

  played.call.onResponseData(played.controller, Buffer.alloc(200_000));
  played.clock.advance(60_000);
  await reading.next();
  played.clock.advance(99);
  assert.deepEqual(played.told, ['pause', 'resume']);
  const pending = reading.next();
  played.clock.advance(1);

  assert.equal(await codeOf(pending), 'upstream_timeout');
});

test('the end cancels the timer and takes the listener from the signal', async () => {
  const played = play();
  begin(played);
  played.call.onResponseData(played.controller, Buffer.from('x'));
  played.call.onResponseEnd();

  const { body } = await played.call.head;
  assert.equal((await body.collect(10)).toString(), 'x');
  assert.equal(played.clock.pendingTimers(), 0);
  assert.equal(getEventListeners(played.abort.signal, 'abort').length, 0);
  assert.deepEqual(played.told, ['released answering well']);
});

test('a call given up before its turn throws when its turn comes and frees its body', async () => {
  const { call, controller, abort, told, options } = play();
  abort.abort(new Error('left'));

  await assert.rejects(call.head, /left/);
  assert.throws(() => call.onRequestStart(controller));
  assert.equal(options.body, null);
  assert.deepEqual(told, []);
});
