/**
 * Goal: requests keep their meaning on the way to the canonical form and from it, and what
 * cannot be carried is named. Method: bodies as the SDK and the API's documents write them;
 * expected values are worked out by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject, type JsonObject, scanObject } from '../../../../src/kernel/json.ts';
import { decodeCountRequest, decodeRequest } from '../../../../src/wire/gemini/decode/request.ts';
import {
  decodeBatchEmbedRequest,
  decodeEmbedRequest,
  encodeEmbedRequest,
} from '../../../../src/wire/gemini/embedding.ts';
import type { Refusal } from '../../../../src/wire/gemini/encode/refuse.ts';
import { encodeRequest } from '../../../../src/wire/gemini/encode/request.ts';
import { readChatRequest } from '../../../../src/wire/gemini/read-request.ts';
import { rewriteModels } from '../../../../src/wire/gemini/rewrite-request.ts';
import { toJsonSchema } from '../../../../src/wire/gemini/schema.ts';
import { toResponse, toResult } from '../../../../src/wire/gemini/tool-result.ts';

/** Tests look into whatever was translated. */
type Json = ReturnType<typeof JSON.parse>;

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.field);
    this.refusal = refusal;
  }
}

function decode(body: Json | string, stream = false) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const parsed = JSON.parse(text) as JsonObject;
  const decoded = decodeRequest({ model: 'm', stream, body: parsed, text: () => text });
  return { ...decoded, body: decoded.body as Json };
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

const user = (text: string) => ({ role: 'user', parts: [{ text }] });

test('contents become messages: instructions, texts and media', () => {
  const { body, needed, dropped } = decode({
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      {
        role: 'user',
        parts: [
          { text: 'Look:' },
          { inlineData: { mimeType: 'image/png', data: 'iVBOR_-=' } },
          { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=', displayName: 'a.pdf' } },
          { inlineData: { mimeType: 'audio/mpeg', data: 'AAAA' } },
          { fileData: { mimeType: 'image/jpeg', fileUri: 'https://example.com/a.jpg' } },
          { fileData: { mimeType: 'application/pdf', fileUri: 'https://example.com/b' } },
        ],
      },
    ],
  });

  assert.deepEqual([needed, dropped], [[], []]);
  assert.deepEqual(body.messages, [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBOR/+=' } },
        {
          type: 'file',
          file: { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' },
        },
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.jpg' } },
        { type: 'file', file: { file_url: 'https://example.com/b' } },
      ],
    },
  ]);
});

test('thoughts, calls and their results become messages, with ids given or made', () => {
  const { body } = decode({
    contents: [
      {
        role: 'model',
        parts: [
          { text: 'Hm.', thought: true },
          { text: 'I look.' },
          { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 's' },
          { functionCall: { id: 'given', name: 'g' } },
          { functionCall: { name: 'f', args: {} } },
        ],
      },
      {
        parts: [
          { functionResponse: { name: 'f', response: { output: 'first' } } },
          { functionResponse: { id: 'given', name: 'g', response: { error: 'no' } } },
          { functionResponse: { name: 'f', response: { n: 2 } } },
          { text: 'And now?' },
        ],
      },
    ],
  });

  assert.deepEqual(body.messages, [
    {
      role: 'assistant',
      content: 'I look.',
      reasoning_content: 'Hm.',
      tool_calls: [
        {
          ...{ id: 'call_0', type: 'function', esclusa: { signature: 's' } },
          function: { name: 'f', arguments: '{"a":1}' },
        },
        { id: 'given', type: 'function', function: { name: 'g', arguments: '{}' } },
        { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } },
      ],
      esclusa: { thinking_blocks: [{ type: 'thinking', thinking: 'Hm.' }] },
    },
    { role: 'tool', tool_call_id: 'call_0', content: 'first' },
    { role: 'tool', tool_call_id: 'given', content: 'no', esclusa: { is_error: true } },
    { role: 'tool', tool_call_id: 'call_1', content: '{"n":2}' },
    { role: 'user', content: 'And now?' },
  ]);
});

test('arguments of earlier calls keep every digit and the order of their keys', () => {
  const args = '{"z":12345678901234567890,"2":1.0,"1":"\\u00e9"}';
  const text = `{"contents":[{"parts":[{"text":"x"}]},{"role":"model","parts":[{"text":"]}"},
    {"functionCall":{"name":"f","args":${args}}}]}]}`;

  const { body } = decode(text);

  assert.equal(body.messages[1].tool_calls[0].function.arguments, args);
});

test('settings become canonical ones, in either spelling', () => {
  const camel = decode({
    contents: [user('x')],
    generationConfig: {
      ...{ maxOutputTokens: 10, temperature: 0.5, topP: 0.9, topK: 40, candidateCount: 2 },
      ...{ stopSequences: ['END'], seed: 7, presencePenalty: 1, frequencyPenalty: 0.5 },
      ...{ responseLogprobs: true, logprobs: 3, responseModalities: ['TEXT'] },
      thinkingConfig: { includeThoughts: true, thinkingBudget: 512, thinkingLevel: 'LOW' },
    },
  });
  const snake = decode({
    contents: [user('x')],
    generation_config: {
      ...{ max_output_tokens: 10, temperature: 0.5, top_p: 0.9, top_k: 40, candidate_count: 2 },
      ...{ stop_sequences: ['END'], seed: 7, presence_penalty: 1, frequency_penalty: 0.5 },
      ...{ response_logprobs: true, logprobs: 3, response_modalities: ['TEXT'] },
      thinking_config: { include_thoughts: true, thinking_budget: 512, thinking_level: 'LOW' },
    },
  });

  assert.deepEqual(camel, snake);
  assert.deepEqual(camel.body, {
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    ...{ max_completion_tokens: 10, temperature: 0.5, top_p: 0.9, n: 2, stop: ['END'], seed: 7 },
    ...{ presence_penalty: 1, frequency_penalty: 0.5, logprobs: true, top_logprobs: 3 },
    reasoning_effort: 'low',
    esclusa: {
      top_k: 40,
      thinking: { mode: 'enabled', budget_tokens: 512, include_thoughts: true },
    },
  });
});

test('a budget of thought of 0 forbids it, and -1 leaves it to the model', () => {
  const thinking = (thinkingConfig: object) =>
    decode({ contents: [user('x')], generationConfig: { thinkingConfig } }).body.esclusa?.thinking;

  assert.deepEqual(thinking({ thinkingBudget: 0 }), { mode: 'disabled' });
  assert.deepEqual(thinking({ thinkingBudget: -1 }), { mode: 'adaptive', include_thoughts: false });
  assert.equal(thinking({ thinkingLevel: 'HIGH' }), undefined);
});

test('the form of the answer is heard in either kind of schema', () => {
  const format = (generationConfig: object) =>
    decode({ contents: [user('x')], generationConfig }).body.response_format;
  const responseMimeType = 'application/json';
  const schema = { type: 'object', properties: { a: { type: ['string', 'null'] } } };

  assert.deepEqual(format({ responseMimeType }), { type: 'json_object' });
  assert.equal(format({ responseMimeType: 'text/plain' }), undefined);
  const expected = { type: 'json_schema', json_schema: { name: 'answer', schema } };
  assert.deepEqual(format({ responseMimeType, responseJsonSchema: schema }), expected);
  const own = { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } };
  assert.deepEqual(format({ responseMimeType, responseSchema: own }), expected);
});

test('Google’s own schema becomes JSON Schema, limits and alternatives included', () => {
  const schema = toJsonSchema({
    type: 'ARRAY',
    minItems: '1',
    max_items: '3',
    items: {
      anyOf: [
        { type: 'STRING', enum: ['a', 'b'], format: 'enum', nullable: true },
        { type: 'OBJECT', properties: { type: { type: 'INTEGER' } }, propertyOrdering: ['type'] },
      ],
    },
  });

  assert.deepEqual(schema, {
    type: 'array',
    minItems: 1,
    maxItems: 3,
    items: {
      anyOf: [
        { type: ['string', 'null'], enum: ['a', 'b', null] },
        { type: 'object', properties: { type: { type: 'integer' } } },
      ],
    },
  });
});

test('modes of calling become choices, of one function or among a shorter list', () => {
  const tools = [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }];
  const choice = (functionCallingConfig: object) => {
    const { body } = decode({
      contents: [user('x')],
      tools,
      toolConfig: { functionCallingConfig },
    });
    const names = body.tools.map((tool: Json) => tool.function.name).join('');
    return [names, body.tool_choice];
  };

  assert.deepEqual(choice({ mode: 'AUTO' }), ['abc', 'auto']);
  assert.deepEqual(choice({ mode: 'NONE' }), ['abc', 'none']);
  assert.deepEqual(choice({ mode: 'ANY' }), ['abc', 'required']);
  assert.deepEqual(choice({ mode: 'ANY', allowedFunctionNames: ['a', 'c'] }), ['ac', 'required']);
  assert.deepEqual(choice({ mode: 'ANY', allowed_function_names: ['b'] }), [
    'abc',
    { type: 'function', function: { name: 'b' } },
  ]);
});

test('what only Google has is needed, what may be left out is dropped, by fixed names', () => {
  const { needed, dropped } = decode({
    contents: [
      {
        role: 'user',
        parts: [
          { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/a' } },
          { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } },
          { text: 'x', videoMetadata: { fps: 1 } },
        ],
      },
      { role: 'model', parts: [{ executableCode: { code: '1' } }] },
    ],
    tools: [{ codeExecution: {} }],
    cachedContent: 'cachedContents/a',
    safetySettings: [],
    'x y z': 1,
    generationConfig: {
      ...{ responseModalities: ['IMAGE'], responseMimeType: 'text/x.enum' },
      speechConfig: { languageCode: 'es' },
    },
  });

  assert.deepEqual(needed, [
    'contents[0].parts[0]',
    'contents[0].parts[1]',
    'contents[0].parts[2]',
    'contents[1].parts[0]',
    'cachedContent',
    'tools[0]',
    'generationConfig.responseModalities',
    'generationConfig.responseMimeType',
  ]);
  assert.deepEqual(dropped, ['safetySettings', '(others)', 'generationConfig (others)']);
});

test('what is to be counted may stand within a request', () => {
  const body = { generateContentRequest: { model: 'models/x', contents: [user('x')] } };
  const text = JSON.stringify(body);
  const decoded = decodeCountRequest({ model: 'm', stream: false, body, text: () => text });

  assert.deepEqual(decoded.body.messages, [{ role: 'user', content: 'x' }]);
});

test('facts are read where they matter, and checked', () => {
  const facts = readChatRequest({
    contents: [user('x')],
    generationConfig: { maxOutputTokens: 5, candidateCount: 3, temperature: 0 },
  });

  assert.deepEqual(facts, {
    kind: 'read',
    facts: { maxOutputTokens: 5, choices: 3, temperature: 0 },
  });
  for (const generationConfig of [{ maxOutputTokens: -1 }, { candidateCount: 500 }, 7]) {
    const read = readChatRequest({ contents: [user('x')], generationConfig });
    assert.equal(read.kind, 'refused');
  }
});

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
  const back = decode(text).body.messages[4].tool_calls[0];
  assert.equal(back.esclusa, undefined, 'and is read as none');
});

test('media that only Google takes, and prompts that it keeps, are reckoned with as files', () => {
  const video = { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } };
  const { body } = decode({
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

test('embeddings have one text for one content and a list for many', () => {
  const content = { parts: [{ text: 'a' }, { text: 'b' }] };
  const one = decodeEmbedRequest('m', { content, outputDimensionality: 8, taskType: 'X' });
  const many = decodeBatchEmbedRequest('m', { requests: [{ content }, { content }] });
  const uneven = decodeBatchEmbedRequest('m', {
    requests: [{ content, output_dimensionality: 1 }, { content }],
  });

  assert.deepEqual(one.body, {
    model: 'm',
    input: 'a\nb',
    encoding_format: 'float',
    dimensions: 8,
  });
  assert.deepEqual(one.dropped, ['(others)']);
  assert.deepEqual(many.body, { model: 'm', input: ['a\nb', 'a\nb'], encoding_format: 'float' });
  assert.deepEqual(uneven.needed, ['requests[].outputDimensionality']);
  assert.deepEqual(encodeEmbedRequest('m', { input: 'a', dimensions: 8 }), {
    requests: [{ model: 'models/m', content: { parts: [{ text: 'a' }] }, outputDimensionality: 8 }],
  });
  assert.equal(encodeEmbedRequest('m', { input: [1, 2] }), null);
});

test('names of models within a body are replaced and nothing else is', () => {
  const rewritten = (text: string): string => {
    const bytes = Buffer.from(text);
    const scan = scanObject(bytes, 64);
    assert.ok(scan.kind === 'members');
    const result = rewriteModels(bytes, scan.members, 'new');
    if (!text.includes('model')) assert.equal(result, bytes, 'the same buffer');
    return result.toString();
  };

  assert.equal(rewritten('{ "contents" : [1.0] }'), '{ "contents" : [1.0] }');
  assert.equal(rewritten('{"model" : "models/a", "n":1.0}'), '{"model" : "models/new", "n":1.0}');
  assert.equal(
    rewritten('{"generateContentRequest": {"n":1.0,"model":"a"}}'),
    '{"generateContentRequest": {"n":1.0,"model":"models/new"}}',
  );
  assert.equal(
    rewritten('{"requests":[ {"model":"a","n":1.0},{"m":"model"} ]}'),
    '{"requests":[{"model":"models/new","n":1.0},{"m":"model"}]}',
  );
});
