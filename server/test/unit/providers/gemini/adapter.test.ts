/**
 * Goal: the adapter calls the right address with the right headers, believes only answers, and
 * classifies failures by what they are. Method: calls and answers without sockets; recorded
 * refusals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayError } from '../../../../src/gateway/index.ts';
import { createGeminiAdapter } from '../../../../src/providers/gemini/adapter.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { geminiFixture } from '../../wire/gemini/fixture.ts';

const KEY = 'AIzaSecret0123456789';
const adapter = createGeminiAdapter({
  baseUrl: 'https://example.com',
  apiKey: KEY,
  headers: { 'x-team': 'blue-team-secret' },
});
const HELLO = { model: 'm', messages: [{ role: 'user', content: 'Hi.' }] };
const JSON_HEAD = { status: 200, headers: { 'content-type': 'application/json; charset=UTF-8' } };

function refusal(status: number, name: string, headers: Record<string, string> = {}): GatewayError {
  return adapter.decodeError({ status, headers }, geminiFixture(name));
}

test('each operation has its verb, and the model its place in the path', () => {
  const path = (model: string, body: object = {}): string =>
    adapter.encode(providerCall('chat', { ...HELLO, ...body }, model)).path;
  const embedding = providerCall('embedding', { model: 'm', input: 'a' }, 'e');
  const call = providerCall('chat', HELLO, 'x');
  const count = { ...call, request: { ...call.request, operation: 'count_tokens' as const } };

  assert.equal(path('gemini-3.8-flash'), '/v1beta/models/gemini-3.8-flash:generateContent');
  assert.equal(path('models/x'), '/v1beta/models/x:generateContent');
  assert.equal(path('tunedModels/a b'), '/v1beta/tunedModels/a%20b:generateContent');
  assert.equal(
    path('a:b?c', { stream: true }),
    '/v1beta/models/a%3Ab%3Fc:streamGenerateContent?alt=sse',
  );
  assert.equal(adapter.encode(embedding).path, '/v1beta/models/e:batchEmbedContents');
  const counted = adapter.encode(count);
  assert.equal(counted.path, '/v1beta/models/x:countTokens');
  assert.equal(JSON.parse(String(counted.body)).generateContentRequest.model, 'models/x');
});

test('the key travels in its header, and nothing of the client’s does', () => {
  const { headers, method } = adapter.encode(providerCall('chat', HELLO, 'x'));

  assert.equal(method, 'POST');
  assert.deepEqual(headers, {
    ...{ accept: 'application/json', 'user-agent': 'esclusa', 'x-team': 'blue-team-secret' },
    ...{ 'content-type': 'application/json', 'accept-encoding': 'identity', 'x-goog-api-key': KEY },
  });
});

test('a bare prompt to continue cannot be said', () => {
  const call = providerCall('completion', { model: 'm', prompt: 'Once' }, 'x');

  const { code, field } = thrownBy(() => adapter.encode(call));

  assert.deepEqual([code, field], ['field_not_supported', 'prompt']);
});

test('only an answer is believed', () => {
  const call = providerCall('chat', HELLO, 'x');
  const answer = (text: string, head = JSON_HEAD) =>
    thrownBy(() => adapter.decodeAnswer(call, head, Buffer.from(text))).code;

  for (const text of ['', '[]', '{}', '{"candidates":[]}', 'x', '{"usageMetadata":{}}']) {
    assert.equal(answer(text), 'upstream_invalid', text);
  }
  const page = { status: 200, headers: { 'content-type': 'text/html' } };
  assert.equal(answer('{"candidates":[{}]}', page), 'upstream_invalid');
  assert.equal(answer('{"error":{"code":429,"message":"slow"}}'), 'upstream_rate_limited');
  const events = { status: 200, headers: { 'content-type': 'application/json' } };
  const failure = thrownBy(() => adapter.createStreamDecoder(call, events));
  assert.equal(failure.code, 'upstream_invalid');
});

test('refusals are classified, with their hints and without secrets', () => {
  const rate = refusal(429, 'error-rate.json');
  const long = refusal(400, 'error-long.json');
  const key = refusal(400, 'error-key.json');

  assert.deepEqual(
    [rate.code, rate.retryAfterMs, rate.upstreamType],
    ['upstream_rate_limited', 34_075, 'RESOURCE_EXHAUSTED'],
  );
  assert.equal(refusal(429, 'error-rate.json', { 'retry-after': '2' }).retryAfterMs, 2000);
  const quota = refusal(429, 'error-quota.json');
  assert.deepEqual([quota.code, quota.retryable], ['upstream_quota_exhausted', false]);
  assert.deepEqual(
    [long.code, long.upstreamCode],
    ['upstream_rejected', 'context_length_exceeded'],
  );
  assert.deepEqual(
    [key.code, key.upstreamCode, key.upstreamType],
    ['upstream_credentials', null, null],
  );
  const quoted = adapter.decodeError(
    { status: 400, headers: {} },
    Buffer.from(`{"error":{"message":"Bad ${KEY} of blue-team-secret"}}`),
  );
  assert.equal(quoted.message, 'Bad [redacted] of [redacted]');
});

test('statuses without a body mean what they mean', () => {
  const codes: Readonly<Record<number, string>> = {
    302: 'upstream_invalid',
    400: 'upstream_rejected',
    401: 'upstream_credentials',
    403: 'upstream_credentials',
    404: 'upstream_not_found',
    418: 'upstream_rejected',
    429: 'upstream_rate_limited',
    499: 'upstream_unavailable',
    500: 'upstream_failed',
    503: 'upstream_unavailable',
    504: 'upstream_timeout',
    529: 'upstream_unavailable',
  };
  for (const [status, code] of Object.entries(codes)) {
    const head = { status: Number(status), headers: {} };
    assert.equal(adapter.decodeError(head, Buffer.alloc(0)).code, code, status);
  }
});
