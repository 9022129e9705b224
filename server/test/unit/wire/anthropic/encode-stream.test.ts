/**
 * Goal: chunks of any provider become a legal stream of events that says the same. Method:
 * recorded streams there and back, and chunks as other vendors cut them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStreamEncoder, STOP_EVENT } from '../../../../src/wire/anthropic/encode-stream.ts';
import { anthropicFixture, assemble, decode, FACTS } from './fixture.ts';

const ESTIMATE = { uncached: 7, cacheRead: 0, cacheCreation: 0, output: 3, thinking: 0 };

function encoder() {
  return createStreamEncoder({
    estimate: () => ESTIMATE,
    fail: (message) => new RangeError(message),
  });
}

function chunk(delta: object, finish_reason: string | null = null, more: object = {}) {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason }], ...more };
}

function encode(...chunks: object[]): string {
  const stream = encoder();
  return stream.encode(chunks) + stream.end() + STOP_EVENT;
}

function typesOf(text: string): string[] {
  return [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type ?? '');
}

for (const name of ['message.sse', 'tools.sse', 'thinking.sse', 'refusal.sse']) {
  test(`${name} says the same after it was chunks`, () => {
    const source = anthropicFixture(name);
    const { chunks } = decode([source], { translate: FACTS });

    const there = assemble(source.toString());
    const back = assemble(encode(...chunks));

    const inputs = (message: typeof there) =>
      message.content.map((block: { json?: string }) =>
        block.json === undefined ? block : { ...block, json: block.json || '{}' },
      );
    assert.deepEqual(inputs(back), inputs(there));
    assert.deepEqual(
      [back.stop_reason, back.stop_sequence],
      [there.stop_reason, there.stop_sequence],
    );
    assert.deepEqual(back.usage, there.usage);
    assert.deepEqual([back.id, back.model], [there.id, there.model]);
  });
}

test('events come in the order the dialect lays down', () => {
  const text = encode(
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'hm' }),
    chunk({ content: 'a' }),
    chunk({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{}' } }] }),
    chunk({}, 'tool_calls'),
  );

  const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
  assert.deepEqual(typesOf(text), [
    ...['message_start', 'ping', ...block, ...block, ...block],
    ...['message_delta', 'message_stop'],
  ]);
});

test('a stream without any chunk is a message without content', () => {
  const message = assemble(encode());

  assert.deepEqual([message.content, message.stop_reason], [[], 'end_turn']);
  assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [7, 3]);
});

test('calls of several tools that come in one chunk are blocks of their own', () => {
  const call = (index: number) => ({
    index,
    id: `t${index}`,
    function: { name: `f${index}`, arguments: '{"a":1}' },
  });
  const { content, stop_reason } = assemble(
    encode(chunk({ tool_calls: [call(0), call(1)] }), chunk({}, 'stop')),
  );

  const told = content.map(({ id, name, json }: Record<string, string>) => [id, name, json]);
  assert.deepEqual(told, [
    ['t0', 'f0', '{"a":1}'],
    ['t1', 'f1', '{"a":1}'],
  ]);
  assert.equal(stop_reason, 'tool_use');
});

test('a piece for a call that was closed ends the stream instead of being lost', () => {
  const piece = (index: number) => chunk({ tool_calls: [{ index, function: { arguments: '{' } }] });

  assert.throws(() => encoder().encode([piece(0), piece(1), piece(0)]), RangeError);
});

test('a refusal is text and the reason to end', () => {
  const { content, stop_reason } = assemble(encode(chunk({ refusal: 'No.' }), chunk({}, 'stop')));

  assert.deepEqual([content[0].text, stop_reason], ['No.', 'refusal']);
});

test('usage of the provider wins over the estimate, with cached input apart', () => {
  const usage = {
    ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  };
  const last = { id: 'c1', model: 'm', choices: [], usage, esclusa: { cache_creation_tokens: 1 } };
  const message = assemble(encode(chunk({ content: 'a' }, 'length'), last));

  assert.equal(message.stop_reason, 'max_tokens');
  assert.deepEqual(message.usage, {
    ...{ input_tokens: 5, cache_creation_input_tokens: 1, cache_read_input_tokens: 4 },
    ...{ output_tokens: 5, output_tokens_details: { thinking_tokens: 2 }, server_tool_use: null },
  });
});

test('further choices are not mixed into the one that the dialect has', () => {
  const second = {
    ...chunk({}),
    choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }],
  };
  const { content } = assemble(encode(chunk({ content: 'a' }), second, chunk({ content: 'c' })));

  assert.equal(content[0].text, 'ac');
});
