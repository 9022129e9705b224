/**
 * Goal: the exposition is what Prometheus reads, and stays small whatever clients send.
 * Method: families moved directly, the text parsed line by line.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS } from '../../../src/telemetry/metric-table.ts';
import { createMetrics, exposeTogether, single } from '../../../src/telemetry/metrics.ts';
import { watchProcess } from '../../../src/telemetry/process-metrics.ts';
import { until } from '../../support/until.ts';

function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('a counter, a gauge and a histogram are exposed with help, type and labels', async () => {
  const metrics = createMetrics();
  metrics.attempts.child({ provider: 'openai', result: 'ok' }).add(2);
  metrics.breakerState.child({ name: 'openai/gpt-4o' }).set(1);
  const overhead = metrics.overhead.child({ operation: 'chat' });
  for (const seconds of [0.0001, 0.0002, 5]) overhead.record(seconds);

  const { contentType, text } = await metrics.expose();

  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^# HELP esclusa_attempts_total Calls to providers/m);
  assert.match(text, /^# TYPE esclusa_attempts_total counter$/m);
  assert.match(text, /^esclusa_attempts_total\{provider="openai",result="ok"\} 2$/m);
  assert.match(text, /^circuit_breaker_state\{name="openai\/gpt-4o"\} 1$/m);
  assert.match(text, /^esclusa_overhead_seconds_bucket\{operation="chat",le="0.0001"\} 1$/m);
  assert.match(text, /^esclusa_overhead_seconds_bucket\{operation="chat",le="0.00025"\} 2$/m);
  assert.match(text, /^esclusa_overhead_seconds_bucket\{operation="chat",le="1"\} 2$/m);
  assert.match(text, /^esclusa_overhead_seconds_bucket\{operation="chat",le="\+Inf"\} 3$/m);
  assert.match(text, /^esclusa_overhead_seconds_count\{operation="chat"\} 3$/m);
  assert.match(text, /^esclusa_overhead_seconds_sum\{operation="chat"\} 5\.0003$/m);
});

test('a label value is escaped', async () => {
  const metrics = createMetrics();
  metrics.breakerState.child({ name: 'a"b\\c\nd' }).set(0);

  const { text } = await metrics.expose();

  assert.match(text, /^circuit_breaker_state\{name="a\\"b\\\\c\\nd"\} 0$/m);
});

test('the same labels are the same series', () => {
  const metrics = createMetrics();

  const first = metrics.httpRequests.child({ method: 'GET', endpoint: '/', status: '200' });
  const again = metrics.httpRequests.child({ status: '200', endpoint: '/', method: 'GET' });

  assert.equal(first, again);
});

test('values that make no sense are left out', async () => {
  const metrics = createMetrics();
  const counter = metrics.errors.child({ code: 'x' });
  for (const amount of [1, -1, Number.NaN, Number.POSITIVE_INFINITY]) counter.add(amount);
  metrics.overhead.child({ operation: 'chat' }).record(Number.NaN);
  metrics.breakerState.child({ name: 'b' }).set(Number.NaN);

  const { text } = await metrics.expose();

  assert.match(text, /^esclusa_errors_total\{code="x"\} 1$/m);
  assert.equal(linesOf(text, 'esclusa_overhead_seconds').length, 0);
  assert.match(text, /^circuit_breaker_state\{name="b"\} 0$/m);
});

test('sampled figures are read at each scrape', async () => {
  const metrics = createMetrics();
  let bytes = 1;
  metrics.journalBacklogBytes.sample(single(() => bytes));

  const before = await metrics.expose();
  bytes = 2;
  const after = await metrics.expose();

  assert.match(before.text, /^esclusa_journal_backlog_bytes 1$/m);
  assert.match(after.text, /^esclusa_journal_backlog_bytes 2$/m);
});

test('outside values collapse into other once there are too many', async () => {
  const metrics = createMetrics(50);
  for (let i = 0; i < 10_000; i += 1) {
    metrics.breakerFailures.child({ name: `target-${i}` }).add(1);
    metrics.httpRequests.child({ method: 'GET', endpoint: `/${i}`, status: '404' }).add(1);
  }

  const { text } = await metrics.expose();

  assert.equal(linesOf(text, 'circuit_breaker_failures_total{').length, 51);
  assert.match(text, /^circuit_breaker_failures_total\{name="other"\} 9950$/m);
  assert.match(text, /^http_requests_total\{method="GET",endpoint="other",status="404"\} 9950$/m);
});

test('several processes are joined: sums, and the worst state of a breaker', async () => {
  const workers = [createMetrics(), createMetrics()];
  for (const [i, metrics] of workers.entries()) {
    metrics.errors.child({ code: 'x' }).add(i + 1);
    metrics.breakerState.child({ name: 'b' }).set(i);
    metrics.configGeneration.sample(single(() => 7 + i));
    metrics.overhead.child({ operation: 'chat' }).record(0.002);
  }

  const reports = await Promise.all(workers.map((metrics) => metrics.reports()));
  const carried = JSON.parse(JSON.stringify(reports));
  const { text } = await exposeTogether(carried);

  assert.match(text, /^esclusa_errors_total\{code="x"\} 3$/m);
  assert.match(text, /^circuit_breaker_state\{name="b"\} 1$/m);
  assert.match(text, /^esclusa_config_generation 7$/m);
  assert.match(text, /^esclusa_overhead_seconds_count\{operation="chat"\} 2$/m);
  assert.match(text, /^esclusa_overhead_seconds_bucket\{operation="chat",le="\+Inf"\} 2$/m);
});

test('a breaker open in one process is open, though it is half open in others', async () => {
  const states = [2, 1, 0];
  const workers = states.map((state) => {
    const metrics = createMetrics();
    metrics.breakerState.child({ name: 'one' }).set(state);
    metrics.breakerState.child({ name: 'two' }).set(state === 1 ? 0 : state);
    return metrics;
  });

  const reports = await Promise.all(workers.map((metrics) => metrics.reports()));
  const { text } = await exposeTogether(reports);

  assert.deepEqual(linesOf(text, 'circuit_breaker_state{'), [
    'circuit_breaker_state{name="one"} 1',
    'circuit_breaker_state{name="two"} 2',
  ]);
});

test('the process tells about itself', async () => {
  const metrics = createMetrics();
  const watch = watchProcess(metrics);

  const { text } = await metrics.expose();
  watch.close();

  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes']) {
    const value = Number(linesOf(text, `${name} `)[0]?.split(' ')[1]);
    assert(value > 0, `${name} ${value}`);
  }
  assert.match(text, new RegExp(`^nodejs_version_info\\{version="${process.version}"\\} 1$`, 'm'));
  assert.equal(linesOf(text, 'nodejs_eventloop_lag_seconds{').length, 3);
});

test('an idle event loop has no delay, a blocked one has the time it was blocked', async () => {
  const metrics = createMetrics();
  const watch = watchProcess(metrics);
  const lag = async (quantile: string) => {
    const { text } = await metrics.expose();
    const [line = ''] = linesOf(text, `nodejs_eventloop_lag_seconds{quantile="${quantile}"}`);
    return Number(line.split(' ')[1]);
  };

  const turn = (times: number) => {
    let turned = 0;
    return until('the loop turned', () => {
      turned += 1;
      return turned > times;
    });
  };

  await lag('1');
  await turn(30);
  const idle = await lag('0.5');
  await turn(10); // the first sample after a scrape is not counted
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  await turn(10);
  const blocked = await lag('1');
  watch.close();

  assert.ok(idle < 0.01, `${idle} s while idle`);
  assert.ok(blocked > 0.1, `${blocked} s while blocked`);
});

test('every row of the table has a legal unique name, rising buckets and known open labels', () => {
  const names = new Set<string>();
  for (const spec of Object.values(METRICS)) {
    assert.match(spec.name, /^[a-z][a-z0-9_]*$/);
    assert(!names.has(spec.name), spec.name);
    names.add(spec.name);
    assert.equal(spec.name.endsWith('_total'), spec.type === 'counter', spec.name);
    const labels: readonly string[] = spec.labels;
    for (const label of spec.open) assert(labels.includes(label), `${spec.name} ${label}`);
    for (const label of labels) {
      assert.match(label, /^[a-z_]+$/);
      assert(!/tenant|user|key/.test(label), `${spec.name} ${label}`);
    }
    const { buckets } = spec as { readonly buckets: readonly number[] };
    assert.deepEqual(
      buckets,
      [...buckets].sort((a, b) => a - b),
    );
    assert.equal(buckets.length > 0, spec.type === 'histogram', spec.name);
  }
});
