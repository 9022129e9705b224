/**
 * Goal: requests of this dialect keep their meaning on the way to the canonical form, and what
 * cannot be carried is named. Method: bodies as the SDK and the API's documents write them;
 * expected values are worked out by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanObject } from '../../../../src/kernel/json.ts';
import { decodeCountRequest } from '../../../../src/wire/gemini/decode/request.ts';
import {
  decodeBatchEmbedRequest,
  decodeEmbedRequest,
  encodeEmbedRequest,
} from '../../../../src/wire/gemini/embedding.ts';
import { readChatRequest } from '../../../../src/wire/gemini/read-request.ts';
import { rewriteModels } from '../../../../src/wire/gemini/rewrite-request.ts';
import { toJsonSchema } from '../../../../src/wire/gemini/schema.ts';
import { decodedRequest, type Json } from './fixture.ts';

const user = (text: string) => ({ role: 'user', parts: [{ text }] });

test('contents become messages: instructions, texts and media', () => {
  const { body, needed, dropped } = decodedRequest({
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
  const { body } = decodedRequest({
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

  const { body } = decodedRequest(text);

  assert.equal(body.messages[1].tool_calls[0].function.arguments, args);
});

test('settings become canonical ones, in either spelling', () => {
  const camel = decodedRequest({
    contents: [user('x')],
    generationConfig: {
      ...{ maxOutputTokens: 10, temperature: 0.5, topP: 0.9, topK: 40, candidateCount: 2 },
      ...{ stopSequences: ['END'], seed: 7, presencePenalty: 1, frequencyPenalty: 0.5 },
      ...{ responseLogprobs: true, logprobs: 3, responseModalities: ['TEXT'] },
      thinkingConfig: { includeThoughts: true, thinkingBudget: 512, thinkingLevel: 'LOW' },
    },
  });
  const snake = decodedRequest({
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
    decodedRequest({ contents: [user('x')], generationConfig: { thinkingConfig } }).body.esclusa
      ?.thinking;

  assert.deepEqual(thinking({ thinkingBudget: 0 }), { mode: 'disabled' });
  assert.deepEqual(thinking({ thinkingBudget: -1 }), { mode: 'adaptive', include_thoughts: false });
  assert.equal(thinking({ thinkingLevel: 'HIGH' }), undefined);
});

test('the form of the answer is heard in either kind of schema', () => {
  const format = (generationConfig: object) =>
    decodedRequest({ contents: [user('x')], generationConfig }).body.response_format;
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
    const { body } = decodedRequest({
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
  const { needed, dropped } = decodedRequest({
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
