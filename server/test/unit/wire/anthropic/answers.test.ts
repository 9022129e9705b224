/**
 * Goal: a complete message keeps its sense in the canonical form and back. Method: recorded
 * messages, and canonical answers as other vendors give them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { decodeAnswer } from '../../../../src/wire/anthropic/decode-answer.ts';
import { encodeAnswer } from '../../../../src/wire/anthropic/encode-answer.ts';
import { encodeError, encodeErrorFrame } from '../../../../src/wire/anthropic/encode-error.ts';
import { toolInputs } from '../../../../src/wire/anthropic/tool-inputs.ts';
import { anthropicFixture, FACTS } from './fixture.ts';

const ESTIMATE = { uncached: 7, cacheRead: 0, cacheCreation: 0, output: 3, thinking: 0 };
const INPUT = '{ "city": "San Jos\\u00e9", "days": 1e2, "9": 12345678901234567890, "1": [1.0] }';

function decoded(name: string, answerTool: string | null = null) {
  const bytes = anthropicFixture(name);
  const message = JSON.parse(bytes.toString()) as JsonObject;
  return decodeAnswer(message, toolInputs(bytes), { ...FACTS, answerTool });
}

function encoded(choice: object, more: object = {}) {
  const body = { id: 'c', model: 'm', choices: [choice], ...more } as JsonObject;
  return JSON.parse(encodeAnswer(body, ESTIMATE).toString());
}

for (const name of ['message-tools.json', 'message-thinking.json']) {
  test(`${name} is the same after it was canonical, but for the vendor’s own figures`, () => {
    const there = JSON.parse(anthropicFixture(name).toString());
    const back = JSON.parse(encodeAnswer(decoded(name), ESTIMATE).toString());

    const { cache_creation: _, service_tier: __, ...usage } = there.usage;
    assert.deepEqual(
      { ...back, usage: { ...back.usage, ...usage } },
      {
        ...there,
        usage: { ...there.usage, cache_creation: null, service_tier: null },
      },
    );
  });
}

test('arguments keep their text, also on the way back', () => {
  const body = decoded('message-tools.json');

  const [choice] = body.choices as unknown as {
    message: { tool_calls: { function: { arguments: string } }[] };
    finish_reason: string;
  }[];
  assert.equal(choice?.message.tool_calls[0]?.function.arguments, INPUT);
  assert.ok(encodeAnswer(body, ESTIMATE).includes(`"input":${INPUT}`));
  assert.equal(choice?.finish_reason, 'tool_calls');
});

test('the input of the tool that stands for the answer is the answer’s text', () => {
  const [choice] = decoded('message-tools.json', 'get_weather').choices as unknown as {
    message: { content: string; tool_calls?: unknown };
    finish_reason: string;
  }[];

  assert.equal(choice?.message.content, `I will look.${INPUT}`);
  assert.deepEqual([choice?.message.tool_calls, choice?.finish_reason], [undefined, 'stop']);
});

test('usage counts cached input as part of the input', () => {
  const { usage, esclusa } = decoded('message-thinking.json');

  assert.deepEqual(usage, {
    ...{ prompt_tokens: 135, completion_tokens: 30, total_tokens: 165 },
    prompt_tokens_details: { cached_tokens: 100 },
    completion_tokens_details: { reasoning_tokens: 17 },
  });
  assert.deepEqual(esclusa, { cache_creation_tokens: 10 });
});

test('reasons to end are said in the dialect’s words', () => {
  const reasons = [
    [{ finish_reason: 'stop' }, 'end_turn'],
    [{ finish_reason: 'length' }, 'max_tokens'],
    [{ finish_reason: 'tool_calls' }, 'tool_use'],
    [{ finish_reason: 'content_filter' }, 'refusal'],
    [{ finish_reason: 'eos' }, 'end_turn'],
    [{ finish_reason: 'stop', esclusa: { stop_reason: 'pause_turn' } }, 'pause_turn'],
    [{ finish_reason: 'stop', esclusa: { stop_reason: 'SAFETY' } }, 'end_turn'],
    [{ finish_reason: 'stop', esclusa: { stop_sequence: 'x' } }, 'stop_sequence'],
  ] as const;
  for (const [choice, reason] of reasons) {
    assert.equal(encoded({ message: { content: 'a' }, ...choice }).stop_reason, reason);
  }
});

test('arguments that were cut off are given as they are, not lost', () => {
  const call = (text: string) => ({
    message: { tool_calls: [{ id: 'a', function: { name: 'f', arguments: text } }] },
    finish_reason: 'length',
  });

  assert.deepEqual(encoded(call('{"a":"b')).content[0].input, { INVALID_JSON: '{"a":"b' });
  assert.deepEqual(encoded(call('')).content[0].input, {});
});

test('an answer without usage is estimated, for the dialect must tell one', () => {
  const { usage } = encoded({ message: { content: 'a' }, finish_reason: 'stop' });

  assert.deepEqual([usage.input_tokens, usage.output_tokens], [7, 3]);
});

test('errors have the dialect’s types, in a body and as an event', () => {
  const base = {
    ...{ code: 'x', message: 'Why.', field: null, upstreamCode: null, upstreamType: null },
  };
  const typeOf = (changes: object): string =>
    JSON.parse(encodeError({ ...base, status: 400, ...changes }, 'req_1').toString()).error.type;
  const types = [
    [{ status: 400 }, 'invalid_request_error'],
    [{ status: 401 }, 'authentication_error'],
    [{ status: 402 }, 'billing_error'],
    [{ status: 403 }, 'permission_error'],
    [{ status: 404 }, 'not_found_error'],
    [{ status: 413 }, 'request_too_large'],
    [{ status: 429 }, 'rate_limit_error'],
    [{ status: 500 }, 'api_error'],
    [{ status: 504 }, 'timeout_error'],
    [{ status: 529 }, 'overloaded_error'],
    [{ status: 503, upstreamType: 'overloaded_error' }, 'overloaded_error'],
    [{ status: 503, upstreamType: 'server_error' }, 'api_error'],
  ] as const;
  for (const [changes, type] of types) assert.equal(typeOf(changes), type);

  const frame = encodeErrorFrame({ ...base, status: 529, field: 'a' }, 'req_1').toString();
  assert.equal(
    frame,
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Why.",' +
      '"details":{"error_code":"x","field":"a"}},"request_id":"req_1"}\n\n',
  );
});
