/**
 * Goal: spans that wait keep nothing of the exchange alive: its body, headers and credential are
 * let go of with it. Method: an exchange in a reference that does not hold it, its spans held,
 * and the garbage collector asked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { systemRandom } from '../../../../src/kernel/random.ts';
import { spansOf } from '../../../../src/telemetry/tracing/exchange-spans.ts';
import { createTracer } from '../../../../src/telemetry/tracing/tracer.ts';
import { until } from '../../../support/until.ts';
import { endedExchange } from '../exchanges.ts';

const END = { status: 200, durationMs: 815, error: null };

function traced() {
  const { open } = createTracer(systemRandom, () => ({ sampleRatio: 1, followParent: true }));
  const trace = open([]);
  const exchange = endedExchange({ stream: true, trace });
  const { target } = exchange.attempts[0] as (typeof exchange.attempts)[number];
  exchange.attempts.splice(0, 1, {
    ...{ target, startedMs: 1, endedMs: 120, key: null, error: null },
    spanId: trace.newSpanId(),
  });
  return { exchange, trace };
}

test('spans that wait do not keep their exchange', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const make = () => {
    const { exchange, trace } = traced();
    const spans = spansOf(exchange, trace, END, resourceFromAttributes({}));
    return { spans, reference: new WeakRef(exchange) };
  };
  const { spans, reference } = make();

  await until('the exchange is let go of', async () => {
    await setImmediate();
    collect();
    return reference.deref() === undefined;
  });
  assert.equal(spans.length, 2);
  assert.equal(spans[1]?.spanContext().traceId, spans[0]?.spanContext().traceId);
});

test('an attempt of a stream ends with the exchange, and began and spoke when it did', () => {
  const { exchange, trace } = traced();
  const [server, attempt] = spansOf(exchange, trace, END, resourceFromAttributes({}));

  assert.deepEqual(server?.startTime, [1_700_000_000, 0]);
  assert.deepEqual(server?.endTime, [1_700_000_000, 815_000_000]);
  assert.deepEqual(attempt?.startTime, [1_700_000_000, 1_000_000]);
  assert.deepEqual(attempt?.endTime, server?.endTime);
  assert.deepEqual(attempt?.events[0]?.time, [1_700_000_000, 120_000_000]);
});
