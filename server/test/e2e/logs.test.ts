/**
 * Goal: whoever has a correlation id finds every line of its request and none of another's, and
 * finds no secret and no prompt anywhere. Method: the command as a process of its own, its
 * standard output read line by line; canaries planted in everything a client or an operator
 * hands over, and searched for in all that is written.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { filesWith } from '../support/planted.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const CANARY = {
  providerKey: 'sk-canary-provider-7f3a9c5512',
  key: 'esk_canaryWrongKey00000000000000000000000000',
  prompt: 'canary-prompt-Zt81',
  reason: 'canary-upstream-secret-sk-proj-4411aabbccdd',
  password: 'Canary-Password-93-xyz',
};

interface Line {
  readonly level: string;
  readonly timestamp: string;
  readonly logger: string;
  readonly message: string;
  readonly context: {
    readonly service: string;
    readonly request_id?: string;
    readonly correlation_id?: string;
  };
}

let folder: string;
let gateway: GatewayProcess;
let upstream: ScriptedUpstream;
let written = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-logs-'));
  upstream = await startScriptedUpstream();
  const file = join(folder, 'esclusa.yaml');
  const config = {
    providers: {
      up: { kind: 'openai-compatible', base_url: upstream.url, api_key: CANARY.providerKey },
    },
    models: {
      far: { targets: [{ provider: 'up', model: 'far' }] },
      broken: { targets: [{ provider: 'up', model: 'broken' }] },
    },
    resilience: { retry: { attempts: 1 }, breaker: { failure_threshold: 1000 } },
  };
  await writeFile(file, stringify(config));
  upstream.script('broken', { status: 500, body: `{"error":{"message":"${CANARY.reason}"}}` });
  gateway = await startGatewayProcess(join(folder, 'data'), {
    ...{ ESCLUSA_CONFIG: file, LOG_LEVEL: 'debug', SERVICE_NAME: 'tutor-gateway' },
  });
  gateway.child.stdout?.on('data', (chunk) => {
    written += chunk;
  });
  gateway.child.stderr?.on('data', (chunk) => {
    written += chunk;
  });
});

after(async () => {
  gateway.child.kill('SIGKILL');
  await upstream.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

interface Asked {
  readonly status: number;
  readonly requestId: string;
  readonly correlationId: string | null;
  readonly body: string;
}

async function ask(id: string, init: RequestInit & { readonly path?: string }): Promise<Asked> {
  const answer = await fetch(`${gateway.url}${init.path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    ...init,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      'x-correlation-id': id,
      ...init.headers,
    },
  });
  return {
    status: answer.status,
    requestId: answer.headers.get('x-request-id') ?? '',
    correlationId: answer.headers.get('x-correlation-id'),
    body: await answer.text(),
  };
}

function body(model: string, stream = false): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: CANARY.prompt }] });
}

/** One of each way a request can go. */
const WAYS: readonly ((id: string) => Promise<Asked>)[] = [
  (id) => ask(id, { body: body('far') }),
  (id) => ask(id, { body: body('far', true) }),
  (id) => ask(id, { body: body('broken') }),
  (id) => ask(id, { body: body('no-such-model') }),
  (id) => ask(id, { body: `{"model":"far","messages":[{"${CANARY.prompt}` }),
  (id) => ask(id, { body: body('far'), headers: { authorization: `Bearer ${CANARY.key}` } }),
  (id) => ask(id, { method: 'PUT', body: body('far') }),
  (id) => ask(id, { path: '/v1/no/such/path', body: body('far') }),
  (id) => ask(id, { path: '/api/v1/keys/key_none', method: 'GET' }),
  (id) =>
    ask(id, {
      path: '/api/v1/auth/login',
      body: JSON.stringify({ email: 'nobody@example.com', password: CANARY.password }),
    }),
];

test('a hundred requests at once keep their ids apart: answers, lines, providers', async () => {
  const ids = Array.from({ length: 100 }, (_, number) => `corr-${number}-${crypto.randomUUID()}`);
  const asked = await Promise.all(
    ids.map((id, at) => (WAYS[at % WAYS.length] as (typeof WAYS)[number])(id)),
  );

  for (const [at, id] of ids.entries()) assert.equal(asked[at]?.correlationId, id, `way ${at}`);
  assert.equal(new Set(asked.map(({ requestId }) => requestId)).size, 100);
  const statuses = asked.slice(0, 10).map(({ status }) => status);
  assert.deepEqual(statuses, [200, 200, 502, 404, 400, 401, 405, 404, 404, 401]);
  // What the edge refuses by its path alone (405, 404 of the dialects) leaves a count, no line.
  const told = ids.filter((_, at) => ![6, 7].includes(at % WAYS.length));
  const lines = await until('every exchange has left its line', () => {
    const seen = linesOf(written);
    const found = new Set(seen.map(({ context }) => context.request_id));
    return told.every((id) => found.has(asked[ids.indexOf(id)]?.requestId)) ? seen : null;
  });
  const correlated = new Map(
    asked.map(({ requestId, correlationId }) => [requestId, correlationId]),
  );
  for (const { context } of lines) {
    if (context.request_id === undefined) continue;
    const expected = correlated.get(context.request_id);
    if (expected !== undefined) assert.equal(context.correlation_id, expected);
  }
  const upstreamIds = new Set(upstream.calls.map(({ headers }) => headers['x-correlation-id']));
  for (const [at, id] of ids.entries()) if (at % WAYS.length < 3) assert.ok(upstreamIds.has(id));
});

test('every line is JSON of the documented shape', () => {
  const lines = linesOf(written);

  assert.ok(lines.length >= 80, `${lines.length} lines`);
  for (const line of lines) {
    assert.match(line.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(line.level, /^(debug|info|warn|error)$/);
    assert.equal(typeof line.logger, 'string');
    assert.equal(typeof line.message, 'string');
    assert.equal(line.context.service, 'tutor-gateway');
  }
});

test('an id that could harm a log is replaced; a trace is passed on where it is one', async () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const replaced = await ask('x'.repeat(129), {
    body: body('far'),
    headers: { traceparent: trace },
  });
  const second = await ask('ok', { body: body('far'), headers: { traceparent: 'not-a-trace' } });

  assert.equal(replaced.correlationId, replaced.requestId);
  assert.equal(second.correlationId, 'ok');
  const [before, last] = upstream.calls.slice(-2);
  assert.equal(before?.headers.traceparent, trace);
  assert.equal(last?.headers.traceparent, undefined);
});

test('no secret and no prompt is in a log, a metric, an error or a file', async () => {
  const metrics = await ask('metrics', { path: '/metrics', method: 'GET' });
  const errors = await Promise.all(WAYS.slice(2).map((way, at) => way(`again-${at}`)));
  await gateway.kill('SIGINT');
  const places = { metrics: metrics.body, log: written };

  assert.equal(metrics.status, 200);
  for (const [name, canary] of Object.entries(CANARY)) {
    for (const [place, text] of Object.entries(places)) {
      assert.ok(!text.includes(canary), `${name} in ${place}`);
    }
    for (const { body: text, status } of errors) {
      assert.ok(!text.includes(canary), `${name} in an answer with ${status}`);
    }
    assert.deepEqual(filesWith(join(folder, 'data'), canary), [], name);
  }
  assert.deepEqual(filesWith(join(folder, 'data'), ADMIN_KEY), []);
  // The search finds what is there: the configuration holds the provider's key.
  assert.match(await readFile(join(folder, 'esclusa.yaml'), 'utf8'), /canary-provider/);
});

/** Every whole line behind what the start announces for scripts; throws for one that is no JSON. */
function linesOf(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const first = whole.findIndex((line) => line.startsWith('{"'));
  return whole
    .slice(first)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
