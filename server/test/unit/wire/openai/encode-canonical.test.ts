/**
 * Goal: a request of another dialect becomes what OpenAI's wire takes, and whatever it cannot say
 * is named. Method: canonical bodies with every entry of the extension bag, against literals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import {
  type CanonicalTarget,
  encodeCanonical,
} from '../../../../src/wire/openai/encode-canonical.ts';
import { OPENAI_DROPPED } from '../../../../src/wire/openai/limits.ts';

const TARGET: CanonicalTarget = {
  model: 'gpt',
  stream: false,
  askForUsage: true,
  newerTokenLimit: true,
  reasoningEffort: false,
  reasoningInput: false,
  refuse: (field) => new Error(`refused ${field}`),
};
const USER = { role: 'user', content: 'Hi' };

function encode(body: JsonObject, changes: Partial<CanonicalTarget> = {}) {
  return encodeCanonical({ model: 'fast', messages: [USER], ...body }, { ...TARGET, ...changes });
}

test('the bag is taken out wherever it may stand, and named by what it held', () => {
  const cached = { cache_control: { type: 'ephemeral' } };
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"esclusa":1}' } };

  const { body, dropped } = encode({
    esclusa: { top_k: 5, thinking: { mode: 'enabled' }, vendor: { anthropic: { a: 1 } } },
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'S', esclusa: cached }] },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [{ ...call, esclusa: { signature: 's' } }],
        esclusa: {
          thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'x' }],
          signature: 't',
        },
      },
      { role: 'tool', tool_call_id: 'c1', content: 'ok', esclusa: cached },
    ],
    tools: [{ type: 'function', function: { name: 'f' }, esclusa: cached }],
  });

  assert.deepEqual(body, {
    model: 'gpt',
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'S' }] },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'ok' },
    ],
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
  assert.deepEqual(dropped, [...OPENAI_DROPPED]);
});

test('a property of a schema that has the bag’s name stays', () => {
  const parameters = { type: 'object', properties: { esclusa: { type: 'string' } } };
  const schema = { name: 's', schema: parameters };
  const tools = [{ type: 'function', function: { name: 'f', parameters } }];
  const response_format = { type: 'json_schema', json_schema: schema };

  const { body, dropped } = encode({ tools, response_format, metadata: { esclusa: 'kept' } });

  assert.deepEqual(body.tools, tools);
  assert.deepEqual(body.response_format, response_format);
  assert.deepEqual(body.metadata, { esclusa: 'kept' });
  assert.deepEqual(dropped, []);
});

test('a budget of thought becomes an effort where the model takes one, else it is named', () => {
  const cases = [
    [{ mode: 'enabled', budget_tokens: 1024 }, 'low', []],
    [{ mode: 'enabled', budget_tokens: 4096 }, 'low', []],
    [{ mode: 'enabled', budget_tokens: 4097 }, 'medium', []],
    [{ mode: 'enabled', budget_tokens: 16_384 }, 'medium', []],
    [{ mode: 'enabled', budget_tokens: 16_385 }, 'high', []],
    [{ mode: 'enabled' }, undefined, []],
    [{ mode: 'adaptive' }, undefined, []],
    [{ mode: 'disabled' }, undefined, ['thinking']],
  ] as const;
  for (const [thinking, effort, dropped] of cases) {
    const encoded = encode({ esclusa: { thinking } }, { reasoningEffort: true });
    assert.equal(encoded.body.reasoning_effort, effort, JSON.stringify(thinking));
    assert.deepEqual(encoded.dropped, dropped, JSON.stringify(thinking));
  }
  const unable = encode({ esclusa: { thinking: { mode: 'enabled', budget_tokens: 9 } } });
  assert.deepEqual([unable.body.reasoning_effort, unable.dropped], [undefined, ['thinking']]);
  assert.deepEqual(encode({ esclusa: { thinking: { mode: 'disabled' } } }).dropped, []);
});

test('an effort that the client chose itself stands', () => {
  const body = { reasoning_effort: 'low', esclusa: { thinking: { mode: 'enabled' } } };

  const encoded = encode(body, { reasoningEffort: true });

  assert.equal(encoded.body.reasoning_effort, 'low');
  assert.deepEqual(encoded.dropped, []);
});

test('a failed tool says so in its text', () => {
  const failed = { role: 'tool', tool_call_id: 'c', esclusa: { is_error: true } };
  const parts = [{ type: 'text', text: 'no such city' }];

  const { body, dropped } = encode({
    messages: [
      { ...failed, content: 'no such city' },
      { ...failed, content: parts },
    ],
  });

  assert.deepEqual(body.messages, [
    { role: 'tool', tool_call_id: 'c', content: 'Error: no such city' },
    { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'Error: ' }, ...parts] },
  ]);
  assert.deepEqual(dropped, []);
});

test('images in results follow behind the last result, as a message of the user', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
  const text = { type: 'text', text: 'seen' };
  const result = (id: string, content: unknown) => ({ role: 'tool', tool_call_id: id, content });

  const { body } = encode({
    messages: [result('a', [text, image]), result('b', [image]), USER] as never,
  });

  assert.deepEqual(body.messages, [
    result('a', [text]),
    result('b', 'The result follows.'),
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Result of the tool call a:' },
        image,
        { type: 'text', text: 'Result of the tool call b:' },
        image,
      ],
    },
    USER,
  ]);
});

test('a document gets a name, and one behind an address is refused', () => {
  const file = (members: JsonObject) => ({
    messages: [{ role: 'user', content: [{ type: 'file', file: members }] }],
  });
  const fileOf = (members: JsonObject) => {
    const [message] = encode(file(members)).body.messages as readonly { content: unknown }[];
    return message?.content;
  };
  const file_data = 'data:application/pdf;base64,AA==';

  const named = { type: 'file', file: { filename: 'document.pdf', file_data } };
  assert.deepEqual(fileOf({ file_data }), [named]);
  const own = { filename: 'a.pdf', file_data };
  assert.deepEqual(fileOf(own), [{ type: 'file', file: own }]);
  assert.deepEqual(fileOf({ file_id: 'f' }), [{ type: 'file', file: { file_id: 'f' } }]);
  assert.throws(
    () => encode(file({ file_url: 'https://example.com/a.pdf' })),
    /refused messages\[\]\.content\[\]\.file\.file_url/,
  );
});

test('usage is always asked for in a stream, and nothing of streams otherwise', () => {
  const streamed = encode({ stream_options: null }, { stream: true }).body;
  assert.deepEqual([streamed.stream, streamed.stream_options], [true, { include_usage: true }]);

  const unable = encode({}, { stream: true, askForUsage: false }).body;
  assert.deepEqual([unable.stream, unable.stream_options], [true, undefined]);

  assert.equal('stream' in encode({ stream: false }).body, false);
});

test('the limit of tokens has the name that the vendor knows', () => {
  assert.deepEqual(limits({ max_tokens: 5 }, true), [5, undefined]);
  assert.deepEqual(limits({ max_completion_tokens: 5 }, false), [undefined, 5]);
  assert.deepEqual(limits({ max_completion_tokens: 5, max_tokens: 9 }, true), [5, undefined]);
  assert.deepEqual(limits({}, true), [undefined, undefined]);
});

function limits(body: JsonObject, newerTokenLimit: boolean) {
  const encoded = encode(body, { newerTokenLimit }).body;
  return [encoded.max_completion_tokens, encoded.max_tokens];
}

test('reasoning goes back to a vendor that takes it', () => {
  const messages = [{ role: 'assistant', content: 'a', reasoning_content: 'hm' }];

  const { body, dropped } = encode({ messages }, { reasoningInput: true });

  assert.deepEqual(body.messages, messages);
  assert.deepEqual(dropped, []);
});

test('settings for this wire alone are added, and never win over the client’s', () => {
  const vendor = { openai: { verbosity: 'low', model: 'other' } };

  const { body, dropped } = encode({ esclusa: { vendor } });

  assert.deepEqual([body.verbosity, body.model], ['low', 'gpt']);
  assert.deepEqual(dropped, []);
});
