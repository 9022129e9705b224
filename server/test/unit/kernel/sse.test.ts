/**
 * Goal: events are cut out of bytes the same way whatever the cutting, and as the standard
 * says. Method: random streams, cut at random places, against the whole stream and against
 * eventsource-parser as oracle. A failure prints the seed that replays it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { createSseSplitter, SseOverflow, type SseRecord } from '../../../src/kernel/sse.ts';

const LIMIT_BYTES = 1_000_000;

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const text = fc
  .string({
    unit: fc.constantFrom('a', ':', ' ', '{', 'ñ', '€', '🚀', '\t', '\uFEFF'),
    maxLength: 12,
  })
  .filter((value) => !value.startsWith('\uFEFF'));
const field = fc.constantFrom('data', 'event', 'id', 'retry', 'other', '');
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(field, fc.constantFrom(':', ': ', ''), text).map((p) => p.join('')),
  },
  { weight: 3, arbitrary: text.map((value) => `data: ${value}`) },
  { weight: 2, arbitrary: fc.constant('') },
);
const stream = fc
  .array(fc.tuple(line, lineEnd), { maxLength: 30 })
  .chain((lines) =>
    fc.tuple(fc.constant(lines.map((pair) => pair.join('')).join('')), fc.boolean()),
  )
  .map(([body, withMark]) => Buffer.from((withMark ? '\uFEFF' : '') + body));

const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 20 });

function cutAt(bytes: Buffer, points: readonly number[]): Buffer[] {
  const sorted = points.map((point) => Math.min(point, bytes.length)).sort((a, b) => a - b);
  const starts = [0, ...sorted];
  return starts.map((start, i) => Buffer.from(bytes.subarray(start, starts[i + 1])));
}

function splitAll(chunks: readonly Buffer[], limitBytes = LIMIT_BYTES): SseRecord[] {
  const splitter = createSseSplitter(limitBytes);
  const records = chunks.flatMap((chunk) => splitter.push(chunk));
  const last = splitter.end();
  return last === null ? records : [...records, last];
}

function plain(records: readonly SseRecord[]): unknown[] {
  return records.map(({ data, event, bytes }) => ({
    data,
    event,
    bytes: bytes.toString('latin1'),
  }));
}

test('the records of a stream, joined, are its bytes', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, points) => {
      const joined = Buffer.concat(splitAll(cutAt(bytes, points)).map((record) => record.bytes));

      assert.deepEqual(joined, bytes);
    }),
  );
});

test('any cutting of the bytes gives the same records', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, points) => {
      const cut = splitAll(cutAt(bytes, points));

      assert.deepEqual(plain(cut), plain(splitAll([bytes])));
    }),
    { numRuns: 500 },
  );
});

test('bytes dripped one by one give the same records', () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const dripped = splitAll([...bytes].map((byte) => Buffer.from([byte])));

      assert.deepEqual(plain(dripped), plain(splitAll([bytes])));
    }),
  );
});

test('data and names of complete events equal those of eventsource-parser', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, points) => {
      const expected: unknown[] = [];
      const oracle = createParser({
        onEvent: (event) => expected.push({ data: event.data, event: event.event ?? '' }),
      });
      const source = bytes.toString('utf8');
      // The oracle waits behind a CR at the very end; an ignored field lets it go on.
      oracle.feed(`${source}${source.endsWith('\r') ? 'z' : ''}`);
      const splitter = createSseSplitter(LIMIT_BYTES);
      const records = [...cutAt(bytes, points), Buffer.from(source.endsWith('\r') ? 'z' : '')]
        .flatMap((chunk) => splitter.push(chunk))
        .filter((record) => record.data !== null)
        .map((record) => ({ data: record.data, event: record.event ?? '' }));

      assert.deepEqual(records, expected);
    }),
    { numRuns: 1000 },
  );
});

test('a chunk that is one complete event is handed on as the very same buffer', () => {
  const chunk = Buffer.from('data: {"a":1}\n\n');

  const [record] = createSseSplitter(LIMIT_BYTES).push(chunk);

  assert.equal(record?.bytes, chunk);
  assert.equal(record?.data, '{"a":1}');
});

test('a byte order mark before the first event is forwarded and not part of its field', () => {
  const bytes = Buffer.from('\uFEFFdata: 1\n\n\uFEFFdata: 2\n\n');

  const records = splitAll([bytes]);

  assert.deepEqual(
    records.map((record) => record.data),
    ['1', null],
  );
  assert.equal(records[0]?.bytes.length, 3 + 'data: 1\n\n'.length);
});

test('an event without its blank line is handed out at the end', () => {
  const splitter = createSseSplitter(LIMIT_BYTES);

  assert.deepEqual(
    splitter.push(Buffer.from('data: 1\n\ndata: 2\n')).map((r) => r.data),
    ['1'],
  );
  assert.equal(splitter.end()?.data, '2');
  assert.equal(splitter.end(), null);
});

test('a CR that closes an event at the end of the stream closes it', () => {
  assert.deepEqual(
    splitAll([Buffer.from('data: 1\r\r')]).map((r) => r.data),
    ['1'],
  );
});

test('an event of exactly the limit passes and one byte more is refused, however it is cut', () => {
  const atLimit = Buffer.from(`data: ${'x'.repeat(92)}\n\n`);
  const above = Buffer.from(`data: ${'x'.repeat(93)}\n\n`);
  fc.assert(
    fc.property(cuts, (points) => {
      assert.equal(splitAll(cutAt(atLimit, points), 100).length, 1);
      assert.throws(() => splitAll(cutAt(above, points), 100), SseOverflow);
    }),
  );
});

test('a large event takes its size twice: while it is unfinished, and as one', () => {
  const pieces = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x'));
  const end = Buffer.from('\n\n');
  const taken: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const splitter = createSseSplitter(8 * 1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    for (const piece of pieces) splitter.push(piece);
    splitter.push(end);
    taken.push(process.memoryUsage().arrayBuffers - before);
  }

  const bytes = pieces.length * 65_536;
  assert.ok(Math.max(...taken) >= 2 * bytes, 'a collection hid what was taken');
  assert.ok(Math.max(...taken) <= 2.25 * bytes, `${Math.max(...taken)} bytes`);
});

test('small pieces of many events are kept in little more than they are', () => {
  const splitters = Array.from({ length: 1000 }, () => createSseSplitter(LIMIT_BYTES));
  const before = process.memoryUsage().arrayBuffers;
  for (const splitter of splitters) splitter.push(Buffer.from('data: hel'));
  const taken = process.memoryUsage().arrayBuffers - before;

  assert.ok(taken <= splitters.length * 256, `${taken} bytes`);
});

test('a large event dripped in small pieces costs time in proportion to its size', () => {
  const piece = Buffer.alloc(64, 'x');
  const dripMs = (pieces: number): number => {
    const splitter = createSseSplitter(pieces * 64 + 100);
    const startedMs = performance.now();
    splitter.push(Buffer.from('data: '));
    for (let i = 0; i < pieces; i += 1) splitter.push(piece);
    assert.equal(splitter.push(Buffer.from('\n\n'))[0]?.data?.length, pieces * 64);
    return performance.now() - startedMs;
  };
  dripMs(2_000);

  const smallMs = Math.min(dripMs(4_000), dripMs(4_000));
  const largeMs = Math.min(dripMs(64_000), dripMs(64_000));

  // 16 times the pieces: 16 times the time, where copying the rest each time would be 256.
  assert.ok(largeMs < 100 * smallMs + 20, `${smallMs} ms grew to ${largeMs} ms`);
});
