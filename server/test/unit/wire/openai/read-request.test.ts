/**
 * Goal: what the gateway uses of a request is checked and named, the rest is let through.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../../src/kernel/json.ts';
import {
  type RequestFacts,
  type RequestOperation,
  readRequest,
} from '../../../../src/wire/openai/read-request.ts';

const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }] };
const COMPLETION = { model: 'fast', prompt: 'Once' };
const EMBEDDING = { model: 'fast', input: 'text' };

function facts(operation: RequestOperation, body: JsonObject): RequestFacts {
  const result = readRequest(operation, body);
  assert.equal(result.kind, 'read', JSON.stringify(result));
  assert.ok(result.kind === 'read');
  return result.facts;
}

function refusedField(operation: RequestOperation, body: JsonObject): string | null {
  const result = readRequest(operation, body);
  if (result.kind === 'read') return null;
  assert.ok(result.problem.message.includes(`\`${result.problem.field}\``));
  return result.problem.field;
}

test('the plainest chat request has no limits, one choice and no stream', () => {
  assert.deepEqual(facts('chat', CHAT), {
    model: 'fast',
    stream: false,
    includeUsage: false,
    maxOutputTokens: null,
    choices: 1,
    temperature: null,
  });
});

test('stream, usage, limits, choices and temperature are read', () => {
  const body = {
    ...CHAT,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 10,
    max_completion_tokens: 20,
    n: 3,
    temperature: 0,
  };

  assert.deepEqual(facts('chat', body), {
    model: 'fast',
    stream: true,
    includeUsage: true,
    maxOutputTokens: 20,
    choices: 3,
    temperature: 0,
  });
});

test('usage counts as asked for only in a stream', () => {
  const options = { stream_options: { include_usage: true } };

  assert.equal(facts('chat', { ...CHAT, ...options }).includeUsage, false);
  assert.equal(facts('chat', { ...CHAT, ...options, stream: true }).includeUsage, true);
});

test('completions count prompts, n and best_of as answers', () => {
  const count = (more: JsonObject): number =>
    facts('completion', { ...COMPLETION, ...more }).choices;

  assert.equal(count({}), 1);
  assert.equal(count({ prompt: null }), 1);
  assert.equal(count({ n: 2, best_of: 5 }), 5);
  assert.equal(count({ prompt: ['a', 'b', 'c'], n: 2 }), 6);
  assert.equal(count({ prompt: [1, 2, 3], n: 2 }), 2);
  assert.equal(count({ prompt: [[1, 2], [3]] }), 2);
});

test('embeddings are one answer without a stream, whatever else is said', () => {
  const body = { ...EMBEDDING, stream: true, n: 4, max_tokens: 'x' };

  assert.deepEqual(facts('embedding', body), {
    model: 'fast',
    stream: false,
    includeUsage: false,
    maxOutputTokens: null,
    choices: 1,
    temperature: null,
  });
});

test('a field of the wrong type or out of range is refused under the name the client wrote', () => {
  const cases: readonly (readonly [RequestOperation, JsonObject, string])[] = [
    ['chat', { ...CHAT, model: '' }, 'model'],
    ['chat', { ...CHAT, model: 7 }, 'model'],
    ['chat', { ...CHAT, model: 'x'.repeat(257) }, 'model'],
    ['chat', { ...CHAT, model: 'a\r\nb' }, 'model'],
    ['chat', { ...CHAT, model: '\ud800' }, 'model'],
    ['chat', { messages: CHAT.messages }, 'model'],
    ['chat', { model: 'fast' }, 'messages'],
    ['chat', { ...CHAT, messages: [] }, 'messages'],
    ['chat', { ...CHAT, messages: 'Hi' }, 'messages'],
    ['chat', { ...CHAT, messages: [null] }, 'messages[0]'],
    ['chat', { ...CHAT, messages: [...CHAT.messages, {}] }, 'messages[1].role'],
    ['chat', { ...CHAT, messages: [{ role: 'x'.repeat(65) }] }, 'messages[0].role'],
    ['chat', { ...CHAT, messages: [{ role: 'user', content: 1 }] }, 'messages[0].content'],
    ['chat', { ...CHAT, messages: [{ role: 'user', content: ['a'] }] }, 'messages[0].content[0]'],
    [
      'chat',
      { ...CHAT, messages: [{ role: 'user', content: [{}] }] },
      'messages[0].content[0].type',
    ],
    [
      'chat',
      { ...CHAT, messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text',
    ],
    ['chat', { ...CHAT, messages: [{ role: 'a', tool_calls: {} }] }, 'messages[0].tool_calls'],
    ['chat', { ...CHAT, messages: [{ role: 'a', tool_calls: [1] }] }, 'messages[0].tool_calls[0]'],
    ['chat', { ...CHAT, stream: 'yes' }, 'stream'],
    ['chat', { ...CHAT, stream_options: [] }, 'stream_options'],
    ['chat', { ...CHAT, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    ['chat', { ...CHAT, max_tokens: -1 }, 'max_tokens'],
    ['chat', { ...CHAT, max_tokens: 1.5 }, 'max_tokens'],
    ['chat', { ...CHAT, max_completion_tokens: 10_000_001 }, 'max_completion_tokens'],
    ['chat', { ...CHAT, n: 0 }, 'n'],
    ['chat', { ...CHAT, n: 129 }, 'n'],
    ['chat', { ...CHAT, temperature: '0' }, 'temperature'],
    ['chat', { ...CHAT, temperature: Number.POSITIVE_INFINITY }, 'temperature'],
    ['completion', { model: 'fast' }, 'prompt'],
    ['completion', { ...COMPLETION, prompt: [] }, 'prompt'],
    ['completion', { ...COMPLETION, prompt: ['a', {}] }, 'prompt[1]'],
    ['completion', { ...COMPLETION, best_of: 129 }, 'best_of'],
    ['embedding', { model: 'fast' }, 'input'],
    ['embedding', { ...EMBEDDING, input: {} }, 'input'],
    ['embedding', { ...EMBEDDING, input: [[1, 'x']] }, 'input[0]'],
  ];
  for (const [operation, body, field] of cases) {
    assert.equal(refusedField(operation, body), field, JSON.stringify(body).slice(0, 200));
  }
});

test('the limits themselves are accepted', () => {
  const atLimits = {
    max_tokens: 0,
    max_completion_tokens: 10_000_000,
    n: 128,
    model: 'x'.repeat(256),
  };

  assert.equal(refusedField('chat', { ...CHAT, ...atLimits }), null);
  assert.equal(refusedField('chat', { ...CHAT, messages: [{ role: 'x'.repeat(64) }] }), null);
});

test('null stands for absent, and unknown roles, parts and fields are let through', () => {
  const nulls = {
    stream: null,
    stream_options: null,
    max_tokens: null,
    n: null,
    temperature: null,
  };
  const messages = [
    { role: 'critic', content: [{ type: 'hologram', data: [1] }], extra: {} },
    { role: 'assistant', content: null, tool_calls: null },
  ];

  assert.equal(refusedField('chat', { ...CHAT, ...nulls, messages, vendor_field: { a: 1 } }), null);
});

test('whatever the body, reading it ends in facts or in a named field', () => {
  const names = [
    'model',
    'messages',
    'prompt',
    'input',
    'stream',
    'stream_options',
    'n',
    'max_tokens',
  ];
  const bodies = fc.dictionary(
    fc.oneof(fc.constantFrom(...names), fc.string()),
    fc.oneof(fc.jsonValue(), fc.constantFrom('a', true, 1, [{ role: 'user' }])),
  );
  fc.assert(
    fc.property(bodies, fc.constantFrom('chat', 'completion', 'embedding'), (body, operation) => {
      const result = readRequest(operation as RequestOperation, body as Record<string, JsonValue>);

      if (result.kind === 'refused') assert.notEqual(result.problem.field, '');
      else assert.ok(result.facts.choices >= 1 && result.facts.model.length > 0);
    }),
  );
});
