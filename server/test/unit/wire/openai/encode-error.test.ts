/**
 * Goal: errors are what OpenAI's clients expect, in a body and at the end of a stream.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../../src/gateway/index.ts';
import { createSseSplitter } from '../../../../src/kernel/sse.ts';
import { encodeError, encodeErrorFrame } from '../../../../src/wire/openai/encode-error.ts';
import { openaiSchemas, schemasAbsent } from '../../../support/openai-schema.ts';

interface Body {
  readonly error: Readonly<Record<string, unknown>>;
}

function encoded(error: GatewayError): Body['error'] {
  return (JSON.parse(encodeError(error, 'req_1').toString()) as Body).error;
}

test('a body holds message, type, param, code and the id of the request', () => {
  const error = new GatewayError('invalid_request', {
    message: '`messages[2].role` must be a text.',
    field: 'messages[2].role',
  });

  assert.deepEqual(encoded(error), {
    message: '`messages[2].role` must be a text.',
    type: 'invalid_request_error',
    param: 'messages[2].role',
    code: 'invalid_request',
    request_id: 'req_1',
  });
});

test('each status has the type that clients know', () => {
  const types: readonly (readonly [GatewayError['code'], string])[] = [
    ['body_not_json', 'invalid_request_error'],
    ['body_too_large', 'invalid_request_error'],
    ['upstream_unprocessable', 'invalid_request_error'],
    ['credentials_invalid', 'authentication_error'],
    ['budget_exceeded', 'insufficient_quota'],
    ['model_not_allowed', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['rate_limited', 'rate_limit_error'],
    ['upstream_quota_exhausted', 'insufficient_quota'],
    ['internal_error', 'server_error'],
    ['upstream_credentials', 'server_error'],
    ['overloaded', 'server_error'],
  ];
  for (const [code, type] of types) assert.equal(encoded(new GatewayError(code)).type, type, code);
});

test('the provider’s own code and type stand where it gave them', () => {
  const error = new GatewayError('upstream_rejected', {
    upstreamCode: 'context_length_exceeded',
    upstreamType: 'some_error',
  });

  assert.equal(encoded(error).code, 'context_length_exceeded');
  assert.equal(encoded(error).type, 'some_error');
});

test('the error of a stream is one complete event with the same object', () => {
  const error = new GatewayError('upstream_truncated', { message: 'It\nbroke off: “…”.' });

  const records = createSseSplitter(10_000).push(encodeErrorFrame(error, 'req_1'));

  assert.equal(records.length, 1);
  assert.equal(records[0]?.data, encodeError(error, 'req_1').toString());
});

test('bodies are valid against OpenAI’s document', { skip: schemasAbsent }, () => {
  const error = new GatewayError('rate_limited', { retryAfterMs: 100 });

  openaiSchemas().assertValid('ErrorResponse', { error: encoded(error) });
});
