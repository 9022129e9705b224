/**
 * Goal: canonical requests become what Ollama's API takes, and only its real answers count as
 * answers. Method: recorded bodies and streams by the shapes of its package, against literals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseHead } from '../../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { createOllamaAdapter } from '../../../../src/providers/ollama/adapter.ts';
import type { OllamaConnection } from '../../../../src/providers/ollama/settings.ts';
import { OLLAMA_DROPPED } from '../../../../src/wire/ollama/limits.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { recorded } from '../../../support/recorded.ts';

const CONNECTION: OllamaConnection = {
  baseUrl: 'http://127.0.0.1:11434',
  apiKey: null,
  headers: {},
  contextTokens: null,
  keepAlive: null,
};
const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }] };
const NDJSON = { status: 200, headers: { 'content-type': 'application/x-ndjson' } };

function adapter(changes: Partial<OllamaConnection> = {}) {
  return createOllamaAdapter({ ...CONNECTION, ...changes });
}

const fixture = recorded('ollama', 'ollama-0.6.4');

function head(headers: Record<string, string> = {}, status = 200): ResponseHead {
  return { status, headers: { 'content-type': 'application/json', ...headers } };
}

function chat(changes: object = {}) {
  return providerCall('chat', { ...CHAT, ...changes } as JsonObject, 'qwen3:8b');
}

function sent(changes: object = {}, connection: Partial<OllamaConnection> = {}) {
  const request = adapter(connection).encode(chat(changes));
  return { ...request, body: JSON.parse(String(request.body)), text: String(request.body) };
}

test('each operation has its path, and the gateway’s headers alone', () => {
  const { encode } = adapter({ apiKey: 'key-1234567890', headers: { 'x-a': 'b' } });

  const { path, headers, method } = encode(chat());
  assert.deepEqual([method, path], ['POST', '/api/chat']);
  assert.deepEqual(headers, {
    accept: 'application/json',
    'user-agent': 'esclusa',
    'x-a': 'b',
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    authorization: 'Bearer key-1234567890',
  });
  const completion = providerCall('completion', { model: 'f', prompt: 'a' }, 'm');
  assert.equal(encode(completion).path, '/api/generate');
  const embedding = providerCall('embedding', { model: 'f', input: 'a' }, 'm');
  assert.equal(encode(embedding).path, '/api/embed');
  assert.equal(sent().headers.authorization, undefined);
});

test('roles, images, thoughts, calls and results stand where the API has them', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } };
  const args = '{ "b": 1.0, "2": 12345678901234567890 }';
  const call = (id: string, name: string, text: string) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  });
  const { body, text, dropped } = sent({
    messages: [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'text', text: 'a' }, image, { type: 'text', text: 'b' }] },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [call('c1', 'f', args), call('c2', 'g', '')],
      },
      { role: 'tool', tool_call_id: 'c2', content: 'two' },
      { role: 'tool', tool_call_id: 'c1', content: 'one', esclusa: { is_error: true } },
    ],
  });

  assert.deepEqual(body.messages, [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'a\nb', images: ['iVBO'] },
    {
      role: 'assistant',
      content: '',
      thinking: 'hm',
      tool_calls: [
        { id: 'c1', function: { name: 'f', arguments: JSON.parse(args) } },
        { id: 'c2', function: { name: 'g', arguments: {} } },
      ],
    },
    { role: 'tool', content: 'two', tool_name: 'g', tool_call_id: 'c2' },
    { role: 'tool', content: 'Error: one', tool_name: 'f', tool_call_id: 'c1' },
  ]);
  assert.ok(text.includes(`"arguments":${args}`), 'arguments go out as they came');
  assert.deepEqual(dropped, []);
});

test('tools, formats, thinking and sampling have members of their own', () => {
  const schema = { type: 'object', properties: { esclusa: { type: 'string' } } };
  const tools = [{ type: 'function', function: { name: 'f', parameters: schema } }];
  const { body } = sent({
    tools,
    response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
    ...{ max_tokens: 5, temperature: 0, stop: ['a'], logprobs: true, top_logprobs: 2 },
    esclusa: { top_k: 3, thinking: { mode: 'enabled', budget_tokens: 100 } },
  });

  assert.deepEqual(body, {
    model: 'qwen3:8b',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: false,
    tools,
    format: schema,
    think: true,
    logprobs: true,
    top_logprobs: 2,
    options: { num_predict: 5, temperature: 0, top_k: 3, stop: ['a'] },
  });
  assert.equal(sent({ response_format: { type: 'json_object' } }).body.format, 'json');
  assert.equal(sent({ response_format: { type: 'text' } }).body.format, undefined);
  assert.equal(sent({ tools, tool_choice: 'none' }).body.tools, undefined);
  assert.equal(sent({ esclusa: { thinking: { mode: 'disabled' } } }).body.think, false);
  assert.equal(sent({ esclusa: { thinking: { mode: 'adaptive' } } }).body.think, undefined);
  const settings = sent({}, { contextTokens: 9, keepAlive: '5m' }).body;
  assert.deepEqual([settings.options, settings.keep_alive], [{ num_ctx: 9 }, '5m']);
});

test('every effort has its word, and an unknown one is named', () => {
  const cases = { none: false, minimal: 'low', low: 'low', medium: 'medium', high: 'high' };
  for (const [reasoning_effort, think] of Object.entries(cases)) {
    assert.equal(sent({ reasoning_effort }).body.think, think);
  }
  const odd = sent({ reasoning_effort: 'constructor' });
  assert.deepEqual([odd.body.think, odd.dropped], [undefined, ['reasoning_effort']]);
});

test('everything that may be left out is named, once and by a fixed name', () => {
  const cached = { esclusa: { cache_control: { type: 'ephemeral' } } };
  const signed = { esclusa: { signature: 's' } };
  const url = 'data:image/png;base64,AA==';
  const { dropped } = sent({
    messages: [
      {
        role: 'user',
        name: 'ana',
        content: [
          { type: 'text', text: 'a', ...cached },
          { type: 'image_url', image_url: { url, detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' }, ...signed }],
        esclusa: { thinking_blocks: [{ type: 'redacted', data: 'x' }], signature: 's' },
      },
    ],
    tools: [{ type: 'function', function: { name: 'f', strict: true }, ...cached }],
    response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } },
    esclusa: { thinking: { mode: 'enabled', budget_tokens: 1 }, vendor: {} },
    ...{ metadata: {}, parallel_tool_calls: false, prediction: {}, prompt_cache_key: 'k' },
    ...{ safety_identifier: 's', service_tier: 'auto', store: true, user: 'u', verbosity: 'low' },
    ...{ a_later_field: 1 },
  });
  const effort = sent({ reasoning_effort: 'odd' }).dropped ?? [];

  assert.deepEqual([...(dropped ?? []), ...effort].sort(), [...OLLAMA_DROPPED]);
  assert.deepEqual(sent({ user: null, store: null, a_later_field: null }).dropped, []);
});

test('what would change the meaning is refused by the name the client gave it', () => {
  const user = (part: object) => ({ messages: [{ role: 'user', content: [part] }] });
  const call = (change: object) => ({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', tool_calls: [{ id: 'c', ...change }] },
    ],
  });
  const broken = { function: { name: 'f', arguments: '{"a":' } };
  const cases: readonly (readonly [object, string])[] = [
    [{ n: 2 }, 'n'],
    [{ audio: {} }, 'audio'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ functions: [] }, 'functions'],
    [{ function_call: 'auto' }, 'function_call'],
    [{ logit_bias: {} }, 'logit_bias'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice'],
    [{ tools: [{ type: 'custom', custom: { name: 'f' } }] }, 'tools[0].type'],
    [{ messages: [{ role: 'function', content: 'a' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'constructor', content: 'a' }] }, 'messages[0].role'],
    [user({ type: 'file', file: {} }), 'messages[0].content[0].file'],
    [user({ type: 'input_audio', input_audio: {} }), 'messages[0].content[0].input_audio'],
    [user({ type: 'hologram' }), 'messages[0].content[0].type'],
    [
      user({ type: 'image_url', image_url: { url: 'https://a.b/c.png' } }),
      'messages[0].content[0].image_url.url',
    ],
    [call({ custom: {} }), 'messages[1].tool_calls[0].type'],
    [call(broken), 'messages[1].tool_calls[0].function.arguments'],
  ];
  for (const [changes, field] of cases) {
    const error = thrownBy(() => adapter().encode(chat(changes)));
    assert.deepEqual([error.code, error.field], ['field_not_supported', field]);
  }
});

test('prompts and texts are taken as texts, one prompt at a time', () => {
  const encode = (operation: 'completion' | 'embedding', body: JsonObject) =>
    JSON.parse(String(adapter().encode(providerCall(operation, body, 'm')).body));

  assert.deepEqual(
    encode('completion', { model: 'f', prompt: ['a'], suffix: 'z', max_tokens: 3, n: 1 }),
    { model: 'm', prompt: 'a', suffix: 'z', stream: false, options: { num_predict: 3 } },
  );
  assert.deepEqual(encode('embedding', { model: 'f', input: ['a', 'b'], dimensions: 2 }), {
    ...{ model: 'm', input: ['a', 'b'], truncate: false, dimensions: 2, options: {} },
  });
  const refused: readonly (readonly ['completion' | 'embedding', object, string])[] = [
    ['completion', { prompt: ['a', 'b'] }, 'prompt'],
    ['completion', { prompt: [1, 2] }, 'prompt'],
    ['completion', { prompt: 'a', n: 2 }, 'n'],
    ['completion', { prompt: 'a', best_of: 2 }, 'best_of'],
    ['completion', { prompt: 'a', echo: true }, 'echo'],
    ['completion', { prompt: 'a', logprobs: 3 }, 'logprobs'],
    ['completion', { prompt: 'a', logit_bias: {} }, 'logit_bias'],
    ['embedding', { input: [1, 2] }, 'input'],
    ['embedding', { input: ['a', [1]] }, 'input'],
  ];
  for (const [operation, body, field] of refused) {
    const call = providerCall(operation, { model: 'f', ...body } as JsonObject, 'm');
    assert.equal(thrownBy(() => adapter().encode(call)).field, field);
  }
});

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
