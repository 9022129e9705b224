/**
 * Goal: requests go out with the client's bytes or the canonical form in Anthropic's shape,
 * under the gateway's headers alone; only real answers count as answers, and every refusal has
 * its code. Method: the adapter, recorded bodies, and heads as providers and proxies send them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InferenceRequest } from '../../../../src/gateway/index.ts';
import type { ModelManner } from '../../../../src/gateway/model/target.ts';
import type { ProviderCall, ResponseHead } from '../../../../src/gateway/ports/provider.ts';
import { createAnthropicAdapter } from '../../../../src/providers/anthropic/adapter.ts';
import type { AnthropicConnection } from '../../../../src/providers/anthropic/settings.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { anthropicFixture } from '../../wire/anthropic/fixture.ts';

const KEY = 'sk-ant-test-1234567890';
const CONNECTION: AnthropicConnection = {
  baseUrl: 'https://api.example.com',
  apiKey: KEY,
  version: '2023-06-01',
  betas: [],
  headers: {},
  structuredOutput: 'native',
  reasoning: 'effort',
};
const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }] };

function adapter(changes: Partial<AnthropicConnection> = {}) {
  return createAnthropicAdapter({ ...CONNECTION, ...changes });
}

function head(headers: Record<string, string> = {}, status = 200): ResponseHead {
  return { status, headers: { 'content-type': 'application/json', ...headers } };
}

/** The call of a client that speaks the provider's own wire. */
function ownCall(headers: Record<string, string> = {}, changes: Partial<InferenceRequest> = {}) {
  const call = providerCall('chat', CHAT, 'claude');
  const foreign = { body: call.request.body, headers, needed: [], dropped: [] };
  const request = { ...call.request, dialect: 'anthropic', foreign, ...changes };
  return { ...call, request } as ProviderCall;
}

test('each operation has its path, with and without a version in the base URL', () => {
  const count = { operation: 'count_tokens' as const };
  const paths = [{}, { baseUrl: 'https://api.example.com/v1' }].map((changes) => {
    const { encode } = adapter(changes);
    return [encode(ownCall()).path, encode(ownCall({}, count)).path];
  });

  assert.deepEqual(paths, [
    ['/v1/messages', '/v1/messages/count_tokens'],
    ['/messages', '/messages/count_tokens'],
  ]);
});

test('a model takes reasoning and JSON in its own manner, unless the provider’s is set', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer' } } };
  const asked = {
    ...CHAT,
    ...{ reasoning_effort: 'low', max_completion_tokens: 9000 },
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
  };
  const sent = (manner: ModelManner | null, changes: Partial<AnthropicConnection>) => {
    const call = providerCall('chat', asked, 'm');
    const target = manner === null ? call.target : { ...call.target, manner };
    const { body, dropped = [] } = adapter(changes).encode({ ...call, target });
    const { output_config: output, thinking, tools } = JSON.parse(String(body));
    const named = dropped.filter((field) => !field.startsWith('response_format'));
    return [output?.effort, thinking?.budget_tokens, output?.format?.type, tools?.length, named];
  };
  const open = { structuredOutput: null, reasoning: null } as const;
  const older = { reasoning: 'budget', structuredOutput: 'tool' } as const;

  assert.deepEqual(sent(null, open), ['low', undefined, 'json_schema', undefined, []]);
  assert.deepEqual(sent({ reasoning: 'budget' }, open), [
    ...[undefined, 2048, 'json_schema', undefined, []],
  ]);
  assert.deepEqual(sent({ ...older, reasoning: 'none' }, open), [
    ...[undefined, undefined, undefined, 1, ['reasoning_effort']],
  ]);
  assert.deepEqual(sent(older, { reasoning: 'effort', structuredOutput: 'native' }), [
    ...['low', undefined, 'json_schema', undefined, []],
  ]);
});

test('an answer by a forced tool is read as its model’s manner has it', () => {
  const input = { a: 1 };
  const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema: {} } };
  const call = providerCall('chat', { ...CHAT, response_format }, 'm');
  const target = { ...call.target, manner: { structuredOutput: 'tool' } as const };
  const { decodeAnswer, encode } = adapter({ structuredOutput: null });
  const [tool] = JSON.parse(String(encode({ ...call, target }).body)).tools;
  const answer = decodeAnswer(
    { ...call, target },
    head(),
    Buffer.from(
      JSON.stringify({
        ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm' },
        content: [{ type: 'tool_use', id: 'toolu_1', name: tool.name, input }],
        ...{ stop_reason: 'tool_use', usage: { input_tokens: 1, output_tokens: 1 } },
      }),
    ),
  );

  const { choices } = answer.body as unknown as Completion;
  assert.deepEqual(JSON.parse(choices[0]?.message.content ?? ''), input);
  assert.equal(choices[0]?.finish_reason, 'stop');
});

interface Completion {
  readonly choices: readonly { message: { content: string }; finish_reason: string }[];
}

test('a translated request carries the configured version and features, and its key', () => {
  const { encode } = adapter({ betas: ['a-2025-01-01'], headers: { 'x-title': 'demo' } });

  assert.deepEqual(encode(providerCall('chat', CHAT, 'm')).headers, {
    accept: 'application/json',
    'user-agent': 'esclusa',
    'x-title': 'demo',
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'a-2025-01-01',
    'x-api-key': KEY,
  });
});

test('the client’s bytes go with its own version and features, and those configured', () => {
  const call = ownCall({ 'anthropic-version': '2026-10-21', 'anthropic-beta': 'b, a' });
  const { headers, body } = adapter({ betas: ['a'] }).encode(call);

  assert.equal(headers['anthropic-version'], '2026-10-21');
  assert.equal(headers['anthropic-beta'], 'a,b');
  const source = call.request.bytes.toString();
  const expected = source.replace('"fast"', '"claude"').replace(/\}$/, ',"max_tokens":4096}');
  assert.equal(String(body), expected);
});

test('what the wire has not is refused: completions and embeddings', () => {
  const call = providerCall('embedding', { model: 'm', input: 'a' }, 'm');

  assert.equal(thrownBy(() => adapter().encode(call)).code, 'model_unsupported_operation');
});

test('an answer keeps its bytes for its own dialect, and is canonical for another', () => {
  const bytes = anthropicFixture('message-tools.json');
  const date = { date: 'Fri, 20 Nov 2026 12:00:00 GMT' };
  const own = adapter().decodeAnswer(ownCall(), head(), bytes);
  const other = adapter().decodeAnswer(providerCall('chat', CHAT, 'm'), head(date), bytes);

  assert.deepEqual([own.bytes, own.body, own.finishReasons], [bytes, null, ['tool_calls']]);
  assert.equal(own.usage?.inputTokens, 135);
  assert.equal(other.body?.object, 'chat.completion');
  assert.equal(other.body?.created, Date.parse(date.date) / 1000);
});

test('what is no answer is refused, whatever the status says', () => {
  const good = anthropicFixture('message-tools.json').toString();
  const cases: readonly (readonly [string, ResponseHead, string])[] = [
    ['empty', head(), ''],
    ['no content', head({}, 204), good],
    ['a page', head({ 'content-type': 'text/html' }), '<html>'],
    ['a list', head(), '[]'],
    ['no blocks', head(), '{"stop_reason":"end_turn"}'],
    ['no end', head(), '{"content":[]}'],
    ['compressed', head({ 'content-encoding': 'gzip' }), good],
  ];
  for (const [name, answerHead, body] of cases) {
    const run = () => adapter().decodeAnswer(ownCall(), answerHead, Buffer.from(body));
    assert.equal(thrownBy(run).code, 'upstream_invalid', name);
  }
  const count = ownCall({}, { operation: 'count_tokens' });
  const wrong = () => adapter().decodeAnswer(count, head(), Buffer.from('{"input_tokens":-1}'));
  assert.equal(thrownBy(wrong).code, 'upstream_invalid');
});

test('statuses become codes, with the wait that the provider asks for', () => {
  const cases = [
    [400, 'upstream_rejected'],
    [401, 'upstream_credentials'],
    [402, 'upstream_quota_exhausted'],
    [403, 'upstream_credentials'],
    [404, 'upstream_not_found'],
    [413, 'upstream_too_large'],
    [422, 'upstream_unprocessable'],
    [429, 'upstream_rate_limited'],
    [500, 'upstream_failed'],
    [504, 'upstream_timeout'],
    [529, 'upstream_overloaded'],
    [302, 'upstream_invalid'],
  ] as const;
  for (const [status, code] of cases) {
    const error = adapter().decodeError(head({ 'retry-after': '3' }, status), Buffer.from('x'));
    assert.equal(error.code, code);
    if (status >= 400) assert.equal(error.retryAfterMs, 3000);
  }
});

test('an error keeps type and code, but neither a key nor the type of our own credentials', () => {
  const body = (type: string, message: string, code = 'some_code') =>
    Buffer.from(JSON.stringify({ error: { type, message, details: { error_code: code } } }));
  const rejected = adapter().decodeError(head({}, 400), body('invalid_request_error', 'Bad.'));
  const locked = adapter().decodeError(head({}, 401), body('authentication_error', `No ${KEY}`));
  const spent = adapter().decodeError(
    head({}, 429),
    body('rate_limit_error', 'Spent.', 'contract_spend_limit_reached'),
  );
  const never = adapter().decodeError(head({ 'x-should-retry': 'false' }, 500), body('x', 'y'));

  assert.deepEqual(
    [rejected.upstreamType, rejected.upstreamCode, rejected.message],
    ['invalid_request_error', 'some_code', 'Bad.'],
  );
  assert.deepEqual([locked.upstreamType, locked.message.includes(KEY)], [null, false]);
  assert.equal(spent.code, 'upstream_quota_exhausted');
  assert.equal(never.retryable, false);
});

test('errors in a 2xx body and inside a stream are those errors', () => {
  const text = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
  const body = () => adapter().decodeAnswer(ownCall(), head(), Buffer.from(text));
  const stream = () =>
    adapter()
      .createStreamDecoder(ownCall(), head({ 'content-type': 'text/event-stream' }))
      .push(anthropicFixture('overloaded.sse'));

  assert.equal(thrownBy(body).code, 'upstream_overloaded');
  assert.equal(thrownBy(stream).code, 'upstream_overloaded');
});

test('problems of a stream become coded errors', () => {
  const type = { 'content-type': 'text/event-stream' };
  const open = () => adapter().createStreamDecoder(ownCall(), head(type));
  const cut = open();
  cut.push(anthropicFixture('message.sse').subarray(0, 300));

  assert.equal(thrownBy(() => cut.end()).code, 'upstream_truncated');
  assert.equal(thrownBy(() => open().push(Buffer.from('data: {\n\n'))).code, 'upstream_invalid');
  const large = Buffer.alloc(8 * 1024 * 1024 + 1, 'x');
  assert.equal(thrownBy(() => open().push(large)).code, 'upstream_too_long');
  const plain = () => adapter().createStreamDecoder(ownCall(), head());
  assert.equal(thrownBy(plain).code, 'upstream_invalid');
});
