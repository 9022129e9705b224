/**
 * Goal: canonical requests become what Ollama's API takes; what it cannot be told is refused or
 * named. Method: bodies by the shapes of its package, against literals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import type { OllamaConnection } from '../../../../src/providers/ollama/settings.ts';
import { OLLAMA_DROPPED } from '../../../../src/wire/ollama/limits.ts';
import { thrownBy } from '../../../support/gateway-error.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { adapter, chat } from './fixture.ts';

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
