/**
 * Goal: canonical requests keep their meaning on the way to Gemini's models, and what cannot be
 * said is refused or named. Method: bodies as the API's documents write them; expected values
 * are worked out by hand, results of tools go both ways at random.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject } from '../../../../src/kernel/json.ts';
import type { Refusal } from '../../../../src/wire/gemini/encode/refuse.ts';
import { encodeRequest } from '../../../../src/wire/gemini/encode/request.ts';
import { toResponse, toResult } from '../../../../src/wire/gemini/tool-result.ts';
import { decodedRequest, type Json } from './fixture.ts';

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.field);
    this.refusal = refusal;
  }
}

function encode(body: Json) {
  const { text, dropped } = encodeRequest(body, 'gemini', (refusal) => new Refused(refusal));
  return { text, body: JSON.parse(text) as Json, dropped };
}

function refusalOf(body: Json): Refusal {
  try {
    encode(body);
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    return error.refusal;
  }
  assert.fail('nothing was refused');
}

const CALLS = [
  {
    id: 'a',
    type: 'function',
    function: { name: 'f', arguments: '{ "n": 12345678901234567890 }' },
  },
  { id: 'call_made_x_1', type: 'function', function: { name: 'f', arguments: '' } },
];

test('messages become contents, with results in one content and every digit of arguments', () => {
  const { text, body } = encode({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, tool_calls: CALLS },
      { role: 'tool', tool_call_id: 'a', content: 'sunny' },
      { role: 'tool', tool_call_id: 'call_made_x_1', content: '{"n":1}' },
      { role: 'user', content: 'y' },
    ],
  });

  assert.deepEqual(body.systemInstruction, {
    parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }],
  });
  assert.deepEqual(
    body.contents.map(({ role }: Json) => role),
    ['user', 'model', 'user', 'user'],
  );
  assert.match(text, /"args":\{ "n": 12345678901234567890 \}/);
  assert.deepEqual(body.contents[1].parts[1], { functionCall: { name: 'f', args: {} } });
  assert.deepEqual(body.contents[2].parts, [
    { functionResponse: { name: 'f', response: { n: 1 } } },
    { functionResponse: { id: 'a', name: 'f', response: { output: 'sunny' } } },
  ]);
});

test('results of calls without ids stand in the order of their calls', () => {
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const { body } = encode({
    messages: [
      { role: 'assistant', tool_calls: [call('call_made_x_0'), call('call_made_x_1')] },
      { role: 'tool', tool_call_id: 'call_made_x_1', content: 'second' },
      { role: 'tool', tool_call_id: 'call_made_x_0', content: 'first' },
    ],
  });

  const outputs = body.contents[1].parts.map(({ functionResponse: f }: Json) => f.response.output);
  assert.deepEqual(outputs, ['first', 'second']);
});

test('a step of the current turn says that nobody kept its signature', () => {
  const call = (id: string, signature?: string) => ({
    ...{ id, type: 'function', function: { name: 'f', arguments: '{}' } },
    ...(signature === undefined ? {} : { esclusa: { signature } }),
  });
  const step = (...calls: Json[]) => [
    { role: 'assistant', tool_calls: calls },
    ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'x' })),
  ];
  const messages = [
    { role: 'user', content: 'x' },
    ...step(call('a')),
    { role: 'user', content: 'y' },
    ...step(call('b'), call('c')),
    ...step(call('d', 's'), call('e')),
  ];
  const { text, body } = encode({ messages });

  const signatures = body.contents
    .filter(({ role }: Json) => role === 'model')
    .map(({ parts }: Json) => parts.map((part: Json) => part.thoughtSignature));
  const unsigned = 'skip_thought_signature_validator';
  assert.deepEqual(signatures, [[undefined], [unsigned, undefined], ['s', undefined]]);
  const back = decodedRequest(text).body.messages[4].tool_calls[0];
  assert.equal(back.esclusa, undefined, 'and is read as none');
});

test('media that only Google takes, and prompts that it keeps, are reckoned with as files', () => {
  const video = { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } };
  const { body } = decodedRequest({
    ...{ cachedContent: 'cachedContents/a' },
    contents: [{ parts: [{ text: 'x' }, video] }],
  });

  assert.deepEqual(body.messages, [
    { role: 'system', content: [{ type: 'file', file: { file_id: 'cachedContents/a' } }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'x' },
        { type: 'file', file: {} },
      ],
    },
  ]);
});

test('settings, tools, choices and forms have their places', () => {
  const schema = { type: 'object', properties: {} };
  const { body, dropped } = encode({
    messages: [{ role: 'user', content: 'x' }],
    ...{ max_tokens: 5, n: 2, stop: 'END', temperature: 0, logprobs: true, top_logprobs: 2 },
    tools: [{ type: 'function', function: { name: 'f', parameters: schema, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
    ...{ user: 'u', metadata: {}, anything: 1 },
    esclusa: { vendor: { gemini: { safetySettings: [], generationConfig: { topK: 3 } } } },
  });

  assert.deepEqual(body.tools, [
    { functionDeclarations: [{ name: 'f', parametersJsonSchema: schema }] },
  ]);
  assert.deepEqual(body.toolConfig, {
    functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] },
  });
  assert.deepEqual(body.generationConfig, {
    ...{ maxOutputTokens: 5, temperature: 0, candidateCount: 2, stopSequences: ['END'] },
    ...{ responseLogprobs: true, logprobs: 2, topK: 3 },
    ...{ responseMimeType: 'application/json', responseJsonSchema: schema },
  });
  assert.deepEqual(body.safetySettings, []);
  assert.deepEqual(dropped, ['user', 'metadata', '(others)', 'tools[].function.strict']);
});

test('what this wire cannot say is refused with the field at fault', () => {
  const messages = [{ role: 'user', content: 'x' }];
  const file = { type: 'file', file: { file_id: 'file-1' } };
  const broken = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '[1]' } }];
  const cases: readonly (readonly [Json, Refusal['kind'], string])[] = [
    [{ messages, logit_bias: {} }, 'unsupported', 'logit_bias'],
    [{ messages, functions: [] }, 'unsupported', 'functions'],
    [{ messages, modalities: ['text', 'audio'] }, 'unsupported', 'modalities'],
    [{ messages, tools: [{ type: 'custom' }] }, 'unsupported', 'tools[0].type'],
    [{ messages: [{ role: 'user', content: [file] }] }, 'unsupported', 'messages[0].content[0]'],
    [{ messages: [{ role: 'odd', content: 'x' }] }, 'unsupported', 'messages[0].role'],
    [
      { messages: [{ role: 'assistant', tool_calls: broken }] },
      'unsupported',
      'messages[0].tool_calls[0].function.arguments',
    ],
    [
      { messages: [{ role: 'tool', tool_call_id: 'nobody', content: 'x' }] },
      'invalid',
      'messages[0].tool_call_id',
    ],
  ];
  for (const [body, kind, field] of cases) assert.deepEqual(refusalOf(body), { kind, field });
});

test('results of tools survive both ways, byte for byte', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((output) => JSON.stringify({ output })),
    fc.string().map((error) => JSON.stringify({ error })),
    fc.json().map((output) => JSON.stringify({ output })),
  );
  fc.assert(
    fc.property(text, fc.boolean(), (content, isError) => {
      assert.deepEqual(toResult(toResponse({ content, isError })), { content, isError });
    }),
  );
  fc.assert(
    fc.property(text, fc.dictionary(fc.string(), fc.jsonValue()), (output, other) => {
      for (const response of [{ output }, { error: output }, other]) {
        const plain = JSON.parse(JSON.stringify(response));
        assert.ok(isJsonObject(plain));
        assert.deepEqual(toResponse(toResult(plain)), plain);
      }
    }),
  );
});
