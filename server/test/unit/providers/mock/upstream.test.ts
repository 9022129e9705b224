/**
 * Goal: waits, faults and aborts of the mock are those of a provider behind sockets, and end in
 * the same coded errors. Method: the real adapter; time is moved by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../../../src/gateway/index.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { rejectionOf } from '../../../support/gateway-error.ts';
import { chat, createMock } from './fixture.ts';

function model(options: string, more: JsonObject = {}): JsonObject {
  return chat('Hi', { model: `mock:${options}`, ...more });
}

/** Lets everything run that waits for no timer. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await setImmediate();
}

/** Moves time in steps until the promise ends; tells how much time that took. */
async function elapsedMs(
  mock: ReturnType<typeof createMock>,
  run: Promise<unknown>,
): Promise<number> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  run.then(end, end);
  const startMs = mock.clock.monotonicMs();
  for (await settle(); !ended; await settle()) {
    assert.ok(mock.clock.monotonicMs() - startMs < 1_000_000, 'it never ends');
    mock.clock.advance(10);
  }
  return mock.clock.monotonicMs() - startMs;
}

test('scripted statuses become the coded errors of the adapter', async () => {
  const mock = createMock();
  const cases = [
    ['status=400', 'upstream_rejected'],
    ['status=400,code=context_length_exceeded', 'upstream_rejected'],
    ['status=401', 'upstream_credentials'],
    ['status=404', 'upstream_not_found'],
    ['status=429', 'upstream_rate_limited'],
    ['status=429,code=insufficient_quota', 'upstream_quota_exhausted'],
    ['status=500', 'upstream_failed'],
    ['status=503', 'upstream_unavailable'],
    ['status=529', 'upstream_unavailable'],
    ['status=302', 'upstream_invalid'],
  ];
  for (const [options = '', code] of cases) {
    for (const run of [mock.plain, mock.stream]) {
      assert.equal((await rejectionOf(run('chat', model(options)))).code, code, options);
    }
  }
});

test('a wait that the provider asks for arrives in each of its forms', async () => {
  const mock = createMock();
  const waitMs = async (options: string) =>
    (await rejectionOf(mock.plain('chat', model(`status=429,${options}`)))).retryAfterMs;

  assert.equal(await waitMs('retry-after=3'), 3_000);
  assert.equal(await waitMs('retry-after-ms=250'), 250);
  assert.equal(await waitMs('retry-after-date=5'), 5_000);
});

test('faults within a stream are noticed after what came before them', async () => {
  const cases = [
    ['cut=3', 'upstream_truncated'],
    ['cut=3.5', 'upstream_truncated'],
    ['cut=0', 'upstream_truncated'],
    ['reset=3', 'upstream_unreachable'],
    ['garble=3', 'upstream_invalid'],
    ['error=3', 'upstream_failed'],
  ];
  for (const [options = '', code] of cases) {
    const mock = createMock();
    const response = await mock.send('chat', model(options, { stream: true }));
    const events: string[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of response.body) events.push(chunk.toString());
    };

    const reset = await read().catch((error: GatewayError) => error.code);
    if (code === 'upstream_unreachable') assert.equal(reset, code);
    else assert.equal((await rejectionOf(mock.stream('chat', model(options)))).code, code, options);

    const whole = events.filter((event) => event.startsWith('data: {"id"')).length;
    if (options === 'cut=3' || options === 'reset=3') assert.equal(whole, 3, options);
  }
});

test('faults within a plain answer leave no answer', async () => {
  const mock = createMock();
  const cases = [
    ['cut=0', 'upstream_invalid'],
    ['garble=0', 'upstream_invalid'],
    ['reset=0', 'upstream_unreachable'],
    ['error=0', 'upstream_failed'],
    ['status=204', 'upstream_invalid'],
  ];
  for (const [options = '', code] of cases) {
    const body = model(options);
    if (options === 'status=204') {
      const response = await mock.send('chat', body);
      assert.equal(response.status, 204);
      assert.equal((await response.body.collect(10)).length, 0);
    } else assert.equal((await rejectionOf(mock.plain('chat', body))).code, code, options);
  }
});

test('a stream without its marker, or without usage, is complete all the same', async () => {
  const mock = createMock();

  const unmarked = await mock.stream('chat', model('done=off'));
  const unmeasured = await mock.stream('chat', model('usage=off'));

  assert.equal(unmarked.at(-1)?.terminal?.toString(), 'data: [DONE]\n\n');
  assert.ok(unmeasured.every((frame) => frame.usage === null));
  assert.equal((await mock.plain('chat', model('usage=off'))).usage, null);
});

test('latency comes before the head, the first token after it, the pace between', async () => {
  const mock = createMock();

  const sent = mock.send(
    'chat',
    model('latency=200ms,ttft=300ms,tps=10,tokens=20', { stream: true }),
  );
  assert.equal(await elapsedMs(mock, sent), 200);
  const body = (await sent).body[Symbol.asyncIterator]();
  assert.equal(await elapsedMs(mock, body.next()), 300);
  const rest = (async () => {
    while ((await body.next()).done !== true);
  })();
  const restMs = await elapsedMs(mock, rest);
  assert.ok(restMs >= 2_000 && restMs <= 5_000, `${restMs} ms for 20 tokens at 10 per second`);
});

test('a plain answer takes as long as its tokens would', async () => {
  const mock = createMock();

  const sent = mock.send('chat', model('latency=100,ttft=100,tps=10,tokens=20'));

  assert.equal(await elapsedMs(mock, sent), 2_200);
});

test('the settings pace what the name does not', async () => {
  const mock = createMock({ firstTokenDelayMs: 400, tokenDelayMs: 0 });

  const plain = mock.send('chat', model('tokens=3'));
  assert.equal(await elapsedMs(mock, plain), 400);
  const overruled = mock.send('chat', model('tokens=3,ttft=50'));
  assert.equal(await elapsedMs(mock, overruled), 50);
});

test('jitter stays within its bound and follows the seed', async () => {
  const waits: number[] = [];
  for (let run = 0; run < 2; run += 1) {
    const mock = createMock();
    waits.push(await elapsedMs(mock, mock.send('chat', model('latency=100,jitter=500'))));
  }

  assert.equal(waits[0], waits[1]);
  assert.ok((waits[0] ?? 0) > 100 && (waits[0] ?? 0) <= 610, String(waits));
});

test('fail=2 fails the first two calls of that model, and only those', async () => {
  const mock = createMock();
  const outcome = (options: string): Promise<string> =>
    mock.plain('chat', model(options)).then(
      () => 'ok',
      (error: GatewayError) => error.code,
    );

  const outcomes: string[] = [];
  for (let i = 0; i < 4; i += 1) outcomes.push(await outcome('fail=2'));

  assert.deepEqual(outcomes, ['upstream_failed', 'upstream_failed', 'ok', 'ok']);
  assert.equal(await outcome('fail=1,status=503'), 'upstream_unavailable');
  assert.equal(await outcome('fail=1,status=503'), 'ok');
  const cut = await rejectionOf(mock.stream('chat', model('fail=1,cut=2')));
  assert.equal(cut.code, 'upstream_truncated');
  assert.ok((await mock.stream('chat', model('fail=1,cut=2'))).at(-1)?.terminal);
});

test('failrate fails about that share of the calls', async () => {
  const mock = createMock();
  let failed = 0;
  for (let i = 0; i < 400; i += 1) {
    failed += (await mock.send('chat', model('failrate=0.25'))).status === 500 ? 1 : 0;
  }

  assert.ok(failed > 70 && failed < 130, `${failed} of 400`);
});

test('silence is cut by the limits that sockets would have', async () => {
  const mock = createMock();
  const limits = { firstByteMs: 1_000, idleMs: 500 };
  const signal = new AbortController().signal;

  const slow = rejectionOf(mock.send('chat', model('latency=2s'), signal, limits));
  assert.equal(await elapsedMs(mock, slow), 1_000);
  assert.equal((await slow).code, 'upstream_timeout');

  const streamed = model('latency=400,ttft=5s', { stream: true });
  const sent = mock.send('chat', streamed, signal, limits);
  assert.equal(await elapsedMs(mock, sent), 400);
  const first = rejectionOf((await sent).body.collect(1_000_000));
  assert.equal(await elapsedMs(mock, first), 600);
  assert.equal((await first).code, 'upstream_timeout');

  const stalled = await mock.send('chat', model('stall=2', { stream: true }), signal, limits);
  const idle = rejectionOf(stalled.body.collect(1_000_000));
  assert.equal(await elapsedMs(mock, idle), 500);
  assert.equal((await idle).code, 'upstream_timeout');
});

test('an abort ends a wait at once, with the reason of the signal', async () => {
  const mock = createMock();
  const left = new GatewayError('client_closed');
  for (const options of ['latency=60s', 'ttft=60s', 'stall=1']) {
    const abort = new AbortController();
    const timeouts = { firstByteMs: 100_000, idleMs: 100_000 };
    const run = rejectionOf(
      mock
        .send('chat', model(options, { stream: true }), abort.signal, timeouts)
        .then(({ body }) => body.collect(1_000_000)),
    );
    await settle();
    abort.abort(left);
    assert.equal(await run, left, options);
    assert.equal(mock.clock.pendingTimers(), 0, 'no timer is left');
  }
  const already = AbortSignal.abort(left);
  assert.equal(await rejectionOf(mock.send('chat', chat('Hi'), already)), left);
});

test('an abort between two pieces ends the body before the next', async () => {
  const mock = createMock();
  const abort = new AbortController();
  const { body } = await mock.send('chat', chat('Hi', { stream: true }), abort.signal);
  const iterator = body[Symbol.asyncIterator]();
  await iterator.next();

  const left = new GatewayError('client_closed');
  abort.abort(left);

  assert.equal(await rejectionOf(iterator.next()), left);
});

test('a body that is given up ends, also within a wait', async () => {
  const mock = createMock();
  const { body } = await mock.send('chat', model('stall=1', { stream: true }));
  const iterator = body[Symbol.asyncIterator]();
  await iterator.next();
  const next = iterator.next();
  await settle();

  body.cancel();

  assert.equal((await next).done, true);
  assert.equal(mock.clock.pendingTimers(), 0);
  body.cancel();
});

test('a body larger than allowed is too long', async () => {
  const mock = createMock();
  const { body } = await mock.send('chat', model('tokens=1000'));

  const error = await rejectionOf(body.collect(1_000));

  assert.deepEqual([error.code, error.retryable], ['upstream_too_long', false]);
});

test('a long stream without waits lets other work run between', async () => {
  const mock = createMock();
  const { body } = await mock.send('chat', model('tokens=5000', { stream: true }));
  let turns = 0;
  let reading = true;
  const count = (): void => {
    turns += 1;
    if (reading) global.setImmediate(count);
  };
  global.setImmediate(count);

  for await (const _chunk of body);
  reading = false;

  assert.ok(turns > 10, `${turns} turns`);
});
