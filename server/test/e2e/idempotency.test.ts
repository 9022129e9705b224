/**
 * `Idempotency-Key` from outside: the same request runs once, whatever its dialect and shape.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

let gateway: TestGateway;
let key: { readonly id: string; readonly secret: string };
let keys = 0;

before(async () => {
  gateway = await startGateway({
    config: {
      models: {
        slow: { targets: [{ provider: 'mock', model: 'mock:latency=300ms,tokens=5' }] },
        broken: { targets: [{ provider: 'mock', model: 'mock:error=500' }] },
      },
      idempotency: { max_entry_bytes: 20_000 },
    },
  });
  key = await gateway.key();
});

after(() => gateway.close());

function newKey(): string {
  keys += 1;
  return `test-key-${keys}`;
}

function body(text: string, more: Record<string, unknown> = {}) {
  return { model: 'mock', messages: [{ role: 'user', content: text }], temperature: 1, ...more };
}

async function ask(
  path: string,
  content: unknown,
  idempotencyKey: string,
  secret = key.secret,
  signal?: AbortSignal,
) {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify(content),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    replayed: answer.headers.get('idempotent-replayed'),
    header: (name: string) => answer.headers.get(name),
  };
}

const CHAT = '/v1/chat/completions';

/** Without comments, which speak of the one request. */
function events(text: string): string {
  return text.replaceAll(/^: esclusa .*\n\n/gm, '');
}

test('the same request gets the same answer, at no cost, as a row of its own', async () => {
  const own = await gateway.key();
  const idempotencyKey = newKey();

  const first = await ask(CHAT, body('hola'), idempotencyKey, own.secret);
  const again = await ask(CHAT, body('hola'), idempotencyKey, own.secret);

  assert.equal(first.status, 200);
  assert.equal(first.replayed, null);
  assert.equal(again.replayed, 'true');
  assert.equal(again.text, first.text);
  assert.equal(again.header('x-esclusa-cost-usd'), '0');
  assert.equal(again.header('x-cache'), 'BYPASS');
  assert.equal(again.header('x-esclusa-provider'), first.header('x-esclusa-provider'));
  assert.notEqual(again.header('x-request-id'), first.header('x-request-id'));
  const rows = await gateway.api('GET', `/api/v1/requests?key_id=${own.id}`);
  const [second, original] = rows.body.data;
  assert.equal(second.cost_nanousd, 0);
  assert.equal(second.outcome, 'completed');
  assert.equal(second.attempts, 0);
  assert.ok(original.cost_nanousd > 0);
});

test('another body under the same key is refused, and the first answer stays', async () => {
  const idempotencyKey = newKey();
  const first = await ask(CHAT, body('uno'), idempotencyKey);

  const other = await ask(CHAT, body('dos'), idempotencyKey);

  assert.equal(other.status, 422);
  assert.equal(JSON.parse(other.text).error.code, 'idempotency_key_reused');
  assert.equal((await ask(CHAT, body('uno'), idempotencyKey)).text, first.text);
});

test('every dialect and shape is given again as it was', async () => {
  const content = [{ role: 'user', content: 'hola' }];
  const cases: [string, unknown][] = [
    [CHAT, body('stream', { stream: true, stream_options: { include_usage: true } })],
    ['/v1/embeddings', { model: 'mock', input: 'hola' }],
    ['/v1/completions', { model: 'mock', prompt: 'hola' }],
    ['/v1/responses', { model: 'mock', input: 'hola' }],
    ['/v1/responses', { model: 'mock', input: 'hola', stream: true }],
    ['/v1/messages', { model: 'mock', max_tokens: 20, messages: content }],
    ['/v1/messages', { model: 'mock', max_tokens: 20, messages: content, stream: true }],
    ['/v1beta/models/mock:generateContent', { contents: [{ parts: [{ text: 'hola' }] }] }],
    [
      '/v1beta/models/mock:streamGenerateContent?alt=sse',
      { contents: [{ parts: [{ text: 'hola' }] }] },
    ],
  ];
  for (const [path, content] of cases) {
    const idempotencyKey = newKey();
    const first = await ask(path, content, idempotencyKey);
    const again = await ask(path, content, idempotencyKey);
    assert.equal(first.status, 200, `${path}: ${first.text}`);
    assert.equal(again.replayed, 'true', path);
    assert.equal(events(again.text), events(first.text), path);
    assert.equal(again.header('content-type'), first.header('content-type'), path);
  }
});

test('ten at once are one call: the others wait for it', async () => {
  const own = await gateway.key();
  const idempotencyKey = newKey();

  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      ask(CHAT, body('at once', { model: 'slow' }), idempotencyKey, own.secret),
    ),
  );

  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal(answers.filter(({ replayed }) => replayed === 'true').length, 9);
  const { body: rows } = await gateway.api('GET', `/api/v1/requests?key_id=${own.id}`);
  const called = rows.data.filter((row: { attempts: number }) => row.attempts > 0);
  assert.equal(called.length, 1);
});

test('a failure is not kept: the same request runs again', async () => {
  const own = await gateway.key();
  const idempotencyKey = newKey();

  const first = await ask(CHAT, body('x', { model: 'broken' }), idempotencyKey, own.secret);
  const again = await ask(CHAT, body('x', { model: 'broken' }), idempotencyKey, own.secret);

  assert.ok(first.status >= 500 && again.status >= 500);
  assert.equal(again.replayed, null);
  const { body: rows } = await gateway.api('GET', `/api/v1/requests?key_id=${own.id}`);
  assert.ok(rows.data.every((row: { attempts: number }) => row.attempts > 0));
});

test('a client that left frees its key', async () => {
  const idempotencyKey = newKey();
  const content = body('left', { model: 'slow', stream: true });
  const abort = new AbortController();
  const first = ask(CHAT, content, idempotencyKey, key.secret, abort.signal);
  await until('it runs', async () => {
    const state = await gateway.api('GET', '/metrics');
    return /esclusa_requests_in_flight 1/.test(state.body);
  });

  abort.abort();
  await assert.rejects(first);

  const again = await ask(CHAT, content, idempotencyKey);
  assert.equal(again.status, 200);
  assert.equal(again.replayed, null);
});

test('a stream whose client left while others read on is not kept with its hole', async () => {
  const idempotencyKey = newKey();
  const model = 'mock:tokens=40,tps=40';
  const content = body('shared', { model, stream: true, temperature: 0, max_tokens: 40 });
  const abort = new AbortController();
  const first = await fetch(`${gateway.url}${CHAT}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key.secret}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify(content),
    signal: abort.signal,
  });
  const reader = first.body?.getReader();
  await reader?.read();
  const joined = await gateway.chat(content, key.secret);
  assert.equal(joined.headers.get('x-cache'), 'JOIN');
  abort.abort();

  const whole = await joined.text();
  const again = await ask(CHAT, content, idempotencyKey);

  assert.equal(again.replayed, null);
  assert.equal(events(again.text), events(whole));
});

test('keys of others are others, also in the same tenant', async () => {
  const idempotencyKey = newKey();
  const other = await gateway.key();
  await ask(CHAT, body('secreto'), idempotencyKey);

  assert.equal((await ask(CHAT, body('secreto'), idempotencyKey, other.secret)).replayed, null);
  assert.equal((await ask(CHAT, body('otro'), idempotencyKey, ADMIN_KEY)).status, 200);
});

test('an answer larger than allowed is given, and runs again', async () => {
  const idempotencyKey = newKey();
  const content = body('x', { model: 'mock/mock:tokens=8000', max_tokens: 8000 });

  const first = await ask(CHAT, content, idempotencyKey);
  const again = await ask(CHAT, content, idempotencyKey);

  assert.equal(first.status, 200, first.text);
  assert.ok(first.text.length > 20_000, `${first.text.length} characters`);
  assert.equal(again.replayed, null);
});

test('a key that is too long or not printable is refused', async () => {
  for (const bad of ['x'.repeat(256), '', 'caf\u00e9']) {
    const answer = await ask(CHAT, body('x'), bad);
    assert.equal(answer.status, 400, JSON.stringify(bad));
    assert.equal(JSON.parse(answer.text).error.code, 'header_invalid');
  }
  assert.equal((await ask(CHAT, body('x'), 'y'.repeat(255))).status, 200);
});
