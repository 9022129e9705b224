/**
 * What a leading process writes down: nothing unless somebody follows, then all of it. The log
 * is the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { follow } from '../../../src/gateway/caching/follow.ts';
import { relayStream, relayWhole } from '../../../src/gateway/caching/relay.ts';
import { SharedStream } from '../../../src/gateway/caching/shared-stream.ts';
import type { StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import type { FlightLog, FlightRecord } from '../../../src/gateway/ports/shared-flights.ts';
import { until } from '../../support/until.ts';
import { frame, LAST_FRAME } from '../pipeline/fakes.ts';

const HEAD = {
  stream: true,
  ...({ dialect: 'openai', contentType: '', provider: 'up', providerModel: 'm' } as const),
};

function fakeLog(options: { room?: number; isFollowedAtEnd?: boolean } = {}) {
  const { room = Number.POSITIVE_INFINITY, isFollowedAtEnd = false } = options;
  const written: FlightRecord[] = [];
  let followed = Promise.withResolvers<void>();
  let watched = new AbortController();
  const state = { released: 0 };
  const log: FlightLog = {
    followed: () => followed.promise,
    watched: () => watched.signal,
    async append(record) {
      if (written.length >= room) return false;
      written.push(record);
      return true;
    },
    async release() {
      state.released += 1;
      return !isFollowedAtEnd;
    },
  };
  return {
    log,
    written,
    state,
    follow: () => followed.resolve(),
    leave() {
      followed = Promise.withResolvers();
      watched.abort();
      watched = new AbortController();
    },
    said: () => written.map((one) => (one.kind === 'piece' ? String(one.bytes) : one.kind)),
  };
}

function source(maxBytes = 1000) {
  const abort = new AbortController();
  const fed: (StreamFrame | Error)[] = [];
  let wake = (): void => undefined;
  async function* frames(): AsyncGenerator<StreamFrame> {
    for (;;) {
      while (fed.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const next = fed.shift();
      if (next instanceof Error) throw next;
      if (next !== undefined) yield next;
      if (next?.terminal !== null) return;
    }
  }
  const stream = new SharedStream(frames(), abort, { maxBytes }, () => undefined);
  const own = stream.pay(new AbortController().signal);
  return {
    stream,
    /** Gives frames to the stream and lets its own client read them. */
    async feed(...more: (StreamFrame | Error)[]) {
      fed.push(...more);
      wake();
      for (const _ of more) await own.next().catch(() => undefined);
    },
  };
}

const kept = async (): Promise<void> => undefined;

function text(said: string): StreamFrame {
  return frame({ bytes: Buffer.from(said) });
}

test('nothing is written for a stream that nobody follows', async () => {
  const { log, written, state } = fakeLog();
  const { stream, feed } = source();
  const relaying = relayStream(log, HEAD, stream, kept);
  await feed(text('a'), LAST_FRAME);
  await relaying;

  assert.deepEqual([written, state.released], [[], 1]);
});

test('who follows at the very end is told all of it', async () => {
  const { log, said } = fakeLog({ isFollowedAtEnd: true });
  const { stream, feed } = source();
  const relaying = relayStream(log, HEAD, stream, kept);
  await feed(text('a'), text('b'), LAST_FRAME);
  await relaying;

  assert.deepEqual(said(), ['head', 'a', 'b', '', 'end']);
});

test('followers that leave and come again are told each piece once', async () => {
  const { log, said, follow: come, leave } = fakeLog();
  const { stream, feed } = source();
  const relaying = relayStream(log, HEAD, stream, kept);
  come();
  await feed(text('a'));
  await until('the first is written', () => said().length === 2);
  leave();
  await feed(text('b'));
  await setImmediate();
  assert.deepEqual(said(), ['head', 'a']);

  come();
  await feed(text('c'), LAST_FRAME);
  await relaying;

  assert.deepEqual(said(), ['head', 'a', 'b', 'c', '', 'end']);
});

test('a stream that breaks is told with its error, before and after it was followed', async () => {
  for (const isEarly of [true, false]) {
    const { log, written, follow: come } = fakeLog({ isFollowedAtEnd: true });
    const { stream, feed } = source();
    const error = new GatewayError('upstream_failed');
    const relaying = relayStream(log, HEAD, stream, kept);
    if (isEarly) come();
    await feed(text('a'));
    if (isEarly) await until('it is written', () => written.length === 2);
    await feed(error);
    await relaying;

    assert.deepEqual(written.at(-1), { kind: 'failed', error });
  }
});

test('a stream that has outgrown its bounds is not told to who comes then', async () => {
  const { log, written, follow: come } = fakeLog();
  const { stream, feed } = source(2);
  const relaying = relayStream(log, HEAD, stream, kept);
  await feed(text('abc'));

  come();
  await relaying;

  assert.equal(written.length, 1);
  const [record] = written;
  assert.ok(record?.kind === 'failed' && record.error.code === 'shared_call_lost');
});

test('a log that takes no more ends the telling, and not the stream', async () => {
  for (const room of [0, 1]) {
    const { log, written, follow: come } = fakeLog({ room });
    const { stream, feed } = source();
    const relaying = relayStream(log, HEAD, stream, kept);
    come();
    await feed(text('a'));
    await relaying;
    await feed(LAST_FRAME);

    assert.equal((await stream.ended).error, null);
    assert.equal(written.length, room);
  }
});

test('a plain answer is written once it is kept, as far as it is taken', async () => {
  const records: FlightRecord[] = [
    { kind: 'head', head: HEAD },
    { kind: 'end', terminal: null },
  ];
  const order: string[] = [];
  const whole = fakeLog({ isFollowedAtEnd: true });
  const keeping = setImmediate().then(() => void order.push(`kept, ${whole.written.length}`));
  await relayWhole(whole.log, records, keeping);
  const cut = fakeLog({ isFollowedAtEnd: true, room: 1 });
  await relayWhole(cut.log, records, kept());
  const unfollowed = fakeLog();
  await relayWhole(unfollowed.log, records, kept());

  assert.deepEqual(order, ['kept, 0']);
  assert.deepEqual(
    [whole, cut, unfollowed].map(({ written }) => written.length),
    [2, 1, 0],
  );
});

test('records that do not begin with a head are those of no leader', async () => {
  let isClosed = false;
  const feed = {
    next: async (): Promise<readonly FlightRecord[]> => [{ kind: 'end', terminal: null }],
    close: () => {
      isClosed = true;
    },
  };

  await assert.rejects(follow(feed, new AbortController().signal), { name: 'Error' });
  assert.equal(isClosed, true);
});
