/**
 * Goal: where a collector is configured, every call leaves the spans that tell how it went, under
 * the client's own span, and no collector can hurt a call. Method: the whole program, a collector
 * and a provider over real sockets; spans are decoded by the specification of the wire.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Collector, startCollector } from '../support/otlp/collector.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const CLIENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const PARENT = `00-${CLIENT.trace}-${CLIENT.span}-01`;
const MAX_SPANS = 32;

let collector: Collector;
let upstream: ScriptedUpstream;
let gateway: TestGateway;

before(async () => {
  [collector, upstream] = await Promise.all([startCollector(), startScriptedUpstream()]);
  gateway = await startGateway({ config: configuration() });
});

after(async () => {
  await gateway.close();
  await Promise.all([collector.close(), upstream.close()]);
});

afterEach(() => {
  upstream.forget();
  collector.manner = 'take';
});

function configuration(tracing: Readonly<Record<string, unknown>> = {}) {
  const retry = { attempts: 2, budget_ratio: 1 };
  const target = (model: string) => ({ provider: 'up', model });
  return {
    providers: { up: { kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-up' } },
    models: {
      one: { targets: [target('one')], retry },
      two: { targets: [target('first'), target('second')], retry },
      kept: { targets: [target('kept')], cache: { mode: 'always' } },
      stale: {
        targets: [target('stale')],
        cache: { mode: 'always', ttl_seconds: 1, stale_while_revalidate_seconds: 600 },
      },
    },
    resilience: { breaker: { failure_threshold: 1000 } },
    tracing: { endpoint: collector.url, interval_ms: 10, max_spans: MAX_SPANS, ...tracing },
  };
}

const HELLO = { messages: [{ role: 'user', content: 'Say hello.' }] };

/** The id of the exchange; its answer is read to the end. */
async function ask(
  fields: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await gateway.chat({ ...HELLO, ...fields }, ADMIN_KEY, { headers });
  await answer.text();
  return answer.headers.get('x-request-id') ?? '';
}

test('a call hangs below its client’s span, the provider’s part below the attempt', async () => {
  const id = await ask({ model: 'one' }, { traceparent: PARENT, 'x-correlation-id': 'corr-7' });

  const { server, attempts } = await collector.exchange(id);
  const [attempt] = attempts;
  assert.ok(attempt !== undefined && attempts.length === 1);
  assert.equal(server.traceId, CLIENT.trace);
  assert.equal(server.parentSpanId, CLIENT.span);
  assert.equal(attempt.traceId, CLIENT.trace);
  assert.equal(new Set([CLIENT.span, server.spanId, attempt.spanId]).size, 3);
  assert.deepEqual([server.name, server.kind, server.status], ['chat one', 2, 0]);
  assert.deepEqual([attempt.name, attempt.kind, attempt.status], ['chat one', 3, 0]);
  const { attributes } = server;
  assert.equal(attributes['http.response.status_code'], 200);
  assert.equal(attributes['esclusa.tenant'], 'default');
  assert.equal(attributes['esclusa.correlation_id'], 'corr-7');
  assert.equal(attributes['esclusa.outcome'], 'completed');
  assert.equal(attributes['gen_ai.provider.name'], 'up');
  assert.ok(Number(attributes['gen_ai.usage.output_tokens']) > 0);
  assert.equal(attempt.attributes['esclusa.target'], 'up/one');
  assert.equal(attempt.attributes['esclusa.attempt.kind'], 'first');
  assert.equal(server.resource['service.name'], 'esclusa');
  assert.ok(server.startNs <= attempt.startNs && attempt.endNs <= server.endNs);
  const [call] = upstream.calls;
  assert.equal(call?.headers.traceparent, `00-${CLIENT.trace}-${attempt.spanId}-01`);
});

test('a call of no trace, or of a broken one, begins its own', async () => {
  const broken = [
    undefined,
    'not-a-trace',
    `00-${'0'.repeat(32)}-${CLIENT.span}-01`,
    `ff-${CLIENT.trace}-${CLIENT.span}-01`,
  ];

  for (const traceparent of broken) {
    const id = await ask({ model: 'one' }, traceparent === undefined ? {} : { traceparent });
    const { server } = await collector.exchange(id);
    assert.equal(server.parentSpanId, '', traceparent);
    assert.notEqual(server.traceId, CLIENT.trace);
    assert.match(server.traceId, /^[0-9a-f]{32}$/);
  }
});

test('a stream’s attempt lasts as long as the stream, and tells of its first token', async () => {
  upstream.script('one', 'tokens=20,tps=200');
  const id = await ask({ model: 'one', stream: true });

  const { server, attempts } = await collector.exchange(id);
  const [attempt] = attempts;
  const [event, ...others] = attempt?.events ?? [];
  assert.ok(attempt !== undefined && event !== undefined && others.length === 0);
  assert.equal(event.name, 'first_token');
  assert.ok(attempt.startNs < event.timeNs && event.timeNs < attempt.endNs);
  assert.equal(attempt.endNs, server.endNs);
  assert.ok(Number(attempt.attributes['gen_ai.response.time_to_first_chunk']) > 0);
  assert.equal(server.attributes['gen_ai.request.stream'], true);
});

test('retries and failover are spans of their own, each with what went wrong', async () => {
  upstream.script('first', 'status=503');
  const id = await ask({ model: 'two' });

  const { server, attempts } = await collector.exchange(id);
  assert.deepEqual(
    attempts.map(({ attributes, status }) => [
      attributes['esclusa.target'],
      attributes['esclusa.attempt.kind'],
      attributes['error.type'],
      status,
    ]),
    [
      ['up/first', 'first', 'upstream_unavailable', 2],
      ['up/first', 'retry', 'upstream_unavailable', 2],
      ['up/second', 'failover', undefined, 0],
    ],
  );
  assert.deepEqual([server.status, server.attributes['error.type']], [0, undefined]);
  const told = upstream.calls.map(({ headers }) => String(headers.traceparent).split('-')[2]);
  assert.deepEqual(
    told,
    attempts.map(({ spanId }) => spanId),
  );
});

test('a call that fails says so by the code of its error', async () => {
  upstream.script('one', 'status=500');
  const failed = await ask({ model: 'one' });
  const unknown = await ask({ model: 'sk-proj-somebodys-secret-1234567890' });

  const { server, attempts } = await collector.exchange(failed);
  assert.equal(server.status, 2);
  assert.equal(server.attributes['error.type'], attempts.at(-1)?.attributes['error.type']);
  assert.equal(server.attributes['http.response.status_code'], 502);
  const refused = await collector.exchange(unknown);
  assert.deepEqual([refused.server.name, refused.server.status], ['chat', 0]);
  assert.equal(refused.server.attributes['error.type'], 'model_not_found');
  assert.equal(refused.server.attributes['gen_ai.request.model'], '[redacted]');
});

test('a call that is answered from the cache has no attempt', async () => {
  await ask({ model: 'kept', temperature: 0 });
  const id = await ask({ model: 'kept', temperature: 0 });

  const { server, attempts } = await collector.exchange(id);
  assert.deepEqual(attempts, []);
  assert.equal(server.attributes['esclusa.cache.status'], 'HIT');
  assert.equal(server.attributes['esclusa.cache.tier'], 'memory');
});

test('those who join a call have spans of their own, and one of them the attempt', async () => {
  upstream.script('kept', 'latency=300ms');
  const messages = [{ role: 'user', content: 'Asked by two at once' }];
  const ids = await Promise.all([1, 2].map(() => ask({ model: 'kept', messages })));

  const both = await Promise.all(ids.map((id) => collector.exchange(id)));
  const told = both.map(({ server, attempts }) => [
    server.attributes['esclusa.cache.status'],
    attempts.length,
  ]);
  assert.deepEqual(told.sort(), [
    ['JOIN', 0],
    ['MISS', 1],
  ]);
  assert.notEqual(both[0]?.server.traceId, both[1]?.server.traceId);
});

test('the renewal of a stale answer hangs below the call that set it off', async () => {
  await ask({ model: 'stale' });
  const served = await until('the answer is stale', async () => {
    const id = await ask({ model: 'stale' });
    const { server } = await collector.exchange(id);
    return server.attributes['esclusa.cache.status'] === 'STALE' ? server : null;
  });
  const renewal = await until('the renewal has ended', () =>
    collector.spans.find(({ parentSpanId, kind }) => parentSpanId === served.spanId && kind === 1),
  );

  assert.equal(renewal.traceId, served.traceId);
  assert.equal(renewal.attributes['esclusa.attempts'], 1);
  assert.notEqual(
    renewal.attributes['esclusa.request_id'],
    served.attributes['esclusa.request_id'],
  );
});

test('a client that hangs up leaves a span that says so', async () => {
  upstream.script('one', 'tokens=200,tps=20');
  const id = await hangUp();

  const { server, attempts } = await collector.exchange(id);
  assert.equal(server.attributes['http.response.status_code'], 499);
  assert.equal(server.attributes['esclusa.outcome'], 'aborted');
  assert.deepEqual([server.status, attempts.length, attempts[0]?.status], [0, 1, 0]);
});

/** Reads the first piece of a stream and leaves. */
function hangUp(): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    });
    call.on('error', reject);
    call.on('response', (answer) => {
      answer.on('error', () => undefined);
      answer.once('data', () => {
        answer.destroy();
        resolve(String(answer.headers['x-request-id']));
      });
    });
    call.end(JSON.stringify({ ...HELLO, model: 'one', stream: true }));
  });
}

test('what is recorded and what providers are told follow the configuration', async () => {
  await gateway.configure(configuration({ sample_ratio: 0 }));
  await ask({ model: 'one' });
  const recorded = await ask({ model: 'one' }, { traceparent: PARENT });
  const { server } = await collector.exchange(recorded);
  await gateway.configure(configuration({ follow_parent: false, sample_ratio: 0 }));
  await ask({ model: 'one' }, { traceparent: PARENT });
  await gateway.configure(configuration({ pass_on: false }));
  const last = await ask({ model: 'one' }, { traceparent: PARENT });
  await collector.exchange(last);
  await gateway.configure(configuration());

  const told = upstream.calls.map(({ headers }) => headers.traceparent);
  assert.match(String(told[0]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.match(String(told[1]), new RegExp(`^00-${CLIENT.trace}-[0-9a-f]{16}-01$`));
  assert.match(String(told[2]), new RegExp(`^00-${CLIENT.trace}-[0-9a-f]{16}-00$`));
  assert.equal(told[3], undefined);
  const traces = collector.spans.filter(({ kind }) => kind === 2).map(({ traceId }) => traceId);
  assert.equal(server.traceId, CLIENT.trace);
  assert.ok(!traces.includes(String(told[0]).split('-')[1] as string));
});

test('no collector, however broken, fails a call or keeps more spans than it may', async () => {
  const own = await startGateway({ config: configuration({ timeout_ms: 100 }) });
  const dropped = async (): Promise<number> => {
    const reasons = ['queue_full', 'refused', 'unreachable'];
    const names = reasons.map((reason) => `esclusa_trace_spans_dropped_total{reason="${reason}"}`);
    return (await figures(own, names)).reduce((sum, count) => sum + count, 0);
  };

  try {
    for (const manner of ['silent', { status: 503 }, { status: 400 }] as const) {
      collector.manner = manner;
      const before = await dropped();
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => own.chat({ ...HELLO, model: 'one' })),
      );
      await Promise.all(answers.map((answer) => answer.text()));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      const [waiting = 0] = await figures(own, ['esclusa_trace_spans_waiting']);
      assert.ok(waiting <= MAX_SPANS, `${waiting} wait`);
      await until('what was too much is counted', async () => (await dropped()) > before);
    }
  } finally {
    await own.close();
  }
});

async function figures(of: TestGateway, names: readonly string[]): Promise<number[]> {
  const { body } = await of.api('GET', '/metrics');
  const lines = String(body).split('\n');
  return names.map((name) =>
    Number(
      lines
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')
        .at(-1) ?? 0,
    ),
  );
}

test('a collector nobody listens at is no reason to wait', async () => {
  const gone = await startCollector();
  await gone.close();
  const own = await startGateway({ config: configuration({ endpoint: gone.url }) });

  try {
    const answer = await own.chat({ ...HELLO, model: 'one' });
    assert.equal(answer.status, 200);
  } finally {
    await own.close();
  }
});

test('what waits at the stop is sent, here as JSON with headers of its own', async () => {
  const key = 'Bearer collector-key';
  const own = await startGateway({
    config: configuration({ interval_ms: 60_000, protocol: 'http/json' }),
    env: {
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(key)},x-team=a`,
      OTEL_RESOURCE_ATTRIBUTES: 'region=mad',
      SERVICE_NAME: 'tutor',
    },
  });
  const answer = await own.chat({ ...HELLO, model: 'one' });
  await answer.text();
  await own.close();

  const delivery = collector.deliveries.at(-1);
  assert.equal(delivery?.path, '/v1/traces');
  assert.equal(delivery?.headers.authorization, key);
  assert.equal(delivery?.headers['x-team'], 'a');
  assert.equal(delivery?.headers['content-type'], 'application/json');
  const { server, attempts } = await collector.exchange(answer.headers.get('x-request-id') ?? '');
  assert.equal(attempts.length, 1);
  assert.equal(server.resource['service.name'], 'tutor');
  assert.equal(server.resource.region, 'mad');
});

test('a batch is sent again to a collector that was not there', async () => {
  collector.manner = { status: 503 };
  const own = await startGateway({ config: configuration() });

  try {
    const before = collector.deliveries.length;
    const answer = await own.chat({ ...HELLO, model: 'one' });
    await answer.text();
    await until('it was turned away', () => collector.deliveries.length > before);
    collector.manner = 'take';
    const spans = await collector.exchange(answer.headers.get('x-request-id') ?? '');
    assert.equal(spans.attempts.length, 1);
  } finally {
    await own.close();
  }
});

test('what cannot be honoured stops the start, and a secret is not repeated', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'canary-without-a-name'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://me:canary-password@collector:4318'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ];

  for (const [name, value] of cases) {
    await assert.rejects(startGateway({ env: { [name]: value } }), (error: Error) => {
      assert.match(error.message, new RegExp(`${name}.* accepted`));
      assert.ok(!error.message.includes('canary'), error.message);
      return true;
    });
  }
});
