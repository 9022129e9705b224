/**
 * Goal: requests go out with the client's bytes and the gateway's headers alone, and only real
 * answers count as answers. Method: recorded bodies and heads as providers and proxies send.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseHead } from '../../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { createOpenaiAdapter } from '../../../../src/providers/openai/adapter.ts';
import type { OpenaiConnection } from '../../../../src/providers/openai/settings.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { openaiConnection } from '../../../support/openai-connection.ts';
import { openaiFixture } from '../../../support/openai-fixtures.ts';
import { providerCall } from '../../../support/provider-call.ts';

const CONNECTION = openaiConnection({
  baseUrl: 'https://api.example.com/v1',
  apiKey: 'sk-test-1234567890',
});
const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }] };

function adapter(changes: Partial<OpenaiConnection> = {}) {
  return createOpenaiAdapter({ ...CONNECTION, ...changes });
}

function head(headers: Record<string, string> = {}, status = 200): ResponseHead {
  return { status, headers: { 'content-type': 'application/json', ...headers } };
}

test('each operation has its path below the base URL', () => {
  const { encode } = adapter();

  assert.equal(encode(providerCall('chat', CHAT, 'm')).path, '/chat/completions');
  const completion = { model: 'fast', prompt: 'a' };
  assert.equal(encode(providerCall('completion', completion, 'm')).path, '/completions');
  const embedding = { model: 'fast', input: 'a' };
  assert.equal(encode(providerCall('embedding', embedding, 'm')).path, '/embeddings');
});

test('a request carries the gateway’s headers and credentials, and nothing of the client', () => {
  const { method, headers } = adapter().encode(providerCall('chat', CHAT, 'm'));

  assert.equal(method, 'POST');
  assert.deepEqual(headers, {
    accept: 'application/json',
    'user-agent': 'esclusa',
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    authorization: 'Bearer sk-test-1234567890',
  });
});

test('a stream is asked for as one, and settings add headers of their own', () => {
  const changes = {
    apiKey: null,
    organization: 'org-1',
    project: 'proj_1',
    headers: { 'x-title': 'demo', 'user-agent': 'other' },
  };

  const call = providerCall('chat', { ...CHAT, stream: true }, 'm');
  const { headers } = adapter(changes).encode(call);

  assert.deepEqual(headers, {
    accept: 'text/event-stream',
    'user-agent': 'other',
    'x-title': 'demo',
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'openai-organization': 'org-1',
    'openai-project': 'proj_1',
  });
});

test('the client’s bytes go out with the model’s name and the wish for usage changed', () => {
  const source = '{ "model":"fast", "messages":[{"role":"user","content":"Hi"}], "stream":true}';

  const { body } = adapter().encode(providerCall('chat', source, 'gpt-4o'));

  const expected = source
    .replace('"fast"', '"gpt-4o"')
    .replace('true}', 'true,"stream_options":{"include_usage":true}}');
  assert.equal(body?.toString(), expected);
});

test('nothing is rewritten where the name is the same and no usage need be asked for', () => {
  for (const changes of [{ stream: true, stream_options: { include_usage: true } }, {}]) {
    const call = providerCall('chat', { ...CHAT, ...changes }, 'fast');
    assert.equal(adapter().encode(call).body, call.request.bytes);
  }
});

test('a vendor without a capability is not asked for it', () => {
  const capabilities = {
    streamUsage: false,
    maxCompletionTokens: false,
    reasoningInput: false,
    responses: false,
  };
  const body = { ...CHAT, stream: true, max_completion_tokens: 7 };

  const sent = adapter({ capabilities }).encode(providerCall('chat', body, 'fast')).body;

  assert.deepEqual(JSON.parse(String(sent)), { ...CHAT, stream: true, max_tokens: 7 });
});

test('a request of another dialect is sent as its canonical body', () => {
  const call = providerCall('chat', { ...CHAT, stream: true, max_completion_tokens: 7 }, 'm');
  const other = {
    ...call,
    request: { ...call.request, dialect: 'gemini', bytes: Buffer.alloc(0) },
  };
  const capabilities = {
    streamUsage: true,
    maxCompletionTokens: false,
    reasoningInput: false,
    responses: false,
  };

  const sent = adapter({ capabilities }).encode(other as typeof call).body;

  assert.deepEqual(JSON.parse(String(sent)), {
    ...CHAT,
    model: 'm',
    stream: true,
    max_tokens: 7,
    stream_options: { include_usage: true },
  });
});

test('a complete answer keeps its bytes and tells usage and finish reasons', () => {
  const bytes = openaiFixture('chat-completion.json');

  const answer = adapter().decodeAnswer(providerCall('chat', CHAT, 'm'), head(), bytes);

  assert.equal(answer.bytes, bytes);
  assert.equal(answer.dialect, 'openai');
  assert.deepEqual(answer.finishReasons, ['stop']);
  assert.deepEqual(
    [answer.usage?.inputTokens, answer.usage?.cachedInputTokens, answer.usage?.outputTokens],
    [19, 8, 10],
  );
  assert.equal((answer.body as JsonObject).id, 'chatcmpl-BQx9kJ2mNf0a1b2c3d4e5f6g7h8i');
});

test('tool calls, completions and embeddings are answers too', () => {
  const cases = [
    ['chat', CHAT, 'chat-completion-tool-calls.json', ['tool_calls'], 82],
    ['completion', { model: 'm', prompt: 'a' }, 'completion.json', ['length', 'stop'], 5],
    ['embedding', { model: 'm', input: 'a' }, 'embedding.json', [], 8],
  ] as const;
  for (const [operation, body, name, reasons, inputTokens] of cases) {
    const call = providerCall(operation, body, 'm');
    const answer = adapter().decodeAnswer(call, head(), openaiFixture(name));
    assert.deepEqual(answer.finishReasons, reasons, name);
    assert.equal(answer.usage?.inputTokens, inputTokens, name);
  }
});

test('an answer without usage has none, which is not zero', () => {
  const body = Buffer.from('{"choices":[{"finish_reason":"stop"}]}');

  assert.equal(adapter().decodeAnswer(providerCall('chat', CHAT, 'm'), head(), body).usage, null);
});

test('what is no answer is refused, whatever the status says', () => {
  const good = '{"choices":[]}';
  const cases: readonly (readonly [string, ResponseHead, string | Buffer])[] = [
    ['empty', head(), ''],
    ['no content', head({}, 204), good],
    ['a page', head({ 'content-type': 'text/html' }), '<html></html>'],
    ['a page that claims to be JSON', head(), '<html></html>'],
    ['JSON that claims to be a page', head({ 'content-type': 'text/html' }), good],
    ['a stream', head({ 'content-type': 'text/event-stream' }), 'data: {}\n\n'],
    ['cut JSON', head(), '{"choices":[{"ind'],
    ['a list', head(), '[]'],
    ['no choices', head(), '{"id":"x"}'],
    ['choices that are no list', head(), '{"choices":{}}'],
    ['not UTF-8', head(), Buffer.from('{"choices":[],"a":"\xff"}', 'latin1')],
    ['compressed', head({ 'content-encoding': 'gzip' }), good],
  ];
  for (const [name, answerHead, body] of cases) {
    const call = providerCall('chat', CHAT, 'm');
    const bytes = Buffer.from(body as string);
    const error = thrownBy(() => adapter().decodeAnswer(call, answerHead, bytes));
    assert.equal(error.code, 'upstream_invalid', name);
    assert.equal(error.retryable, true, name);
  }
});

test('content types with parameters or a suffix are JSON, and none at all may be', () => {
  const bytes = openaiFixture('chat-completion.json');
  const call = providerCall('chat', CHAT, 'm');
  for (const type of ['application/json; charset=utf-8', 'application/vnd.api+json']) {
    assert.ok(adapter().decodeAnswer(call, head({ 'content-type': type }), bytes));
  }
  assert.ok(adapter().decodeAnswer(call, { status: 200, headers: {} }, bytes));
});

test('an error in a body of status 200 is that error', () => {
  const call = providerCall('chat', CHAT, 'm');
  const cases = [
    ['{"error":{"message":"busy","type":"overloaded_error"}}', 'upstream_unavailable'],
    ['{"error":{"message":"slow down","code":429}}', 'upstream_rate_limited'],
    ['{"error":{"code":"insufficient_quota"}}', 'upstream_quota_exhausted'],
    ['{"error":{"code":"context_length_exceeded"}}', 'upstream_rejected'],
    ['{"error":"something broke"}', 'upstream_failed'],
  ];
  for (const [body = '', code] of cases) {
    const error = thrownBy(() => adapter().decodeAnswer(call, head(), Buffer.from(body)));
    assert.equal(error.code, code, body);
  }
  const choices = openaiFixture('chat-completion.json').toString().replace('{', '{"error":null,');
  assert.ok(adapter().decodeAnswer(call, head(), Buffer.from(choices)));
});

test('a stream is only opened on the head of one', () => {
  const call = providerCall('chat', { ...CHAT, stream: true }, 'm');
  const open = (type: string | null, status = 200, more: Record<string, string> = {}) =>
    adapter().createStreamDecoder(call, {
      status,
      headers: { ...(type === null ? {} : { 'content-type': type }), ...more },
    });

  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8', null]) {
    assert.ok(open(type));
  }
  for (const type of ['application/json', 'text/html', 'text/plain', 'text/event-streams']) {
    assert.equal(thrownBy(() => open(type)).code, 'upstream_invalid', type);
  }
  assert.equal(thrownBy(() => open('text/event-stream', 204)).code, 'upstream_invalid');
  const gzip = { 'content-encoding': 'gzip' };
  assert.equal(thrownBy(() => open('text/event-stream', 200, gzip)).code, 'upstream_invalid');
});

test('problems of a stream become coded errors', () => {
  const call = providerCall('chat', { ...CHAT, stream: true }, 'm');
  const decoder = () =>
    adapter().createStreamDecoder(call, head({ 'content-type': 'text/event-stream' }));
  const begun = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');

  const garbled = thrownBy(() => decoder().push(Buffer.from('data: {"choi\n\n')));
  assert.deepEqual([garbled.code, garbled.retryable], ['upstream_invalid', true]);

  const cut = decoder();
  cut.push(begun);
  assert.equal(thrownBy(() => cut.end()).code, 'upstream_truncated');

  const large = Buffer.alloc(8 * 1024 * 1024 + 1, 'x');
  assert.equal(thrownBy(() => decoder().push(large)).code, 'upstream_too_long');

  const failed = thrownBy(() => decoder().push(openaiFixture('chat-error-event.sse')));
  assert.deepEqual([failed.code, failed.upstreamType], ['upstream_failed', 'server_error']);
});

test('the usage chunk reaches only a client that asked for it', () => {
  const streamHead = head({ 'content-type': 'text/event-stream' });
  const asked = { ...CHAT, stream: true, stream_options: { include_usage: true } };
  const read = (body: JsonObject) =>
    adapter()
      .createStreamDecoder(providerCall('chat', body, 'm'), streamHead)
      .push(openaiFixture('chat.sse'));

  assert.ok(read(asked)?.bytes.includes('"choices":[]'));
  assert.ok(!read({ ...CHAT, stream: true })?.bytes.includes('"choices":[]'));
  assert.equal(read({ ...CHAT, stream: true })?.usage?.outputTokens, 10);
});
