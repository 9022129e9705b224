/**
 * Goal: each refusal of a provider becomes the right coded error, keeps what steers callers,
 * and gives away no secret. Method: recorded bodies and a table of statuses.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ErrorCode, GatewayError } from '../../../../src/gateway/index.ts';
import { createOpenaiAdapter } from '../../../../src/providers/openai/adapter.ts';
import { openaiConnection } from '../../../support/openai-connection.ts';
import { openaiFixture } from '../../../support/openai-fixtures.ts';

const KEY = 'weird.key.value/42';
const adapter = createOpenaiAdapter(
  openaiConnection({
    baseUrl: 'https://api.example.com/v1',
    apiKey: KEY,
    headers: { 'x-extra': 'header-secret-9' },
  }),
);

function decoded(
  status: number,
  body: string | Buffer = '',
  headers: Record<string, string> = {},
): GatewayError {
  return adapter.decodeError({ status, headers }, Buffer.from(body as string));
}

function message(text: string): string {
  return decoded(500, JSON.stringify({ error: { message: text } })).message;
}

test('each status has its code, and whether trying again helps', () => {
  const table: readonly (readonly [number, ErrorCode, boolean])[] = [
    [301, 'upstream_invalid', true],
    [302, 'upstream_invalid', true],
    [307, 'upstream_invalid', true],
    [400, 'upstream_rejected', false],
    [401, 'upstream_credentials', false],
    [402, 'upstream_credentials', false],
    [403, 'upstream_credentials', false],
    [404, 'upstream_not_found', false],
    [405, 'upstream_rejected', false],
    [408, 'upstream_timeout', true],
    [409, 'upstream_unavailable', true],
    [413, 'upstream_too_large', false],
    [415, 'upstream_rejected', false],
    [422, 'upstream_unprocessable', false],
    [429, 'upstream_rate_limited', true],
    [500, 'upstream_failed', true],
    [502, 'upstream_failed', true],
    [503, 'upstream_unavailable', true],
    [504, 'upstream_timeout', true],
    [520, 'upstream_failed', true],
    [529, 'upstream_unavailable', true],
    [600, 'upstream_invalid', true],
  ];
  for (const [status, code, retryable] of table) {
    const error = decoded(status);
    assert.deepEqual([error.code, error.retryable], [code, retryable], String(status));
    assert.notEqual(error.message, '');
  }
});

test('a refusal keeps the provider’s message, parameter, code and type', () => {
  const error = decoded(400, openaiFixture('error-400-context.json'));

  assert.equal(error.code, 'upstream_rejected');
  assert.ok(error.message.startsWith("This model's maximum context length is 128000 tokens."));
  assert.equal(error.field, 'messages');
  assert.equal(error.upstreamCode, 'context_length_exceeded');
  assert.equal(error.upstreamType, 'invalid_request_error');
});

test('refused credentials are ours: 502, without the key and without the provider’s code', () => {
  const error = decoded(401, openaiFixture('error-401.json'));

  assert.equal(error.status, 502);
  assert.equal(error.upstreamCode, null);
  assert.equal(error.upstreamType, null);
  assert.ok(error.message.startsWith('The provider refused the gateway’s credentials.'));
  assert.ok(!error.message.includes('sk-'), error.message);
  assert.ok(!error.message.includes('abcd'), error.message);
});

test('an exhausted quota is told from a limited rate, and is not worth trying again', () => {
  const quota = decoded(429, openaiFixture('error-429-quota.json'), { 'retry-after': '1' });
  const rate = decoded(429, openaiFixture('error-429-rate.json'), { 'retry-after': '2' });

  assert.deepEqual([quota.code, quota.retryable], ['upstream_quota_exhausted', false]);
  assert.equal(quota.upstreamCode, 'insufficient_quota');
  assert.deepEqual([rate.code, rate.retryable], ['upstream_rate_limited', true]);
  assert.equal(rate.retryAfterMs, 2000);
  assert.ok(!rate.message.includes('org-AbC'), rate.message);
  assert.ok(rate.message.includes('Limit 30000'));
});

test('bodies in the shapes of other vendors are understood', () => {
  const bare = decoded(404, openaiFixture('error-bare.json'));
  const list = decoded(400, openaiFixture('error-list.json'));

  assert.equal(bare.message, 'The model `llama` does not exist.');
  assert.equal(bare.upstreamCode, null, 'a status repeated as code steers nobody');
  assert.equal(bare.upstreamType, 'NotFoundError');
  assert.equal(list.message, "Invalid value at 'temperature'.");
  assert.equal(decoded(400, '{"error":"just text"}').message, 'just text');
  assert.equal(decoded(400, '{"detail":"not valid"}').message, 'not valid');
});

test('a body that is no error gives a message of our own', () => {
  for (const body of ['', '<html>502 Bad Gateway</html>', '{}', '[]', 'null', '{"error":null}']) {
    assert.equal(decoded(502, body).message, 'The provider answered with status 502.', body);
  }
});

test('the wait is read in milliseconds, in seconds, or as a date from the answer’s own', () => {
  const date = 'Fri, 20 Nov 2026 11:00:00 GMT';
  const cases: readonly (readonly [Record<string, string>, number | null])[] = [
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': '1' }, 1000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '3600' }, 3_600_000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:03 GMT', date }, 3000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:00 GMT', date }, 0],
    [{ 'retry-after': 'Fri, 20 Nov 2026 11:00:03 GMT' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': '999999999999' }, 7 * 24 * 3_600_000],
    [{}, null],
  ];
  for (const [headers, expected] of cases) {
    assert.equal(decoded(429, '', headers).retryAfterMs, expected, JSON.stringify(headers));
  }
});

test('a provider that says trying again is useless is believed', () => {
  assert.equal(decoded(500, '', { 'x-should-retry': 'false' }).retryable, false);
  assert.equal(decoded(500, '', { 'x-should-retry': 'true' }).retryable, true);
  assert.equal(decoded(400, '', { 'x-should-retry': 'true' }).retryable, false);
});

test('secrets are taken out of messages wherever they stand', () => {
  const secrets = [
    KEY,
    'header-secret-9',
    'sk-proj-abcDEF123',
    'sk-ab***yz',
    'gsk_abcdefgh12345678',
    'AIzaSyA1234567890abcdefghij',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
    '0123456789abcdef0123456789abcdef',
    'hf_abcdefghijklmnopqrst',
    'org-AbCdEfGhIjKlMnOp',
  ];
  for (const secret of secrets) {
    const shown = message(`Key ${secret}, refused (${secret}).`);
    assert.ok(!shown.includes(secret), shown);
    assert.ok(shown.startsWith('Key [redacted]'), shown);
  }
  assert.equal(message('authorization: Bearer abc.def'), 'authorization: Bearer [redacted]');
  assert.equal(
    message('at https://me:pw@host/x?key=abc&b=1'),
    'at https://[redacted]@host/x?key=[redacted]&b=1',
  );
});

test('a message without secrets stays as it is', () => {
  const plain = [
    "Unsupported value: 'temperature' does not support 0.2 with this model.",
    'The model `gpt-4o-mini-2024-07-18` does not exist; see https://platform.openai.com/docs.',
    'Please include the request ID 123e4567-e89b-42d3-a456-426614174000 in your message.',
    'Se ha superado el límite: 30000 fichas por minuto.',
  ];
  for (const text of plain) assert.equal(message(text), text);
});

test('messages are one line, well-formed and bounded, and secrets stay out of any text', () => {
  assert.equal(message('a\r\nb\u0000c'), 'a b c');
  assert.equal(message('x '.repeat(5000)).length, 1000);
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (before, after) => {
      const shown = message(`${before}${KEY}${after}`);
      assert.ok(!shown.includes(KEY));
      assert.ok(shown.length <= 1000);
    }),
  );
});

test('names that are not names are dropped', () => {
  const body = JSON.stringify({
    error: { message: 'm', type: 'a b', param: 'x\r\ny', code: 'c'.repeat(65) },
  });

  const error = decoded(400, body);

  assert.deepEqual([error.upstreamType, error.field, error.upstreamCode], [null, null, null]);
});
