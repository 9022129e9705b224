/**
 * Goal: each exchange leaves exactly one line and the right figures, whatever its end, and
 * nothing secret. Method: ended exchanges built by hand; lines captured, metrics exposed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { createObserver } from '../../../src/telemetry/observer.ts';
import { createTracer } from '../../../src/telemetry/tracing/tracer.ts';
import { attempt } from '../pipeline/fakes.ts';
import { captureLog, endedExchange, route, target } from './exchanges.ts';

const WELL = { status: 200, durationMs: 815.4567, error: null };

async function value(metrics: Metrics, series: string): Promise<number | undefined> {
  const { text } = await metrics.expose();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('a completed exchange leaves one info line with every field', () => {
  const log = captureLog();
  const exchange = endedExchange({ stream: true });
  exchange.firstTokenMs = 120.5;

  createObserver(log, createMetrics()).ended(exchange, WELL);

  const line = log.only();
  assert.match(String(line.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  delete line.timestamp;
  assert.deepEqual(line, {
    level: 'info',
    logger: 'exchange',
    message: 'request completed',
    context: {
      service: 'esclusa',
      request_id: 'req_01',
      correlation_id: 'corr-1',
      tenant: 'acme',
    },
    key_id: 'key_01',
    dialect: 'openai',
    operation: 'chat',
    model: 'fast',
    provider: 'openai',
    provider_model: 'gpt-4o-mini',
    stream: true,
    status: 200,
    outcome: 'completed',
    cache: 'MISS',
    attempts: 1,
    input_tokens: 100,
    output_tokens: 20,
    cost_nanousd: 15_000,
    duration_ms: 815.457,
    upstream_ms: 800,
    overhead_ms: 15.457,
    first_token_ms: 120.5,
  });
});

test('a line tells which tier gave an answer, and the beginning of its key', () => {
  for (const tier of ['memory', 'redis']) {
    const log = captureLog();
    const exchange = endedExchange();
    exchange.cache = { status: 'HIT', tier, ageSeconds: 3, detail: null };
    exchange.cacheKey = 'WRIC7PQlWhLJiNyEOa2zU-0QuvAq0fKRV7oB3o-zR7A';
    createObserver(log, createMetrics()).ended(exchange, WELL);

    const { cache, cache_tier, cache_key } = log.only();
    assert.deepEqual([cache, cache_tier, cache_key], ['HIT', tier, 'WRIC7PQlWhLJiNyE']);
  }
});

test('at the level debug an exchange leaves a line when it starts', () => {
  for (const level of ['debug', 'info'] as const) {
    const log = captureLog({ level });
    createObserver(log, createMetrics()).started(endedExchange({ model: 'sk-proj-12345678' }));

    if (level === 'info') assert.deepEqual(log.lines, []);
    else {
      const { message, context, dialect } = log.only();
      assert.equal(message, 'request started');
      const ids = { request_id: 'req_01', correlation_id: 'corr-1' };
      assert.deepEqual(context, { service: 'esclusa', ...ids });
      assert.equal(dialect, 'openai');
    }
  }
});

test('the line has the shape of every other line', () => {
  const exchangeLog = captureLog();
  const ordinaryLog = captureLog();

  createObserver(exchangeLog, createMetrics()).ended(endedExchange(), WELL);
  ordinaryLog.log.info('x');

  const shared = Object.keys(ordinaryLog.only());
  for (const member of shared) assert(member in exchangeLog.only(), member);
});

test('the page about the log names every member of the line, and none that it never has', () => {
  const log = captureLog();
  const exchange = endedExchange({ stream: true });
  exchange.firstTokenMs = 120.5;
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const error = new GatewayError('upstream_unreachable', { cause });
  createObserver(log, createMetrics()).ended(exchange, { ...WELL, status: 502, error });

  const page = readFileSync(new URL('../../../../docs/logs.md', import.meta.url), 'utf8');
  const of = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const named = (section: string): string[] =>
    section
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, it]) => it))
      .filter((name) => name !== undefined);
  const documented = [
    ...named(of('A line as JSON')),
    ...named(of('The line of a call to a model')),
  ];

  const written = new Set([...Object.keys(log.only()), 'exception']);
  assert.deepEqual(documented.sort(), [...written].sort());
});

test('where traces are made a line names the trace and the span', () => {
  const log = captureLog();
  const { open } = createTracer(systemRandom, () => ({ sampleRatio: 0, followParent: true }));
  const trace = open([]);

  createObserver(log, createMetrics()).ended(endedExchange({ trace }), WELL);

  const { context } = log.only() as { readonly context: Readonly<Record<string, unknown>> };
  assert.equal(context.trace_id, trace.traceId);
  assert.equal(context.span_id, trace.spanId);
});

test('a refusal before anybody is known leaves a line too', () => {
  const log = captureLog();
  const error = new GatewayError('credentials_missing');

  createObserver(log, createMetrics()).ended(endedExchange({ anonymous: true }), {
    status: 401,
    durationMs: 1,
    error,
  });

  const line = log.only();
  assert.equal(line.level, 'warn');
  assert.equal(line.message, 'request rejected');
  assert.equal(line.error_code, 'credentials_missing');
  assert.equal(line.event, 'security');
  assert.equal(line.address, null);
  assert.equal('key_id' in line, false);
  assert.equal('exception' in line, false);
});

test('a provider’s failure warns with its code and the system’s, without a stack', () => {
  const log = captureLog();
  const cause = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' });
  const error = new GatewayError('upstream_unreachable', { cause });
  const exchange = endedExchange({ entry: { outcome: 'failed', costNanousd: 0 } });

  createObserver(log, createMetrics()).ended(exchange, { status: 502, durationMs: 3, error });

  const line = log.only();
  assert.equal(line.level, 'warn');
  assert.equal(line.error_code, 'upstream_unreachable');
  assert.equal(line.error_detail, 'ECONNREFUSED');
  assert.equal('exception' in line, false);
  assert(!log.text().includes('10.0.0.1'));
});

test('a stream that failed after its head warns although its status is 200', () => {
  const log = captureLog();
  const exchange = endedExchange({ stream: true, entry: { outcome: 'failed' } });

  createObserver(log, createMetrics()).ended(exchange, {
    ...WELL,
    error: new GatewayError('upstream_truncated'),
  });

  assert.equal(log.only().level, 'warn');
  assert.equal(log.only().message, 'request failed');
});

test('a client that left is no failure', () => {
  const log = captureLog();
  const error = new GatewayError('client_closed');

  createObserver(log, createMetrics()).ended(endedExchange({ entry: null }), {
    status: 499,
    durationMs: 3,
    error,
  });

  assert.equal(log.only().level, 'info');
  assert.equal(log.only().outcome, 'aborted');
});

test('our own failure is an error with its cause’s stack', () => {
  const log = captureLog();

  createObserver(log, createMetrics()).ended(endedExchange({ entry: null }), {
    status: 500,
    durationMs: 3,
    error: new TypeError('x is undefined'),
  });

  const line = log.only() as { level: string; exception: Record<string, string> };
  assert.equal(line.level, 'error');
  assert.equal(line.exception.type, 'TypeError');
  assert.match(line.exception.traceback ?? '', /observer\.test/);
});

test('canaries in what clients, providers and errors say leave no trace', () => {
  const log = captureLog();
  const metrics = createMetrics();
  const observer = createObserver(log, metrics);
  const canary = 'sk-canary0123456789';
  const errors = [
    null,
    new Error(`boom ${canary} https://u:canary@host`),
    new GatewayError('upstream_failed', {
      message: canary,
      cause: Object.assign(new Error(canary), { code: canary }),
    }),
    new GatewayError('internal_error', { cause: new Error(`prompt Bearer ${canary}`) }),
    canary,
    { toString: () => canary },
  ];
  for (const error of errors) {
    const exchange = endedExchange({ model: canary, correlationId: canary, anonymous: true });
    observer.ended(exchange, { status: error === null ? 200 : 500, durationMs: 1, error });
  }

  assert.equal(log.lines.length, errors.length);
  assert(!log.text().includes('canary'), log.text());
  for (const line of log.lines) JSON.parse(line);
});

test('a name made of quotes, line feeds and kilobytes keeps the line whole', () => {
  const log = captureLog();
  const model = `"},\n\u2028"level":"forged${'x'.repeat(10_000)}`;

  createObserver(log, createMetrics()).ended(endedExchange({ model, anonymous: true }), WELL);

  assert.equal(log.lines.length, 1);
  assert.equal(log.text().indexOf('\n'), log.text().length - 1);
  assert.equal(log.only().level, 'info');
  assert(log.text().length < 1500);
});

test('an exchange moves requests, time, tokens, cost and cache', async () => {
  const metrics = createMetrics();
  const observer = createObserver(captureLog(), metrics);

  observer.started(endedExchange());
  observer.started(endedExchange());
  observer.ended(endedExchange(), WELL);

  const labels = 'dialect="openai",operation="chat",model="fast",provider="openai"';
  const place = 'model="fast",provider="openai"';
  const genAi =
    'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o-mini"';
  const expected: readonly [string, number][] = [
    [`esclusa_requests_total{${labels},status="200"}`, 1],
    ['esclusa_requests_in_flight', 1],
    [`esclusa_request_duration_seconds_bucket{operation="chat",${place},le="0.64"}`, 0],
    [`esclusa_request_duration_seconds_bucket{operation="chat",${place},le="1.28"}`, 1],
    [`esclusa_tokens_total{${place},direction="input"}`, 100],
    [`esclusa_tokens_total{${place},direction="cached_input"}`, 40],
    [`esclusa_tokens_total{${place},direction="output"}`, 20],
    [`esclusa_cost_nanousd_total{${place}}`, 15_000],
    [`esclusa_unpriced_total{${place}}`, 0],
    ['esclusa_cache_requests_total{result="MISS"}', 1],
    ['esclusa_overhead_seconds_bucket{operation="chat",le="0.01"}', 0],
    ['esclusa_overhead_seconds_bucket{operation="chat",le="0.025"}', 1],
    [`gen_ai_client_operation_duration_seconds_sum{${genAi},error_type=""}`, 0.8],
    [`gen_ai_client_token_usage_sum{${genAi},gen_ai_token_type="input"}`, 100],
    [`gen_ai_client_token_usage_sum{${genAi},gen_ai_token_type="output"}`, 20],
    ['esclusa_attempts_total{provider="openai",result="ok"}', 1],
  ];
  for (const [series, figure] of expected)
    assert.equal(await value(metrics, series), figure, series);
});

test('an unpriced exchange is counted and costs nothing', async () => {
  const metrics = createMetrics();

  createObserver(captureLog(), metrics).ended(
    endedExchange({ entry: { costNanousd: null } }),
    WELL,
  );

  const place = '{model="fast",provider="openai"}';
  assert.equal(await value(metrics, `esclusa_unpriced_total${place}`), 1);
  assert.equal(await value(metrics, `esclusa_cost_nanousd_total${place}`), 0);
});

test('retries and failovers are told apart, each attempt has its result', async () => {
  const metrics = createMetrics();
  const exchange = endedExchange();
  exchange.attempts.length = 0;
  const failed = new GatewayError('upstream_failed');
  exchange.attempts.push(attempt(target('claude'), { error: failed }));
  exchange.attempts.push(attempt(target('claude'), { startedMs: 1, error: failed }));
  exchange.attempts.push(attempt(target('openai'), { startedMs: 2 }));

  createObserver(captureLog(), metrics).ended(exchange, WELL);

  const expected: readonly [string, number][] = [
    ['esclusa_attempts_total{provider="claude",result="upstream_failed"}', 2],
    ['esclusa_attempts_total{provider="openai",result="ok"}', 1],
    ['esclusa_retries_total{provider="claude",kind="retry"}', 1],
    ['esclusa_retries_total{provider="openai",kind="failover"}', 1],
  ];
  for (const [series, figure] of expected)
    assert.equal(await value(metrics, series), figure, series);
});

test('an attempt with another key of the same provider is no retry', async () => {
  const metrics = createMetrics();
  const exchange = endedExchange();
  exchange.attempts.length = 0;
  const error = new GatewayError('upstream_credentials');
  exchange.attempts.push(attempt(target('openai'), { key: '1', error }));
  exchange.attempts.push(attempt(target('openai'), { startedMs: 1, key: '2' }));

  createObserver(captureLog(), metrics).ended(exchange, WELL);

  const series = (kind: string) => `esclusa_retries_total{provider="openai",kind="${kind}"}`;
  assert.equal(await value(metrics, series('key')), 1);
});

test('refusals by a limit and by a budget have their reasons', async () => {
  const metrics = createMetrics();
  const observer = createObserver(captureLog(), metrics);

  for (const code of ['rate_limited', 'budget_exceeded', 'budget_exceeded'] as const) {
    const error = new GatewayError(code);
    observer.ended(endedExchange({ anonymous: true }), {
      status: error.status,
      durationMs: 1,
      error,
    });
  }

  assert.equal(await value(metrics, 'esclusa_limit_refusals_total{reason="rate_limited"}'), 1);
  assert.equal(await value(metrics, 'esclusa_budget_refusals_total{reason="budget_exceeded"}'), 2);
  assert.equal(await value(metrics, 'esclusa_errors_total{code="budget_exceeded"}'), 2);
});

test('ten thousand models, made up or routed, leave a bounded exposition', async () => {
  const metrics = createMetrics();
  const observer = createObserver(captureLog({ level: 'error' }), metrics);
  for (let i = 0; i < 10_000; i += 1) {
    const madeUp = endedExchange({ model: `made-up-${i}` });
    madeUp.route = null;
    observer.ended(madeUp, WELL);
    const routed = endedExchange({ model: `routed-${i}` });
    routed.route = route(`routed-${i}`);
    routed.provider = `provider-${i}`;
    observer.ended(routed, WELL);
  }

  const { text } = await metrics.expose();

  assert(!text.includes('made-up'));
  assert(text.split('\n').length < 30_000, `${text.split('\n').length} lines`);
  assert(
    text.split('\n').filter((line) => line.startsWith('esclusa_requests_total{')).length < 300,
  );
  const other =
    'esclusa_requests_total{dialect="openai",operation="chat",' +
    'model="other",provider="other",status="200"}';
  const booked = (await value(metrics, other)) ?? 0;
  assert(booked > 9000 && booked < 10_000, `${booked}`);
});

test('an exchange that cannot be reported harms nobody and is told', () => {
  const log = captureLog();
  const exchange = endedExchange();
  const broken = Object.assign(Object.create(exchange), { request: undefined });

  createObserver(log, createMetrics()).ended(broken, WELL);

  assert.equal(log.only().message, 'an exchange could not be reported');
});
