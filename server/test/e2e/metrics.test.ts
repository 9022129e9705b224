/**
 * Goal: `/metrics` says what happened, under the names that were agreed, and stays small
 * whatever clients send. Method: the whole program with a real Redis, requests that succeed and
 * that fail, and the exposition read line by line.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { freePort, startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'mock', messages: [{ role: 'user', content: 'hello' }] };

const REQUIRED = [
  'http_requests_total',
  'http_request_duration_seconds',
  'db_queries_total',
  'db_query_duration_seconds',
  'db_errors_total',
  'circuit_breaker_state',
  'circuit_breaker_failures_total',
  'openai_requests_total',
  'openai_request_duration_seconds',
  'openai_errors_total',
  'redis_operations_total',
  'redis_errors_total',
];

let gateway: TestGateway;
const stops: (() => unknown)[] = [];

before(async () => {
  const redis = await startRedis({ after: (stop) => void stops.push(stop) });
  const closed = await freePort();
  gateway = await startGateway({
    env: { REDIS_URL: redis.url },
    config: {
      providers: {
        demo: { kind: 'mock' },
        gone: {
          kind: 'openai-compatible',
          base_url: `http://127.0.0.1:${closed}/v1`,
          api_key: 'x',
        },
      },
      models: {
        mock: { targets: [{ provider: 'demo', model: 'mock' }] },
        broken: { targets: [{ provider: 'gone', model: 'none' }] },
      },
    },
  });
  stops.push(() => gateway.close());
});

after(async () => {
  for (const stop of stops.toReversed()) await stop();
});

async function scrape(): Promise<string> {
  const answer = await gateway.api('GET', '/metrics');
  assert.equal(answer.status, 200);
  return answer.body as string;
}

function figureOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

test('every family that was asked for is there, and moves', async () => {
  assert.equal((await gateway.chat(CHAT)).status, 200);
  assert.equal((await gateway.chat({ ...CHAT, model: 'broken' })).status, 502);
  await gateway.key();

  const text = await until('the ledger is written', async () => {
    const seen = await scrape();
    const written = figureOf(seen, 'db_queries_total{operation="insert",table="requests"}') > 0;
    return written ? seen : null;
  });

  for (const name of REQUIRED) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), name);
  const moved = REQUIRED.filter(
    (name) => !['db_errors_total', 'redis_errors_total'].includes(name),
  );
  for (const name of moved) {
    // A breaker that is closed reads 0.
    const figure = name === 'circuit_breaker_state' ? '[0-2]' : '[1-9]';
    const series = new RegExp(`^${name}(_count)?\\{.*\\} ${figure}`, 'm');
    assert.ok(series.test(text), `${name} moved`);
  }
  const calls = 'llm_requests_total{provider="gone",model="none",operation="chat"}';
  assert.ok(figureOf(text, calls) >= 1);
  assert.ok(
    figureOf(text, 'openai_errors_total{model="none",error_type="upstream_unreachable"}') >= 1,
  );
  assert.ok(figureOf(text, 'db_queries_total{operation="insert",table="api_keys"}') >= 1);
});

test('requests are counted by the template of their route and their real status', async () => {
  const limited = await gateway.key({ limits: { requests_per_minute: 1 } });
  const statuses = [
    (await gateway.chat(CHAT, limited.secret)).status,
    (await gateway.chat(CHAT, limited.secret)).status,
    (await fetch(`${gateway.url}/v1/chat/completions`)).status,
    (await gateway.api('GET', '/api/v1/keys/key_does_not_exist')).status,
    (await gateway.api('GET', `/nowhere/${crypto.randomUUID()}`)).status,
    (await fetch(`${gateway.url}/v1beta/models/mock:generateContent`, { method: 'POST' })).status,
  ];
  assert.deepEqual(statuses, [200, 429, 405, 404, 404, 401]);

  const text = await scrape();

  const seen = (method: string, endpoint: string, status: number) =>
    figureOf(
      text,
      `http_requests_total{method="${method}",endpoint="${endpoint}",status="${status}"}`,
    );
  assert.equal(seen('POST', '/v1/chat/completions', 429), 1);
  assert.equal(seen('GET', '/v1/chat/completions', 405), 1);
  assert.equal(seen('GET', '/api/v1/keys/{id}', 404), 1);
  assert.equal(seen('GET', 'unmatched', 404), 1);
  assert.equal(seen('POST', '/v1beta/models/{model}:generateContent', 401), 1);
  assert.equal(seen('POST', '/v1/chat/completions', 500), 0);
  assert.match(
    text,
    /^http_request_duration_seconds_count\{method="GET",endpoint="unmatched"\} 1$/m,
  );
});

test('ten thousand made-up models, keys and paths leave no series behind', async () => {
  const send = async (first: number, count: number) => {
    const requests = Array.from({ length: count }, (_, at) => madeUp(first + at));
    const answered = await Promise.all(
      Array.from({ length: 10 }, (_, socket) =>
        pipelined(requests.filter((_request, at) => at % 10 === socket)),
      ),
    );
    assert.equal(
      answered.reduce((sum, one) => sum + one, 0),
      count,
    );
  };
  // Every way in which they are refused has its series from then on.
  await send(10_000, 500);
  const before = seriesOf(await scrape());

  await send(0, 10_000);

  const text = await scrape();
  assert.deepEqual([...seriesOf(text).difference(before)], []);
  assert.ok(!text.includes('made-up'));
});

test('a scrape every 15 s costs less than a hundredth of a core, with fifty tenants', async (t) => {
  const tenants = Array.from({ length: 50 }, (_, number) => `tenant-${number}`);
  for (const slug of tenants) {
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
    const { secret } = await gateway.key({ tenant: slug });
    assert.equal((await gateway.chat(CHAT, secret)).status, 200, slug);
  }
  await scrape();

  const before = process.cpuUsage();
  for (let time = 0; time < 40; time += 1) await scrape();
  const { user, system } = process.cpuUsage(before);

  const seconds = (user + system) / 1e6 / 40;
  const text = await scrape();
  t.diagnostic(
    `${(seconds * 1000).toFixed(1)} ms of CPU a scrape, ${text.length} bytes, ` +
      `${((seconds / 15) * 100).toFixed(3)} % of a core`,
  );
  assert.ok(!text.includes('tenant-'), 'no series is a tenant’s');
  assert.ok(seconds < 0.15, `${seconds} s`);
});

test('the metrics key of the environment reads metrics and does nothing else', async () => {
  const key = 'esk_test_metrics_0123456789abcdefghijklmnopqrs';
  const base = await startGateway({ env: { ESCLUSA_METRICS_KEY: key } });
  try {
    const asked = async (method: string, path: string, body?: unknown) =>
      (await base.api(method, path, body, key)).status;
    const chat = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

    assert.equal(await asked('GET', '/metrics'), 200);
    assert.equal((await base.chat(chat, key)).status, 403);
    for (const path of ['/v1/models', '/api/v1/keys', '/api/v1/requests', '/api/v1/usage']) {
      assert.equal(await asked('GET', path), 403, path);
    }
    assert.equal(await asked('POST', '/api/v1/keys', { name: 'more' }), 403);
  } finally {
    await base.close();
  }
});

test('nothing is exposed while metrics are off, and again when they are on', async () => {
  const base = await startGateway({ config: { metrics: { enabled: false } } });
  try {
    const off = await base.api('GET', '/metrics');
    await base.configure({ metrics: { enabled: true } });
    const on = await base.api('GET', '/metrics');

    assert.equal(off.status, 404);
    assert.match(JSON.stringify(off.body), /[Mm]etrics/);
    assert.equal(on.status, 200);
  } finally {
    await base.close();
  }
});

/** Those of calls: stores are also asked from time to time by the program itself. */
function seriesOf(text: string): Set<string> {
  const lines = text.split('\n').filter((line) => /^(?:esclusa|http)_/.test(line));
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))));
}

function madeUp(number: number): string {
  const body = JSON.stringify({ ...CHAT, model: `made-up-${number}` });
  const key = number % 2 === 0 ? ADMIN_KEY : `esk_made-up-${number}`;
  const path = number % 5 === 0 ? `/made-up/${number}` : '/v1/chat/completions';
  return (
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  );
}

/** Sends requests on one connection without waiting in between; answers how many were answered. */
function pipelined(requests: readonly string[]): Promise<number> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve, reject) => {
    let answered = 0;
    let rest = '';
    socket.on('data', (chunk) => {
      const parts = (rest + chunk).split('HTTP/1.1 ');
      answered += parts.length - 1;
      rest = (parts.at(-1) ?? '').slice(-8);
      if (answered < requests.length) return;
      socket.destroy();
      resolve(answered);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answered));
    socket.write(requests.join(''));
  });
}
