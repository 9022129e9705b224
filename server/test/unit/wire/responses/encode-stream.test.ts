/**
 * Goal: canonical chunks of any provider become events that OpenAI's document allows, in a legal
 * order, and the same events however the provider's bytes were cut. Method: chunks written by
 * hand for each kind of item, recorded streams cut at random places, and the document itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_CACHE_CONTROL } from '../../../../src/gateway/index.ts';
import type { StreamFrame } from '../../../../src/gateway/model/answer.ts';
import { parseBody } from '../../../../src/http/parse-body.ts';
import { responsesCodec } from '../../../../src/http/responses/codec.ts';
import { responses } from '../../../../src/http/responses/endpoint.ts';
import { createStreamDecoder } from '../../../../src/wire/openai/stream-decoder.ts';
import { unpackReasoning } from '../../../../src/wire/responses/carried-reasoning.ts';
import { encodeErrorEvent } from '../../../../src/wire/responses/encode-error.ts';
import { createStreamEncoder } from '../../../../src/wire/responses/encode-stream.ts';
import { cutAt, cutPoints, openaiFixture } from '../../../support/openai-fixtures.ts';
import { openaiSchemas, schemasAbsent } from '../../../support/openai-schema.ts';

/** What a test looks into is its own claim. */
type Event = ReturnType<typeof JSON.parse>;

function delta(said: object, finish: string | null = null): object {
  return { model: 'm', choices: [{ index: 0, delta: said, finish_reason: finish }] };
}

function eventsOf(text: string): Event[] {
  const events: Event[] = [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(
    ([, name, data]) => {
      const event = JSON.parse(data ?? '');
      assert.equal(event.type, name);
      return event;
    },
  );
  for (const [index, event] of events.entries()) {
    assert.equal(event.sequence_number, index);
    if (schemasAbsent === false) openaiSchemas().assertEvent(event);
  }
  return events;
}

function encode(chunks: readonly object[], source: object = {}): Event[] {
  const encoder = createStreamEncoder({
    ...{ id: 'resp_1', createdSeconds: 1_790_000_000 },
    source: { model: 'm', input: 'x', ...source },
  });
  const begun = encoder.encode(chunks);
  const { events, last } = encoder.end();
  return eventsOf(begun + events + last);
}

const typesOf = (events: readonly Event[]): string[] =>
  events.map(({ type }) => type.replace('response.', ''));

test('pieces of two calls may come in any order, and each call keeps its own', () => {
  const piece = (index: number, args: string, more: object = {}) =>
    delta({ tool_calls: [{ index, ...more, function: { arguments: args, ...more } }] });
  const events = encode([
    piece(0, '', { id: 'call_a', name: 'f' }),
    piece(1, '{"b"', { id: 'call_b', name: 'g' }),
    piece(0, '{"a":1}'),
    piece(1, ':2}'),
    delta({}, 'tool_calls'),
  ]);
  const { response } = events.at(-1);

  assert.deepEqual(
    response.output.map((item: Event) => [item.call_id, item.name, item.arguments, item.status]),
    [
      ['call_a', 'f', '{"a":1}', 'completed'],
      ['call_b', 'g', '{"b":2}', 'completed'],
    ],
  );
  const added = events.filter(({ type }) => type === 'response.output_item.added');
  assert.deepEqual(
    added.map(({ output_index }) => output_index),
    [0, 1],
  );
});

test('a call whose name comes late is told of when it is known, with nothing lost', () => {
  const events = encode([
    delta({ tool_calls: [{ index: 0, id: 'c', function: { arguments: '{"a"' } }] }),
    delta({ tool_calls: [{ index: 0, function: { name: 'f', arguments: ':1}' } }] }),
    delta({}, 'tool_calls'),
  ]);

  assert.equal(events.at(-1).response.output[0].arguments, '{"a":1}');
  assert.equal(events.find(({ type }) => type === 'response.output_item.added').item.name, 'f');
});

test('a refusal is a part of its own kind, and a completed response', () => {
  const events = encode([
    delta({ refusal: 'I ' }),
    delta({ refusal: 'cannot.' }, 'content_filter'),
  ]);

  assert.deepEqual(typesOf(events), [
    'created',
    'in_progress',
    'output_item.added',
    'content_part.added',
    'refusal.delta',
    'refusal.delta',
    'refusal.done',
    'content_part.done',
    'output_item.done',
    'completed',
  ]);
  assert.deepEqual(events.at(-1).response.output[0].content, [
    { type: 'refusal', refusal: 'I cannot.' },
  ]);
});

test('text, then a refusal, are two parts of one message', () => {
  const events = encode([delta({ content: 'Well. ' }), delta({ refusal: 'No.' }, 'stop')]);
  const [message] = events.at(-1).response.output;

  assert.deepEqual(
    message.content.map(({ type }: Event) => type),
    ['output_text', 'refusal'],
  );
  const added = events.filter(({ type }) => type === 'response.content_part.added');
  assert.deepEqual(
    added.map(({ content_index }) => content_index),
    [0, 1],
  );
});

test('a thought that is signed at its end is packed whole, and hidden ones beside it', () => {
  const signed = { thinking_blocks: [{ type: 'thinking', thinking: '', signature: 's1' }] };
  const hidden = { thinking_blocks: [{ type: 'redacted', data: 'xx' }] };
  const events = encode([
    delta({ reasoning_content: 'Let me ' }),
    delta({ reasoning_content: 'think.' }),
    delta({ esclusa: signed }),
    delta({ esclusa: hidden }),
    delta({ content: 'Yes.' }, 'stop'),
  ]);
  const [thought, message] = events.at(-1).response.output;

  assert.deepEqual(thought.content, [{ type: 'reasoning_text', text: 'Let me think.' }]);
  assert.deepEqual(unpackReasoning(thought.encrypted_content)?.blocks, [
    { type: 'thinking', thinking: 'Let me think.', signature: 's1' },
    { type: 'redacted', data: 'xx' },
  ]);
  assert.equal(message.content[0].text, 'Yes.');
});

test('a summary that was asked for comes in the events of summaries', () => {
  const events = encode([delta({ reasoning_content: 'Hm.' }), delta({ content: 'A' }, 'stop')], {
    reasoning: { effort: 'low', summary: 'auto' },
  });

  assert.deepEqual(typesOf(events).slice(2, 8), [
    'output_item.added',
    'reasoning_summary_part.added',
    'reasoning_summary_text.delta',
    'reasoning_summary_text.done',
    'reasoning_summary_part.done',
    'output_item.done',
  ]);
  assert.deepEqual(events.at(-1).response.reasoning, { effort: 'low', summary: 'auto' });
});

test('an item that a limit cut is incomplete, like its response; those before it are not', () => {
  const events = encode([
    delta({ content: 'A' }),
    delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{"a' } }] }),
    delta({}, 'length'),
  ]);
  const { output, status, incomplete_details } = events.at(-1).response;

  assert.equal(status, 'incomplete');
  assert.deepEqual(incomplete_details, { reason: 'max_output_tokens' });
  assert.deepEqual(
    output.map((item: Event) => item.status),
    ['completed', 'incomplete'],
  );
});

test('an answer that says nothing is a response without items', () => {
  const events = encode([delta({}, 'stop')]);

  assert.deepEqual(typesOf(events), ['created', 'in_progress', 'completed']);
  assert.deepEqual(events.at(-1).response.output, []);
});

test('an error is an event with the next number, and its code', () => {
  const failure = {
    ...{ status: 502, code: 'upstream_truncated', message: 'Cut.', field: null },
    ...{ upstreamCode: null, upstreamType: null },
  };
  const event = JSON.parse(encodeErrorEvent(failure, 7).toString().split('data: ')[1] ?? '');

  assert.equal(event.sequence_number, 7);
  assert.equal(event.code, 'upstream_truncated');
  if (schemasAbsent === false) openaiSchemas().assertEvent(event);
});

/** What a client is sent of a provider's stream that came in these pieces. */
function through(chunks: readonly Buffer[]): string {
  const body = Buffer.from('{"model":"m","input":"x","stream":true,"store":false}');
  const request = responses.decode(parseBody(body, 64), NO_CACHE_CONTROL, { headers: {} }, BIRTH);
  const decoder = createStreamDecoder({
    ...{ forwardUsage: false, asChunks: true, maxEventBytes: 100_000, maxStreamBytes: 1_000_000 },
    fail: (problem) => new Error(problem.kind),
  });
  const encoder = responsesCodec.createStreamEncoder(request);
  const frames = [...chunks.map((chunk) => decoder.push(chunk)), decoder.end()];
  return frames
    .filter((frame) => frame !== null)
    .map((frame) => encoder.encode(frame as unknown as StreamFrame))
    .map(({ bytes, terminal }) => `${bytes}${terminal ?? ''}`)
    .join('');
}

const BIRTH = { id: 'req_1', createdAtMs: 1_790_000_000_000 };
const STREAMS = ['chat.sse', 'chat-tools.sse', 'chat-reasoning.sse', 'chat-crlf.sse'] as const;

for (const name of STREAMS) {
  test(`any cutting of ${name} gives the same events`, () => {
    const bytes = openaiFixture(name);
    const whole = through([bytes]);
    const events = eventsOf(whole);
    assert.equal(events.at(-1).type, 'response.completed');
    assert.ok(events.length > 5);

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.equal(through(cutAt(bytes, points)), whole);
      }),
    );
  });
}
