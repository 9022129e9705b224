/**
 * Goal: chunks of any provider become a stream that Gemini's clients can read in both framings:
 * calls whole, the end and the usage in the last event. Method: chunks as providers send them,
 * calls in pieces and mixed included.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { createStreamEncoder } from '../../../../src/wire/gemini/encode/stream.ts';
import type { Framing } from '../../../../src/wire/gemini/types.ts';

/** Tests look into whatever was encoded. */
type Json = ReturnType<typeof JSON.parse>;

const USAGE = { inputTokens: 5, cachedInputTokens: 1, outputTokens: 4, reasoningTokens: 3 };

function chunk(delta: Json, finish: string | null = null, more: JsonObject = {}): JsonObject {
  return {
    ...{ id: 'id-1', model: 'm' },
    choices: [{ index: 0, delta, finish_reason: finish, ...more }],
  };
}

function encode(frames: readonly (readonly JsonObject[])[], framing: Framing = 'events') {
  const encoder = createStreamEncoder(framing);
  const said = frames.map((chunks, at) => {
    const isLast = at === frames.length - 1;
    return encoder.encode({ chunks, usage: isLast ? USAGE : null, isLast });
  });
  const text = said.map(({ bytes }) => bytes.toString()).join('');
  return { text, terminal: String(said.at(-1)?.terminal) };
}

function eventsOf({ text, terminal }: { text: string; terminal: string }): Json[] {
  const events = (text + terminal).split('\n\n').filter((event) => event !== '');
  return events.map((event) => JSON.parse(event.slice('data: '.length)));
}

const piece = (index: number, named: Json, written: string) => ({
  index,
  ...named,
  function: { ...(named.name === undefined ? {} : { name: named.name }), arguments: written },
});

test('text and thoughts leave as they come, the end with its usage in the last event', () => {
  const events = eventsOf(
    encode([
      [chunk({ role: 'assistant', content: '' })],
      [chunk({ reasoning_content: 'Hm.' }), chunk({ content: 'Hi' })],
      [chunk({}, 'length')],
    ]),
  );

  const tail = { modelVersion: 'm', responseId: 'id-1' };
  const parts = (list: Json[]) => ({ content: { role: 'model', parts: list }, index: 0 });
  assert.deepEqual(events, [
    { candidates: [parts([{ text: 'Hm.', thought: true }])], ...tail },
    { candidates: [parts([{ text: 'Hi' }])], ...tail },
    {
      candidates: [{ ...parts([{ text: '' }]), finishReason: 'MAX_TOKENS' }],
      usageMetadata: {
        ...{ promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 9 },
        ...{ thoughtsTokenCount: 3, cachedContentTokenCount: 1 },
      },
      ...tail,
    },
  ]);
});

test('calls whose pieces come mixed leave whole, in the order in which they began', () => {
  const [last] = eventsOf(
    encode([
      [
        chunk({ tool_calls: [piece(0, { id: 'a', name: 'f' }, '{"n": 12')] }),
        chunk({ tool_calls: [piece(1, { id: 'b', name: 'g' }, '')] }),
        chunk({ tool_calls: [piece(0, {}, '34}'), piece(1, {}, '{}')] }),
        chunk({}, 'tool_calls'),
      ],
    ]),
  );

  assert.deepEqual(last.candidates[0].content.parts, [
    { functionCall: { id: 'a', name: 'f', args: { n: 1234 } } },
    { functionCall: { id: 'b', name: 'g', args: {} } },
  ]);
  assert.equal(last.candidates[0].finishReason, 'STOP');
});

test('arguments keep their text, and a broken call ends in Gemini’s word for that', () => {
  const call = (written: string) =>
    encode([[chunk({ tool_calls: [piece(0, { id: 'a', name: 'f' }, written)] }, 'tool_calls')]]);
  const [broken] = eventsOf(call('{"n":'));

  assert.match(call('{ "n": 12345678901234567890 }').terminal, /\{ "n": 12345678901234567890 \}/);
  assert.equal(broken.candidates[0].finishReason, 'MALFORMED_FUNCTION_CALL');
});

test('signatures of calls and thoughts come back to who needs them', () => {
  const signed = { ...piece(0, { id: 'a', name: 'f' }, '{}'), esclusa: { signature: 's' } };
  const block = { type: 'thinking', thinking: 'Hm.', signature: 't' };
  const [thought, last] = eventsOf(
    encode([
      [chunk({ reasoning_content: 'Hm.', esclusa: { thinking_blocks: [block] } })],
      [chunk({ tool_calls: [signed] }, 'tool_calls')],
    ]),
  );

  assert.equal(thought.candidates[0].content.parts[0].thoughtSignature, 't');
  assert.equal(last.candidates[0].content.parts[0].thoughtSignature, 's');
});

test('Gemini’s own word for the end is kept, and candidates end apart', () => {
  const two = {
    ...{ id: 'id-1', model: 'm' },
    choices: [
      { index: 0, delta: { content: 'a' }, finish_reason: null },
      { index: 1, delta: { content: 'b' }, finish_reason: 'stop' },
    ],
  };
  const end = chunk({}, 'content_filter', { esclusa: { stop_reason: 'RECITATION' } });
  const events = eventsOf(encode([[two], [end]]));

  const finishes = events.at(-1).candidates.map((c: Json) => [c.index, c.finishReason]);
  assert.deepEqual(finishes, [
    [0, 'RECITATION'],
    [1, 'STOP'],
  ]);
});

test('as a list the stream is one legal value from its first frame on', () => {
  const first = createStreamEncoder('list').encode({
    ...{ chunks: [chunk({ role: 'assistant' })], usage: null, isLast: false },
  });
  const { text, terminal } = encode(
    [[chunk({ role: 'assistant' })], [chunk({ content: 'a' })], [chunk({}, 'stop')]],
    'list',
  );

  assert.equal(first.bytes.toString(), '[{"modelVersion":"m","responseId":"id-1"}');
  assert.equal(JSON.parse(text + terminal).length, 3);
  assert.equal(encode([[chunk({}, 'stop')]], 'list').terminal.startsWith('[{'), true);
});
