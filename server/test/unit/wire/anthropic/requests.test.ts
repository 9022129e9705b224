/**
 * Goal: a request keeps its sense on the way from Anthropic's dialect to the canonical form and
 * back; what cannot be said is refused or named. Method: tables, worked out by hand, and
 * conversations made at random, there and back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { scanObject } from '../../../../src/kernel/json.ts';
import { decodeRequest } from '../../../../src/wire/anthropic/decode-request.ts';
import {
  type EncodeOptions,
  encodeCount,
  encodeRequest,
} from '../../../../src/wire/anthropic/encode-request.ts';
import { readRequest } from '../../../../src/wire/anthropic/read-request.ts';
import { rewriteRequest } from '../../../../src/wire/anthropic/rewrite-request.ts';
import { request } from './conversations.ts';

class Refusal extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

const OPTIONS: EncodeOptions = {
  model: 'm',
  maxTokens: 4096,
  structuredOutput: 'native',
  reasoning: 'effort',
  refuse: (path, message) => new Refusal(path, message),
};
const BASE = { model: 'm', max_tokens: 10 };
const HELLO = [{ role: 'user', content: 'Hi' }];

function decoded(source: object) {
  const text = JSON.stringify(source);
  return decodeRequest(JSON.parse(text) as JsonObject, Buffer.from(text));
}

function encoded(body: object, options: Partial<EncodeOptions> = {}) {
  const { text, dropped } = encodeRequest(body as JsonObject, { ...OPTIONS, ...options });
  return { body: JSON.parse(text) as Record<string, unknown>, text, dropped };
}

function refusedPath(body: object, options: Partial<EncodeOptions> = {}): string {
  try {
    encoded({ messages: HELLO, ...body }, options);
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.path;
  }
  assert.fail('nothing was refused');
}

test('a conversation of the dialect is the same after it was canonical', () => {
  fc.assert(
    fc.property(request, (source) => {
      const read = readRequest('chat', source as unknown as JsonObject);
      assert.equal(read.kind, 'read');
      const { body, needed, dropped } = decoded(source);
      assert.deepEqual([needed, dropped], [[], []]);
      const back = encoded(body);
      assert.deepEqual(back.body, JSON.parse(JSON.stringify(source)));
      assert.deepEqual(back.dropped, []);
    }),
  );
});

test('the arguments of a call keep their text there and back', () => {
  const input = '{ "b":1e2, "9": 12345678901234567890, "1":[ 1.0 ], "\\u00e9" : "\\u0041" }';
  const source = `{"model":"m","max_tokens":10,"messages":[{"role":"user","content":"a \\"[{,"},
    {"content":[{"type":"text","text":"x]}"},
    {"input":${input},"type":"tool_use","id":"t","name":"f"}],"role":"assistant"},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}`;

  const { body } = decodeRequest(JSON.parse(source) as JsonObject, Buffer.from(source));
  const [, assistant] = body.messages as { tool_calls: { function: { arguments: string } }[] }[];
  const { text: sent } = encodeRequest(body, OPTIONS);

  assert.equal(assistant?.tool_calls[0]?.function.arguments, input);
  assert.ok(sent.includes(`"input":${input}`), sent);
});

test('reading many calls takes time in proportion to their number', () => {
  const block = '{"type":"tool_use","id":"a","name":"b","input":{"x":1}}';
  const content = `[${Array(20_000).fill(block).join(',')}]`;
  const messages = `[{"role":"assistant","content":${content}}]`;
  const source = `{"model":"m","max_tokens":1,"messages":${messages}}`;
  const bytes = Buffer.from(source);

  const startedMs = performance.now();
  decodeRequest(JSON.parse(source) as JsonObject, bytes);

  assert.ok(performance.now() - startedMs < 2_000);
});

test('what only the dialect has is needed, and what matters little is dropped', () => {
  const { body, needed, dropped } = decoded({
    ...BASE,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'search_result', source: 'a', title: 'b', content: [] },
          { type: 'image', source: { type: 'file', file_id: 'file_1' } },
          { type: 'text', text: 'x', citations: [{}] },
        ],
      },
    ],
    tools: [{ type: 'bash_20250124', name: 'bash' }],
    container: 'c',
    speed: 'fast',
    somethingNew: 1,
  });

  assert.deepEqual(needed, [
    'messages[0].content[0]',
    'messages[0].content[1]',
    'tools[0]',
    'container',
  ]);
  assert.deepEqual(dropped, ['messages[0].content[2].citations', 'speed', 'unknown-fields']);
  const [message] = body.messages as unknown as { content: JsonObject[] }[];
  assert.deepEqual(message?.content[0], { type: 'file', file: { file_id: 'file_1' } });
});

test('results of tools and what is said beside them become messages in their order', () => {
  const { body } = decoded({
    ...BASE,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'one', is_error: true },
          { type: 'tool_result', tool_use_id: 'b' },
          { type: 'text', text: 'And now?' },
        ],
      },
    ],
  });

  assert.deepEqual(body.messages, [
    { role: 'tool', tool_call_id: 'a', content: 'one', esclusa: { is_error: true } },
    { role: 'tool', tool_call_id: 'b', content: '' },
    { role: 'user', content: 'And now?' },
  ]);
});

test('thinking, effort and the form of the answer are translated', () => {
  const schema = { type: 'object' };
  const { body } = decoded({
    ...BASE,
    messages: HELLO,
    thinking: { type: 'enabled', budget_tokens: 2048, display: 'omitted' },
    output_config: { effort: 'high', format: { type: 'json_schema', schema } },
  });

  assert.deepEqual(body.esclusa, {
    thinking: { mode: 'enabled', budget_tokens: 2048, include_thoughts: false },
  });
  assert.equal(body.reasoning_effort, 'high');
  assert.deepEqual(body.response_format, {
    type: 'json_schema',
    json_schema: { name: 'output', schema, strict: true },
  });
  const back = encoded(body).body;
  assert.deepEqual(back.thinking, { type: 'enabled', budget_tokens: 2048, display: 'omitted' });
  assert.deepEqual(back.output_config, { effort: 'high', format: { type: 'json_schema', schema } });
});

test('a request without a limit gets the target’s, and one of the dialect’s bytes too', () => {
  assert.equal(encoded({ messages: HELLO }).body.max_tokens, 4096);
  assert.equal(encoded({ messages: HELLO, max_tokens: 5 }).body.max_tokens, 5);
  const bytes = Buffer.from('{ "model" : "fast", "messages":[] }');
  const scan = scanObject(bytes, 9);
  assert.ok(scan.kind === 'members');
  const source = { model: 'fast', bytes, members: scan.members };

  const sent = rewriteRequest(source, { model: 'claude', maxTokens: 7 });
  assert.equal(sent.toString(), '{ "model" : "claude", "messages":[],"max_tokens":7 }');
  assert.equal(rewriteRequest(source, { model: 'fast', maxTokens: null }), bytes);
});

test('instructions stand apart, in their order', () => {
  const { body, dropped } = encoded({
    messages: [
      { role: 'system', content: 'A' },
      { role: 'developer', content: [{ type: 'text', text: 'B' }] },
      ...HELLO,
      { role: 'system', content: 'C' },
    ],
  });

  assert.deepEqual(
    body.system,
    ['A', 'B', 'C'].map((said) => ({ type: 'text', text: said })),
  );
  assert.deepEqual(body.messages, HELLO);
  assert.deepEqual(dropped, ['messages[3].role']);
});

test('what would be missed is refused by its path', () => {
  const call = (args: string) => ({
    messages: [
      {
        role: 'assistant',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: args } }],
      },
    ],
  });
  const part = (made: object) => ({ messages: [{ role: 'user', content: [made] }] });
  const cases: readonly (readonly [object, string])[] = [
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ functions: [] }, 'functions'],
    [{ tools: [{ type: 'custom' }] }, 'tools[0]'],
    [
      { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: { type: 'x' } },
      'tool_choice',
    ],
    [{ response_format: { type: 'grammar' } }, 'response_format'],
    [part({ type: 'input_audio' }), 'messages[0].content[0]'],
    [
      part({ type: 'image_url', image_url: { url: 'ftp://a' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      part({ type: 'file', file: { file_data: 'data:a/b;base64,AA==' } }),
      'messages[0].content[0].file',
    ],
    [call('[1]'), 'messages[0].tool_calls[0].function.arguments'],
    [call('{"a":'), 'messages[0].tool_calls[0].function.arguments'],
    [{ messages: [{ role: 'function', content: 'a' }] }, 'messages[0].role'],
  ];
  for (const [body, path] of cases) assert.equal(refusedPath(body), path);
});

test('what is not missed much is left out and named', () => {
  const { body, dropped } = encoded({
    messages: [
      { role: 'user', name: 'Ann', content: 'Hi' },
      { role: 'assistant', content: 'a', reasoning_content: 'hm' },
    ],
    seed: 1,
    logit_bias: { 1: 1 },
    presence_penalty: 0,
    frequency_penalty: 0.5,
    temperature: 1.7,
    service_tier: 'flex',
  });

  assert.deepEqual([...dropped].sort(), [
    'frequency_penalty',
    'logit_bias',
    'messages[0].name',
    'messages[1].reasoning_content',
    'seed',
    'service_tier',
    'temperature',
  ]);
  assert.equal(body.temperature, 1);
});

test('an answer in JSON is asked for natively, or by a tool whose call is forced', () => {
  const schema = { type: 'object', properties: {} };
  const body = {
    messages: HELLO,
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
  };
  assert.deepEqual(encoded(body).body.output_config, { format: { type: 'json_schema', schema } });

  const forced = encoded(body, { structuredOutput: 'tool' }).body;
  assert.deepEqual(forced.tool_choice, {
    ...{ type: 'tool', name: 'json_answer', disable_parallel_tool_use: true },
  });
  assert.deepEqual((forced.tools as { input_schema: object }[])[0]?.input_schema, schema);
  const tools = [{ type: 'function', function: { name: 'f' } }];
  assert.equal(refusedPath({ ...body, tools }, { structuredOutput: 'tool' }), 'response_format');
});

test('effort becomes a budget for older models, except amid tools without their thoughts', () => {
  const older = { reasoning: 'budget' as const, maxTokens: 20_000 };
  const ask = { messages: HELLO, reasoning_effort: 'medium', temperature: 0.2 };
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const amid = [
    ...HELLO,
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'a', content: 'b' },
  ];

  const thinks = encoded(ask, older);
  assert.deepEqual(thinks.body.thinking, { type: 'enabled', budget_tokens: 8192 });
  assert.deepEqual([thinks.body.temperature, thinks.dropped], [undefined, ['temperature']]);
  const amidTools = encoded({ ...ask, messages: amid }, older);
  assert.deepEqual([amidTools.body.thinking, amidTools.dropped], [undefined, ['reasoning_effort']]);
  assert.equal(encoded({ ...ask, max_tokens: 100 }, older).body.thinking, undefined);
});

test('a count is asked for with the question alone', () => {
  const { text: sent } = encodeCount(
    { messages: HELLO, max_tokens: 5, temperature: 1, stream: true, user: 'u' } as JsonObject,
    OPTIONS,
  );

  assert.deepEqual(JSON.parse(sent), { model: 'm', messages: HELLO });
});

test('fields of the wrong kind are refused by their path', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ model: '' }, 'model'],
    [{ messages: [] }, 'messages'],
    [{ messages: ['a'] }, 'messages[0]'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
    [{ messages: [{ role: 'a\nb', content: 'x' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    [
      {
        messages: [
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: 'c' }] },
        ],
      },
      'messages[0].content[0].input',
    ],
    [{ system: 7 }, 'system'],
    [{ max_tokens: -1 }, 'max_tokens'],
    [{ stream: 'yes' }, 'stream'],
    [{ tools: {} }, 'tools'],
    [{ stop_sequences: 'x' }, 'stop_sequences'],
  ];
  for (const [changes, field] of cases) {
    const read = readRequest('chat', { ...BASE, messages: HELLO, ...changes } as JsonObject);
    assert.equal(read.kind === 'refused' ? read.problem.field : null, field);
  }
});

test('any JSON object is read or refused, and what is read is decoded', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('model', 'messages', 'system', 'tools', 'max_tokens'),
        fc.jsonValue(),
      ),
      (body) => {
        const read = readRequest('chat', body as JsonObject);
        if (read.kind === 'read') assert.ok(decoded(body).body.model);
      },
    ),
  );
});
