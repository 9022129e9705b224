/**
 * The cache stage in one process: what is stored and given, what never is, and who pays. Calls
 * are answered by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FinishReason, StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { type InferenceRequest, NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import type { RouteCachePolicy } from '../../../src/gateway/model/route.ts';
import type { Trace } from '../../../src/gateway/model/trace.ts';
import { until } from '../../support/until.ts';
import { type Asked, createFleet, type MadeCall, read, type TestProcess } from './cache-fleet.ts';
import { frame, LAST_FRAME, plainAnswer, streamOf } from './fakes.ts';

const STREAM = { stream: true } as const;

function text(said: string, finishReasons: readonly FinishReason[] = []) {
  return frame({ bytes: Buffer.from(said), producedCharacters: said.length, finishReasons });
}

function answer(call: MadeCall, said: string, finishReasons: readonly FinishReason[] = ['stop']) {
  if (call.exchange.request.stream) call.feed(text(said, finishReasons), LAST_FRAME);
  else call.answer(plainAnswer({ bytes: Buffer.from(said), finishReasons }));
}

async function framesOf(asked: Asked): Promise<AsyncIterator<StreamFrame>> {
  const answer = await asked.answer;
  assert.ok(answer.kind === 'stream');
  return answer.frames[Symbol.asyncIterator]();
}

function one(policy: Partial<RouteCachePolicy> = {}) {
  const fleet = createFleet(policy);
  const process = fleet.start({ alone: true });
  return { ...fleet, ...process };
}

function control(changes: Partial<typeof NO_CACHE_CONTROL>): Partial<InferenceRequest> {
  return { cacheControl: { ...NO_CACHE_CONTROL, ...changes } };
}

for (const request of [{}, STREAM]) {
  const what = 'stream' in request ? 'a stream' : 'a plain answer';

  test(`${what} is stored and given again with its age and who gave it`, async () => {
    const { ask, call, calls, clock } = one();
    const first = ask(request);
    answer(await call(1), 'said');
    await read(first);
    clock.advance(61_500);

    const second = ask(request);

    assert.equal((await read(second)).text, 'said');
    assert.equal(calls.length, 1);
    assert.deepEqual(second.exchange.cache, {
      status: 'HIT',
      tier: 'memory',
      ageSeconds: 61,
      detail: null,
    });
    assert.equal(second.exchange.provider, 'up');
  });

  test(`${what} is not stored when it was cut, filtered, or ended without saying how`, async () => {
    for (const reasons of [['length'], ['content_filter'], ['stop', 'length'], ['other'], []]) {
      const { ask, call, calls } = one();
      const first = ask(request);
      answer(await call(1), 'said', reasons as FinishReason[]);
      assert.equal((await read(first)).text, 'said');

      const second = ask(request);
      answer(await call(2), 'again');
      await read(second);

      assert.equal(calls.length, 2, reasons.join());
      assert.equal(second.exchange.cache.status, 'MISS');
    }
  });

  test(`${what} over the size of entries is given, and not stored`, async () => {
    const { ask, call } = one();
    const first = ask(request);
    answer(await call(1), 'x'.repeat(1001));
    assert.equal((await read(first)).text.length, 1001);

    ask(request);

    assert.equal((await call(2)).exchange.cache.status, 'MISS');
  });

  test(`${what} that fails is not stored, and fails those who joined alike`, async () => {
    const { ask, call } = one();
    const error = new GatewayError('upstream_failed');
    const both = [ask(request), ask(request)].map(read);
    (await call(1)).fail(error);

    for (const { error: told } of await Promise.all(both)) assert.equal(told, error);
    ask(request);
    assert.equal((await call(2)).exchange.cache.status, 'MISS');
  });

  test(`${what} whose client leaves is cancelled, and not stored`, async () => {
    const { ask, call } = one();
    const first = ask(request);
    const made = await call(1);

    first.leave();

    assert.equal(made.exchange.work.signal.aborted, true);
    assert.equal((await read(first)).error?.code, 'client_closed');
    ask(request);
    assert.equal((await call(2)).exchange.cache.status, 'MISS');
  });

  test(`${what} that was made before a purge is not given after it`, async () => {
    const { ask, call, deps } = one();
    const first = ask(request);
    const made = await call(1);
    await deps.store.purge('default');
    answer(made, 'said');
    await read(first);

    ask(request);

    assert.equal((await call(2)).exchange.cache.status, 'MISS');
  });

  test(`${what}: of many who ask at once one pays, and the others join`, async () => {
    const { ask, call, calls } = one();
    const all = Array.from({ length: 50 }, () => ask(request));
    answer(await call(1), 'said');

    for (const asked of all) assert.equal((await read(asked)).text, 'said');
    assert.equal(calls.length, 1);
    const [leader, ...others] = all.map(({ exchange }) => exchange.cache.status);
    assert.deepEqual([leader, new Set(others)], ['MISS', new Set(['JOIN'])]);
  });

  test(`${what}: two tenants make two calls`, async () => {
    const { ask, call } = one();
    const a = ask(request, 'a');
    const b = ask(request, 'b');
    answer(await call(1), 'of a');
    answer(await call(2), 'of b');

    assert.deepEqual([(await read(a)).text, (await read(b)).text], ['of a', 'of b']);
  });

  test(`${what}: a leader without a budget fails alone, and another pays`, async () => {
    const { ask, call } = one();
    const leader = ask(request);
    const joiner = ask(request);
    (await call(1)).fail(new GatewayError('budget_exceeded'));

    assert.equal((await read(leader)).error?.code, 'budget_exceeded');
    const second = await call(2);
    assert.equal(second.exchange, joiner.exchange);
    answer(second, 'said');
    assert.equal((await read(joiner)).text, 'said');
    assert.equal(joiner.exchange.cache.status, 'MISS');
  });

  test(`${what}: a leader that leaves goes on for those who joined`, async () => {
    const { ask, call } = one();
    const leader = ask(request);
    const joiner = ask(request);
    const made = await call(1);
    leader.leave();
    assert.equal(made.exchange.work.signal.aborted, false);

    answer(made, 'said');

    assert.equal((await read(joiner)).text, 'said');
    assert.equal((await read(leader)).ended, true);
  });

  test(`${what} is given stale when every target is down, and says so`, async () => {
    const { ask, call, clock } = one();
    const first = ask(request);
    answer(await call(1), 'said');
    await read(first);
    clock.advance(101_000);
    const second = ask(request);

    (await call(2)).fail(new GatewayError('no_target_available'));

    assert.equal((await read(second)).text, 'said');
    assert.deepEqual(second.exchange.cache, {
      status: 'STALE',
      tier: 'memory',
      ageSeconds: 101,
      detail: 'no_target_available',
    });
  });

  test(`${what}: only-if-cached makes no call`, async () => {
    const { ask, calls } = one();

    const asked = ask({ ...request, ...control({ onlyIfCached: true }) });

    assert.equal((await read(asked)).error?.code, 'cache_only_miss');
    assert.equal(calls.length, 0);
  });

  test(`${what}: no-cache makes a call, whose answer others are given`, async () => {
    const { ask, call } = one();
    const first = ask(request);
    answer(await call(1), 'old');
    await read(first);
    const second = ask({ ...request, ...control({ noCache: true }) });
    answer(await call(2), 'new');

    assert.equal((await read(second)).text, 'new');
    assert.equal((await read(ask(request))).text, 'new');
  });
}

test('a stream that breaks in its course is stored by nobody', async () => {
  const { ask, call } = one();
  const first = ask(STREAM);
  const made = await call(1);
  made.feed(text('half'));
  const reading = read(first);
  made.fail(new GatewayError('upstream_truncated'));

  assert.equal((await reading).error?.code, 'upstream_truncated');
  ask(STREAM);
  assert.equal((await call(2)).exchange.cache.status, 'MISS');
});

test('a stream is joined while it flows, from its beginning on', async () => {
  const { ask, call, calls } = one();
  const first = ask(STREAM);
  const made = await call(1);
  made.feed(text('a'), text('b'));
  const frames = await framesOf(first);
  assert.equal((await frames.next()).value?.bytes.toString(), 'a');

  const late = read(ask(STREAM));
  made.feed(text('c', ['stop']), LAST_FRAME);
  await read({
    ...first,
    answer: Promise.resolve(streamOf({ [Symbol.asyncIterator]: () => frames })),
  });

  assert.equal((await late).text, 'abc');
  assert.equal(calls.length, 1);
});

test('a stream that has outgrown its bounds is not joined: the next caller calls', async () => {
  const { ask, call } = one();
  const first = ask(STREAM);
  const made = await call(1);
  made.feed(text('x'.repeat(1001)));
  await (await framesOf(first)).next();

  ask(STREAM);

  assert.equal((await call(2)).exchange.cache.status, 'MISS');
});

test('a request that may not be stored passes', async () => {
  const { ask, call } = one();
  const asked = ask({ temperature: 1 });
  answer(await call(1), 'said');
  await read(asked);

  assert.deepEqual(asked.exchange.cache.detail, 'not-deterministic');
});

test('what the target could not be told is said to all who are given its answer', async () => {
  for (const request of [{}, STREAM]) {
    const fleet = createFleet();
    const [near, far] = [fleet.start(), fleet.start()];
    const first = near.ask(request);
    const made = await fleet.call(1);
    made.exchange.dropped = ['messages[0].name'];
    const joined = [near.ask(request), far.ask(request)];
    const reading = [first, ...joined].map(read);
    await setImmediate();
    answer(made, 'said');
    await Promise.all(reading);
    await setImmediate();

    const stored = [near.ask(request), far.ask(request)];

    await Promise.all(stored.map(read));
    const all = [...joined, ...stored].map(({ exchange }) => exchange);
    assert.deepEqual(
      all.map(({ cache }) => cache.status),
      ['JOIN', 'JOIN', 'HIT', 'HIT'],
    );
    for (const { dropped } of all) assert.deepEqual(dropped, ['messages[0].name']);
  }
});

test('a client’s age narrows what it is given of what others found', async () => {
  const fleet = createFleet();
  const [a, b] = [fleet.start(), fleet.start()];
  const first = a.ask();
  answer(await fleet.call(1), 'old');
  await read(first);
  fleet.clock.advance(10_000);

  const narrow = (process: TestProcess) => process.ask(control({ maxAgeSeconds: 5 }));
  const [hit, missed] = [b.ask(), narrow(b)];

  assert.equal((await read(hit)).text, 'old');
  assert.deepEqual([hit.exchange.cache.status, hit.exchange.cache.tier], ['HIT', 'redis']);
  answer(await fleet.call(2), 'new');
  assert.equal((await read(missed)).text, 'new');
});

for (const request of [{}, STREAM]) {
  const what = 'stream' in request ? 'a stream' : 'a plain answer';

  test(`${what} is given stale at once while it is renewed, once, behind the answer`, async () => {
    const { ask, call, calls, clock, renewals } = one({ staleWhileRevalidateSeconds: 30 });
    const first = ask(request);
    answer(await call(1), 'old');
    await read(first);
    clock.advance(105_000);

    const stale = [ask(request), ask(request)];

    for (const asked of stale) {
      assert.equal((await read(asked)).text, 'old');
      assert.equal(asked.exchange.cache.status, 'STALE');
      assert.deepEqual(
        [asked.exchange.cache.ageSeconds, asked.exchange.cache.detail],
        [105, 'revalidating'],
      );
    }
    const renewal = await call(2);
    assert.equal(renewals.length, 1);
    assert.equal(renewal.exchange, renewals[0]);
    assert.notEqual(renewal.exchange.id, stale[0]?.exchange.id);
    assert.deepEqual(renewal.exchange.principal, stale[0]?.exchange.principal);
    answer(renewal, 'new');
    await until('the new one is stored', async () => {
      const later = ask(request);
      return (await read(later)).text === 'new' && later.exchange.cache.status === 'HIT';
    });
    assert.equal(calls.length, 2);
  });
}

test('a renewal is part of the trace of the exchange that set it off', async () => {
  const { ask, call, clock } = one({ staleWhileRevalidateSeconds: 30 });
  const first = ask();
  answer(await call(1), 'old');
  await read(first);
  clock.advance(105_000);
  const part = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) } as Trace;
  const trace = { ...part, spanId: 'c'.repeat(16), child: () => part } as Trace;

  await read(ask({}, 'default', {}, trace));

  assert.equal((await call(2)).exchange.trace, part);
});

test('a renewal that fails leaves the stale answer, and the next sets off another', async () => {
  const { ask, call, calls, clock } = one({ staleWhileRevalidateSeconds: 30 });
  const first = ask();
  answer(await call(1), 'old');
  await read(first);
  clock.advance(105_000);
  await read(ask());
  (await call(2)).fail(new GatewayError('upstream_failed'));

  await until('another renewal', async () => {
    assert.equal((await read(ask())).text, 'old');
    return calls[2];
  });
});

test('nothing is given stale to who asks for less, nor after its time', async () => {
  const narrow: readonly Partial<InferenceRequest>[] = [
    control({ staleWhileRevalidateSeconds: 0 }),
    control({ maxAgeSeconds: 100 }),
    control({ noCache: true }),
  ];
  for (const request of narrow) {
    const { ask, call, clock } = one({ staleWhileRevalidateSeconds: 30 });
    const first = ask();
    answer(await call(1), 'old');
    await read(first);
    clock.advance(105_000);
    ask(request);
    assert.equal((await call(2)).exchange.cache.status, 'MISS');
  }
  const { ask, call, clock } = one({ staleWhileRevalidateSeconds: 30, staleIfErrorSeconds: 0 });
  const first = ask();
  answer(await call(1), 'old');
  await read(first);
  clock.advance(130_000);
  ask();
  assert.equal((await call(2)).exchange.cache.status, 'MISS');
});

test('another process renews what it found stale in the shared tier', async () => {
  const fleet = createFleet({ staleWhileRevalidateSeconds: 30 });
  const [a, b] = [fleet.start(), fleet.start()];
  const first = a.ask();
  answer(await fleet.call(1), 'old');
  await read(first);
  fleet.clock.advance(105_000);

  const stale = b.ask();

  assert.equal((await read(stale)).text, 'old');
  assert.deepEqual([stale.exchange.cache.status, stale.exchange.cache.tier], ['STALE', 'redis']);
  answer(await fleet.call(2), 'new');
  await until('the new one is found', async () => (await read(a.ask())).text === 'new');
  assert.equal(fleet.calls.length, 2, 'the renewal of one is found by the other');
});

test('a route may keep all answers, or none that is not asked for', async () => {
  const always = one({ mode: 'always' });
  const first = always.ask({ temperature: 1 });
  answer(await always.call(1), 'said');
  await read(first);
  assert.equal((await read(always.ask({ temperature: 1 }))).text, 'said');

  const requested = one({ mode: 'requested' });
  const passing = requested.ask();
  answer(await requested.call(1), 'said');
  await read(passing);
  assert.equal(passing.exchange.cache.status, 'BYPASS');
  const asked = requested.ask(control({ optIn: true }));
  answer(await requested.call(2), 'said');
  await read(asked);
  assert.equal(asked.exchange.cache.status, 'MISS');
});

test('a client’s time to live shortens that of the route and never lengthens it', async () => {
  for (const [ttlSeconds, isFresh] of [
    [10, false],
    [1000, true],
  ] as const) {
    const { ask, call, clock } = one();
    const first = ask(control({ ttlSeconds }));
    answer(await call(1), 'said');
    await read(first);
    clock.advance(20_000);
    const second = ask();
    if (isFresh) assert.equal((await read(second)).text, 'said');
    else assert.equal((await call(2)).exchange.cache.status, 'MISS');
  }
});

test('a namespace keeps answers apart within a tenant', async () => {
  const { ask, call } = one();
  const first = ask(control({ namespace: 'a' }));
  answer(await call(1), 'said');
  await read(first);

  ask(control({ namespace: 'b' }));
  await call(2);
  ask();
  await call(3);
  assert.equal((await read(ask(control({ namespace: 'a' })))).text, 'said');
});

test('a stale entry past its time does not stand in', async () => {
  const { ask, call, clock } = one({ staleWhileRevalidateSeconds: 900, staleIfErrorSeconds: 10 });
  const first = ask();
  answer(await call(1), 'said');
  await read(first);
  clock.advance(150_000);
  const second = ask(control({ staleWhileRevalidateSeconds: 0 }));

  (await call(2)).fail(new GatewayError('no_target_available'));

  assert.equal((await read(second)).error?.code, 'no_target_available');
});
