/**
 * One stream for several readers. The source is fed by the test, frame by frame; nothing is
 * timed. Random readings come from fast-check, which prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { SharedStream, type WholeStream } from '../../../src/gateway/caching/shared-stream.ts';
import type { StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { frame, LAST_FRAME } from '../pipeline/fakes.ts';

const USAGE = {
  inputTokens: 1,
  cachedInputTokens: 0,
  outputTokens: 2,
  reasoningTokens: 0,
  source: 'provider',
} as const;

/** A source that gives what the test feeds it, and ends with its signal. */
function open(bounds: { maxBytes?: number; maxFrames?: number; maxReaders?: number } = {}) {
  const abort = new AbortController();
  const fed: (StreamFrame | Error)[] = [];
  const wholes: WholeStream[] = [];
  let asked = 0;
  let wake = (): void => undefined;
  abort.signal.addEventListener('abort', () => wake());
  async function* source(): AsyncGenerator<StreamFrame> {
    for (;;) {
      asked += 1;
      while (fed.length === 0 && !abort.signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      abort.signal.throwIfAborted();
      const next = fed.shift();
      if (next instanceof Error) throw next;
      if (next === undefined) return;
      yield next;
      if (next.terminal !== null) return;
    }
  }
  const stream = new SharedStream(source(), abort, { maxBytes: 1000, ...bounds }, (whole) =>
    wholes.push(whole),
  );
  return {
    stream,
    abort,
    wholes,
    asked: () => asked,
    feed(...frames: (StreamFrame | Error)[]) {
      fed.push(...frames);
      wake();
    },
  };
}

function piece(text: string, changes: Partial<StreamFrame> = {}): StreamFrame {
  return frame({ bytes: Buffer.from(text), producedCharacters: text.length, ...changes });
}

function client() {
  const abort = new AbortController();
  const left = new GatewayError('client_closed');
  return { signal: abort.signal, left, leave: () => abort.abort(left) };
}

/** Everything to the end, or to the error. */
async function readAll(frames: AsyncIterable<StreamFrame> | null) {
  assert.ok(frames !== null);
  const read = { text: '', characters: 0, ended: false, error: null as unknown, usage: false };
  try {
    for await (const one of frames) {
      read.text += one.bytes.toString();
      read.characters += one.producedCharacters;
      read.ended ||= one.terminal !== null;
      read.usage ||= one.usage !== null;
    }
  } catch (thrown) {
    read.error = thrown;
  }
  return read;
}

async function take(frames: AsyncIterator<StreamFrame>, count: number): Promise<string> {
  let text = '';
  for (let taken = 0; taken < count; taken += 1) text += (await frames.next()).value.bytes;
  return text;
}

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

test('each reader is given all of it, whenever it came', async () => {
  const { stream, feed } = open();
  const payer = stream.pay(client().signal);
  feed(piece('a'), piece('b'));
  assert.equal(await take(payer, 2), 'ab');

  const late = readAll(stream.open(client().signal));
  feed(piece('c'), LAST_FRAME);

  assert.equal((await readAll(payer)).text, 'c');
  const read = await late;
  assert.deepEqual([read.text, read.ended, read.error], ['abc', true, null]);
});

test('the source is asked for the next frame when the fastest reader has all others', async () => {
  const { stream, feed, asked } = open();
  const payer = stream.pay(client().signal);
  const fast = stream.open(client().signal);
  assert.ok(fast !== null);
  feed(piece('a'), piece('b'), piece('c'), piece('d'));
  await quiet();
  assert.equal(asked(), 1);

  await take(fast, 2);
  await quiet();
  assert.equal(asked(), 3);
  await take(payer, 2);
  await quiet();

  assert.equal(asked(), 3);
});

test('a complete stream is told once, whole, before a reader has its end', async () => {
  const { stream, feed, wholes } = open();
  const payer = stream.pay(client().signal);
  feed(piece('a', { usage: USAGE }), piece('b', { finishReasons: ['stop'] }));
  await take(payer, 2);
  assert.equal(wholes.length, 0);

  feed(LAST_FRAME);
  const last = await payer.next();

  assert.notEqual(last.value.terminal, null);
  assert.deepEqual(wholes.length, 1);
  assert.equal(wholes[0]?.bytes.toString(), 'ab');
  assert.equal(wholes[0]?.terminal.toString(), 'data: [DONE]\n\n');
  assert.deepEqual(wholes[0]?.usage, USAGE);
  assert.deepEqual(wholes[0]?.finishReasons, ['stop']);
});

test('a stream that breaks is no whole one, and its error reaches every reader', async () => {
  const { stream, feed, wholes } = open();
  const error = new GatewayError('upstream_failed');
  const all = [stream.pay(client().signal), stream.open(client().signal)].map(readAll);

  feed(piece('a'), error);

  for (const read of await Promise.all(all)) {
    assert.deepEqual([read.text, read.error, read.ended], ['a', error, false]);
  }
  assert.deepEqual(wholes, []);
  assert.equal(stream.open(client().signal), null);
  assert.equal((await stream.ended).error, error);
});

test('a source that ends without its end marker is truncated', async () => {
  const wholes: WholeStream[] = [];
  async function* source(): AsyncGenerator<StreamFrame> {
    yield piece('a');
  }
  const stream = new SharedStream(source(), new AbortController(), { maxBytes: 10 }, (whole) =>
    wholes.push(whole),
  );

  const { text, error } = await readAll(stream.pay(client().signal));

  assert.equal(text, 'a');
  assert.equal((error as GatewayError).code, 'upstream_truncated');
  assert.deepEqual(wholes, []);
});

test('without a payer nobody is waited for', async () => {
  const { stream, feed } = open({ maxBytes: 10 });
  const fast = stream.open(client().signal);
  const slow = stream.open(client().signal);
  feed(...Array.from({ length: 5 }, () => piece('xxxx')), LAST_FRAME);

  assert.equal((await readAll(fast)).text.length, 20);
  assert.equal(((await readAll(slow)).error as GatewayError).code, 'shared_call_lost');
});

test('a reader alone that leaves ends the source with its reason at once', async () => {
  const { stream, feed, abort } = open();
  const one = client();
  const payer = readAll(stream.pay(one.signal));
  feed(piece('abc'));
  await quiet();

  one.leave();

  assert.equal(abort.signal.reason, one.left);
  assert.equal((await payer).error, one.left);
  await stream.closed;
  assert.equal(stream.open(client().signal), null);
});

test('a payer that leaves stays for what others read on, and accounts for all of it', async () => {
  const { stream, feed, abort } = open();
  const one = client();
  const payer = stream.pay(one.signal);
  const other = readAll(stream.open(client().signal));
  feed(piece('abc'));
  const seen = await payer.next();
  one.leave();
  const rest = readAll(payer);

  feed(piece('defg', { usage: USAGE }), LAST_FRAME);

  assert.equal((await other).text, 'abcdefg');
  assert.equal(abort.signal.aborted, false);
  assert.deepEqual(await rest, { text: '', characters: 4, ended: true, error: null, usage: true });
  assert.equal(seen.value.producedCharacters, 3);
});

test('a payer that left before the first frame stays for those who joined', async () => {
  const { stream, feed, abort } = open();
  const one = client();
  one.leave();
  const payer = stream.pay(one.signal);
  const other = readAll(stream.open(client().signal));
  const rest = readAll(payer);

  feed(piece('abc'), LAST_FRAME);

  assert.equal((await other).ended, true);
  assert.equal((await rest).characters, 3);
  assert.equal(abort.signal.aborted, false);
});

test('when the last of the others leaves, the payer accounts for what was produced', async () => {
  const { stream, feed, abort } = open();
  const [one, two] = [client(), client()];
  const payer = readAll(stream.pay(one.signal));
  const other = readAll(stream.open(two.signal));
  feed(piece('abc'));
  await quiet();
  one.leave();
  feed(piece('de'));
  await quiet();

  two.leave();

  assert.equal(abort.signal.reason, two.left);
  assert.equal((await other).error, two.left);
  const { characters, error, ended } = await payer;
  assert.deepEqual([characters, error, ended], [5, two.left, false]);
});

test('a reader that is not read on neither slows the others nor makes more be held', async () => {
  const { stream, feed, wholes } = open({ maxBytes: 10 });
  const payer = stream.pay(client().signal);
  const slow = stream.open(client().signal);
  assert.ok(slow !== null);
  feed(...Array.from({ length: 20 }, (_, i) => piece(`${i % 10}`.repeat(4))), LAST_FRAME);

  const read = await readAll(payer);

  assert.equal(read.text.length, 80);
  assert.deepEqual(wholes, []);
  const behind = await readAll(slow);
  assert.equal(behind.text, '');
  assert.equal((behind.error as GatewayError).code, 'shared_call_lost');
});

test('the payer is waited for: what it has not read is never let go', async () => {
  const { stream, feed, asked } = open({ maxBytes: 10 });
  const payer = stream.pay(client().signal);
  const fast = stream.open(client().signal);
  feed(...Array.from({ length: 20 }, (_, i) => piece(`${i % 10}`.repeat(4))), LAST_FRAME);
  const all = readAll(fast);
  await quiet();
  assert.ok(asked() <= 4, `${asked()} frames were asked for`);

  const read = await readAll(payer);

  assert.equal(read.text.length, 80);
  assert.equal((await all).text, read.text);
});

test('a stream of exactly the bound is whole; one byte more is not, and goes on', async () => {
  for (const [size, isWhole] of [
    [10, true],
    [11, false],
  ] as const) {
    const { stream, feed, wholes } = open({ maxBytes: 10 });
    const payer = stream.pay(client().signal);
    feed(piece('x'.repeat(size)));
    await take(payer, 1);

    assert.equal(stream.soFar() !== null, isWhole);
    assert.equal(stream.open(client().signal) !== null, isWhole);
    if (!isWhole) await stream.closed;
    feed(LAST_FRAME);
    assert.ok((await readAll(payer)).ended);
    assert.equal(wholes.length, isWhole ? 1 : 0);
  }
});

test('frames are bounded in number too', async () => {
  const { stream, feed } = open({ maxFrames: 2 });
  const payer = stream.pay(client().signal);
  feed(piece('a'), piece('b'), piece('c'), LAST_FRAME);

  await take(payer, 3);

  assert.equal(stream.open(client().signal), null);
  assert.ok((await readAll(payer)).ended);
});

test('readers are bounded, and one that left makes room', async () => {
  const { stream } = open({ maxReaders: 2 });
  stream.pay(client().signal);
  const one = client();
  assert.ok(stream.open(one.signal) !== null);
  assert.equal(stream.open(client().signal), null);

  one.leave();

  assert.ok(stream.open(client().signal) !== null);
});

test('who has left already is given no reader', () => {
  const { stream } = open();
  stream.pay(client().signal);
  const one = client();
  one.leave();

  assert.equal(stream.open(one.signal), null);
});

test('a reader that stops reading by itself has left', async () => {
  const { stream, feed, abort } = open();
  const payer = stream.open(client().signal);
  feed(piece('a'));
  for await (const _ of payer ?? []) break;

  assert.equal(abort.signal.aborted, true);
  assert.deepEqual(await payer?.next(), { done: true, value: undefined });
});

test('nothing of a stream that ended is left on the signals of its readers', async () => {
  const { stream, feed } = open();
  const clients = [client(), client()];
  const [payer, other] = [
    stream.pay(clients[0]?.signal as AbortSignal),
    stream.open(clients[1]?.signal as AbortSignal),
  ];
  feed(piece('a'), LAST_FRAME);

  await Promise.all([readAll(payer), readAll(other)]);

  for (const { signal } of clients) assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('however readers come, read and leave, each has a prefix of the stream', async () => {
  const step = fc.tuple(
    fc.constantFrom('join', 'read', 'read', 'read', 'leave', 'feed'),
    fc.nat(4),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, isSmall) => {
      const { stream, feed, abort } = open({ maxBytes: isSmall ? 6 : 1000 });
      let text = '';
      const readers = [{ ...client(), frames: stream.pay(client().signal), read: '' }] as {
        leave(): void;
        frames: AsyncIterator<StreamFrame> | null;
        read: string;
      }[];
      for (const [kind, which] of steps) {
        const reader = readers[which % readers.length];
        if (kind === 'feed') {
          const next = String.fromCharCode(97 + (text.length % 26));
          text += next;
          feed(piece(next));
        }
        if (kind === 'join') {
          const one = client();
          readers.push({ ...one, frames: stream.open(one.signal), read: '' });
        }
        if (kind === 'leave' && which > 0) reader?.leave();
        if (kind === 'read' && reader?.frames && reader.read.length < text.length) {
          const read = await Promise.race([
            reader.frames.next().catch(() => null),
            quiet().then(() => undefined),
          ]);
          if (read === null || read?.done === true) reader.frames = null;
          else if (read !== undefined) reader.read += read.value.bytes;
          else reader.frames = null; // asked before it came: the next test step would race it
        }
        for (const one of readers) assert.ok(text.startsWith(one.read), one.read);
        const held = stream.soFar();
        assert.ok(held === null || held.reduce((sum, { length }) => sum + length, 0) <= 1000);
      }
      abort.abort(new GatewayError('client_closed'));
      await stream.ended;
    }),
    { numRuns: 100 },
  );
});
