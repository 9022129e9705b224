/**
 * Goal: only the server's real answers count as answers, whole or streamed, and its errors have
 * codes. Method: recorded bodies and streams by the shapes of its package, against literals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseHead } from '../../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { adapter, CHAT, chat, fixture, head, NDJSON } from './fixture.ts';

test('a complete answer is canonical, with its thoughts and its usage', () => {
  const bytes = fixture('chat.json');

  const answer = adapter().decodeAnswer(chat(), head(), bytes);

  const { id, ...body } = answer.body as JsonObject;
  assert.match(String(id), /^chatcmpl-[0-9a-f]{24}$/);
  assert.deepEqual(body, {
    object: 'chat.completion',
    created: 1_795_167_000,
    model: 'qwen3:8b',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Because of Rayleigh scattering.',
          reasoning_content: 'The user asks about the sky.',
        },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 26, completion_tokens: 282, total_tokens: 308 },
  });
  assert.deepEqual([answer.dialect, answer.finishReasons], ['native', ['stop']]);
  assert.deepEqual([answer.usage?.inputTokens, answer.usage?.outputTokens], [26, 282]);
});

test('calls keep their arguments byte for byte, and all have names to answer to', () => {
  const { body, finishReasons } = adapter().decodeAnswer(
    chat(),
    head(),
    fixture('chat-tools.json'),
  );

  const [choice] = (body as JsonObject).choices as readonly JsonObject[];
  const message = choice?.message as JsonObject;
  const calls = message.tool_calls as readonly { id: string; function: JsonObject }[];
  assert.deepEqual(
    calls.map((call) => call.function.arguments),
    ['{"city":"Ávila","days":1.0}', '{"id":12345678901234567890}'],
  );
  assert.match(String(calls[0]?.id), /^call_[0-9a-f]{24}$/);
  assert.equal(calls[1]?.id, 'call_x1');
  assert.equal(message.content, null);
  assert.deepEqual(finishReasons, ['tool_calls']);
});

test('completions and vectors are answers too', () => {
  const completion = providerCall('completion', { model: 'f', prompt: 'a' }, 'm');
  const generated = adapter().decodeAnswer(completion, head(), fixture('generate.json'));
  assert.deepEqual((generated.body as JsonObject).choices, [
    { index: 0, text: ' upon a time', logprobs: null, finish_reason: 'length' },
  ]);

  const vectors = [
    [0.010071029, -0.0017594862],
    [-0.0098027075, 0.06042469],
  ];
  const embed = (encoding_format: string) => {
    const call = providerCall('embedding', { model: 'f', input: 'a', encoding_format }, 'm');
    const { body } = adapter().decodeAnswer(call, head(), fixture('embed.json'));
    return (body as JsonObject).data as readonly { embedding: string | number[] }[];
  };
  assert.deepEqual(
    embed('float').map(({ embedding }) => embedding),
    vectors,
  );
  const packed = embed('base64').map(({ embedding }) => {
    const bytes = Buffer.from(String(embedding), 'base64');
    return [bytes.readFloatLE(0), bytes.readFloatLE(4)];
  });
  assert.deepEqual(
    packed,
    vectors.map((vector) => vector.map(Math.fround)),
  );
});

test('an answer that does not count its prompt has no usage, which is not zero', () => {
  const text = fixture('chat.json').toString().replace('"prompt_eval_count":26,', '');

  const { usage, body } = adapter().decodeAnswer(chat(), head(), Buffer.from(text));

  assert.equal(usage, null);
  assert.equal('usage' in (body as object), false);
});

test('what is no complete answer is refused, whatever the status says', () => {
  const good = fixture('chat.json').toString();
  const cases: readonly (readonly [string, ResponseHead, string | Buffer])[] = [
    ['empty', head(), ''],
    ['no content', head({}, 204), good],
    ['a page', head({ 'content-type': 'text/html' }), '<html></html>'],
    ['lines', head({ 'content-type': 'application/x-ndjson' }), good],
    ['cut', head(), good.slice(0, 50)],
    ['not done', head(), good.replace('"done":true', '"done":false')],
    ['no message', head(), '{"done":true}'],
    ['a list', head(), '[]'],
    ['not UTF-8', head(), Buffer.from('{"message":"\xff"}', 'latin1')],
    ['compressed', head({ 'content-encoding': 'gzip' }), good],
  ];
  for (const [name, answerHead, body] of cases) {
    const bytes = Buffer.from(body as string);
    const error = thrownBy(() => adapter().decodeAnswer(chat(), answerHead, bytes));
    assert.equal(error.code, 'upstream_invalid', name);
  }
});

test('errors are told by their status, and by their words where there is none', () => {
  const said = (error: string) => Buffer.from(JSON.stringify({ error }));
  const byStatus = [
    [400, 'registry.ollama.ai/library/x does not support tools', 'upstream_rejected', null],
    [404, 'model "x" not found, try pulling it first', 'upstream_not_found', 'model_not_found'],
    [401, 'unauthorized', 'upstream_credentials', null],
    [429, 'slow down', 'upstream_rate_limited', null],
    [500, 'model runner has unexpectedly stopped', 'upstream_failed', null],
    [503, 'server busy, please try again', 'upstream_unavailable', null],
    [400, 'the input length exceeds the context length', 'upstream_rejected', 'context'],
  ] as const;
  for (const [status, text, code, upstreamCode] of byStatus) {
    const error = adapter().decodeError(head({}, status), said(text));
    assert.equal(error.code, code, text);
    const expected = upstreamCode === 'context' ? 'context_length_exceeded' : upstreamCode;
    assert.equal(error.upstreamCode, expected, text);
  }
  const byWords = [
    ['server busy, please try again. maximum pending requests exceeded', 'upstream_unavailable'],
    ['model "x" not found', 'upstream_not_found'],
    ['an error was encountered while running the model', 'upstream_failed'],
  ] as const;
  for (const [text, code] of byWords) {
    const error = thrownBy(() => adapter().decodeAnswer(chat(), head(), said(text)));
    assert.equal(error.code, code, text);
  }
  const plain = adapter().decodeError(head({ 'retry-after': '3' }, 503), Buffer.from('no JSON'));
  assert.deepEqual([plain.code, plain.retryAfterMs], ['upstream_unavailable', 3000]);
  assert.equal(adapter().decodeError(head({}, 302), said('x')).code, 'upstream_invalid');
});

test('no message leaves with the key in it', () => {
  const { decodeError } = adapter({ apiKey: 'key-1234567890' });

  const error = decodeError(head({}, 401), Buffer.from('{"error":"bad key key-1234567890"}'));

  assert.ok(!error.message.includes('key-1234567890'), error.message);
});

function read(name: string, operation: 'chat' | 'completion' = 'chat') {
  const body = operation === 'chat' ? CHAT : { model: 'f', prompt: 'a' };
  const call = providerCall(operation, { ...body, stream: true } as JsonObject, 'm');
  const decoder = adapter().createStreamDecoder(call, NDJSON);
  const frame = decoder.push(fixture(name));
  assert.equal(decoder.end(), null);
  return frame;
}

test('a stream gives chunks: the role first, thoughts, text, the reason, the usage', () => {
  const frame = read('chat.ndjson');

  const choices = (frame?.chunks ?? []).map((chunk) => chunk.choices);
  assert.deepEqual(choices, [
    [{ index: 0, delta: { role: 'assistant', reasoning_content: 'The sky' }, finish_reason: null }],
    [{ index: 0, delta: { reasoning_content: '…' }, finish_reason: null }],
    [{ index: 0, delta: { content: 'Because of ' }, finish_reason: null }],
    [{ index: 0, delta: { content: 'scattering — ü.' }, finish_reason: null }],
    [{ index: 0, delta: {}, finish_reason: 'length' }],
    [],
  ]);
  assert.deepEqual(frame?.chunks?.at(-1)?.usage, {
    prompt_tokens: 26,
    completion_tokens: 12,
    total_tokens: 38,
  });
  assert.equal(new Set(frame?.chunks?.map(({ id }) => id)).size, 1);
  assert.deepEqual([frame?.bytes.length, frame?.terminal !== null], [0, true]);
  assert.equal(frame?.producedCharacters, 'The sky…Because of scattering — ü.'.length);
  assert.equal(frame?.usage?.outputTokens, 12);
});

test('calls in a stream count on, each whole and as it was written', () => {
  const chunks = read('chat-tools.ndjson')?.chunks ?? [];

  const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assert.deepEqual(
    calls.map(({ index, function: called }) => [index, called?.name, called?.arguments]),
    [
      [0, 'get_weather', '{"b":1.0, "a":"x"}'],
      [1, 'get_time', '{}'],
    ],
  );
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
  assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'tool_calls');
});

test('a streamed completion has text where a chat has deltas', () => {
  const chunks = read('generate.ndjson', 'completion')?.chunks ?? [];

  const told = chunks.map(({ object, choices }) => [object, ...choices] as unknown[]);
  const choice = { index: 0, logprobs: null };
  assert.deepEqual(told, [
    ['text_completion', { ...choice, text: ' upon', finish_reason: null }],
    ['text_completion', { ...choice, text: ' a time', finish_reason: null }],
    ['text_completion', { ...choice, text: '', finish_reason: 'stop' }],
    ['text_completion'],
  ]);
});

test('a stream that breaks, errs or grows without end is a coded error', () => {
  const decoder = () => adapter().createStreamDecoder(chat({ stream: true }), NDJSON);
  const codeOf = (run: () => unknown) => thrownBy(run).code;

  assert.equal(
    codeOf(() => decoder().push(fixture('chat-error.ndjson'))),
    'upstream_failed',
  );
  assert.equal(
    codeOf(() => decoder().push(Buffer.from('{"mess\n'))),
    'upstream_invalid',
  );
  assert.equal(
    codeOf(() => decoder().push(Buffer.from('{"done":true}\n'))),
    'upstream_invalid',
  );
  const large = Buffer.alloc(8 * 1024 * 1024 + 1, 'x');
  assert.equal(
    codeOf(() => decoder().push(large)),
    'upstream_too_long',
  );
  const text = fixture('chat.ndjson');
  for (const length of [0, 10, text.indexOf('\n') + 1, text.length - 30]) {
    const cut = decoder();
    cut.push(text.subarray(0, length));
    assert.equal(
      codeOf(() => cut.end()),
      'upstream_truncated',
      `${length} bytes`,
    );
  }
  const unended = decoder();
  unended.push(text.subarray(0, text.length - 1));
  assert.notEqual(unended.end()?.terminal, null, 'the last line may lack its end');
});

test('a stream is only opened on the head of one', () => {
  const open = (type: string) =>
    adapter().createStreamDecoder(chat({ stream: true }), head({ 'content-type': type }));

  for (const type of ['application/x-ndjson', 'application/x-ndjson; charset=utf-8']) {
    assert.ok(open(type));
  }
  for (const type of ['application/json', 'text/event-stream', 'text/html']) {
    assert.equal(thrownBy(() => open(type)).code, 'upstream_invalid', type);
  }
});
