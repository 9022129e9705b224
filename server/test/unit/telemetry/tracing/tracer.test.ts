/**
 * Goal: which exchanges are recorded is decided by the caller where it has decided, else by share.
 * Method: identifiers from a seeded source; many traces are opened and counted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeTraceParent } from '../../../../src/gateway/model/trace.ts';
import { createTracer } from '../../../../src/telemetry/tracing/tracer.ts';
import { createSeededRandom } from '../../../support/seeded-random.ts';

const PARENT = { traceId: 'f'.repeat(32), spanId: '1'.repeat(16) };

function tracer(sampleRatio: number, followParent = true) {
  return createTracer(createSeededRandom(11), () => ({ sampleRatio, followParent }));
}

test('the share of traces that is recorded is the configured one', () => {
  for (const [ratio, least, most] of [
    [0, 0, 0],
    [0.1, 800, 1200],
    [1, 10_000, 10_000],
  ] as const) {
    const { open } = tracer(ratio);
    let recorded = 0;
    for (let i = 0; i < 10_000; i += 1) if (open([]).sampled) recorded += 1;
    assert.ok(recorded >= least && recorded <= most, `${recorded} of 10000 at ${ratio}`);
  }
});

test('a caller’s decision holds, whatever the share, unless it is not to be followed', () => {
  for (const sampled of [true, false]) {
    const headers = ['traceparent', writeTraceParent({ ...PARENT, sampled })];
    assert.equal(tracer(sampled ? 0 : 1).open(headers).sampled, sampled);
    assert.equal(tracer(sampled ? 0 : 1, false).open(headers).sampled, !sampled);
  }
});

test('every process takes the same decision about a trace', () => {
  const ids = tracer(1);
  for (let i = 0; i < 1000; i += 1) {
    const { traceId, spanId } = ids.open([]);
    const headers = ['traceparent', writeTraceParent({ traceId, spanId, sampled: false })];
    const one = createTracer(createSeededRandom(1), () => SHARE).open(headers);
    const other = createTracer(createSeededRandom(2), () => SHARE).open(headers);
    assert.equal(one.sampled, other.sampled);
  }
});

const SHARE = { sampleRatio: 0.5, followParent: false };

test('an exchange is below its caller’s span, and what it sets off below the exchange', () => {
  const opened = tracer(1).open(['traceparent', writeTraceParent({ ...PARENT, sampled: true })]);
  const child = opened.child();

  assert.equal(opened.traceId, PARENT.traceId);
  assert.deepEqual(opened.parent, { spanId: PARENT.spanId, isRemote: true });
  assert.deepEqual(child.parent, { spanId: opened.spanId, isRemote: false });
  assert.equal(child.traceId, PARENT.traceId);
  const spans = [opened.spanId, child.spanId, opened.newSpanId(), opened.newSpanId()];
  assert.equal(new Set(spans).size, 4);
  for (const span of spans) assert.match(span, /^[0-9a-f]{16}$/);
});

test('an identifier is never zero', () => {
  const zeros = { float: () => 0, bytes: (length: number) => new Uint8Array(length) };
  const { traceId, spanId } = createTracer(zeros, () => SHARE).open([]);

  assert.match(traceId, /^0{31}1$/);
  assert.match(spanId, /^0{15}1$/);
});
