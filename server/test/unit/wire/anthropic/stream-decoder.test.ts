/**
 * Goal: a stream passes byte for byte or becomes chunks, while usage, ends and errors are
 * noticed, however its bytes are cut. Method: recorded streams, whole and cut at random places;
 * expected values are worked out by hand from the fixtures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StreamProblem } from '../../../../src/wire/anthropic/types.ts';
import { cutAt, cutPoints } from '../../../support/openai-fixtures.ts';
import { problemOf } from '../streams.ts';
import { anthropicFixture, decode, decoder, FACTS } from './fixture.ts';

const STREAMS = ['message.sse', 'tools.sse', 'thinking.sse', 'refusal.sse'] as const;
const STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

for (const name of STREAMS) {
  test(`${name} passes byte for byte, with its last event apart, however it is cut`, () => {
    const bytes = anthropicFixture(name);
    const whole = decode([bytes]);
    assert.deepEqual([whole.text + whole.terminal, whole.terminal], [bytes.toString(), STOP]);

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.deepEqual(decode(cutAt(bytes, points)), whole);
      }),
    );
  });

  test(`${name} gives the same chunks, however it is cut`, () => {
    const bytes = anthropicFixture(name);
    const whole = decode([bytes], { translate: FACTS });
    assert.deepEqual([whole.text, whole.terminal], ['', '']);

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.deepEqual(decode(cutAt(bytes, points), { translate: FACTS }), whole);
      }),
    );
  });
}

test('usage is that of the last event, with cached input as part of the input', () => {
  const { usage, finishReasons, characters } = decode([anthropicFixture('thinking.sse')]);

  assert.partialDeepStrictEqual(usage, {
    inputTokens: 135,
    cachedInputTokens: 100,
    cacheWriteTokens: 10,
    outputTokens: 30,
    reasoningTokens: 17,
    source: 'provider',
  });
  assert.deepEqual([finishReasons, characters], [['stop'], 'Let me think.42'.length]);
});

test('reasons to end are those of the core', () => {
  const reasons = STREAMS.map((name) => decode([anthropicFixture(name)]).finishReasons);

  assert.deepEqual(reasons, [['stop'], ['tool_calls'], ['stop'], ['content_filter']]);
});

test('tool calls become chunks with ids, names and the arguments as they were written', () => {
  const { chunks } = decode([anthropicFixture('tools.sse')], { translate: FACTS });

  const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assert.deepEqual(pieces, [
    {
      index: 0,
      id: 'toolu_01A09q90qw90lq917835lq9',
      type: 'function',
      function: { name: 'get_weather', arguments: '' },
    },
    { index: 0, function: { arguments: '{"city": "San' } },
    { index: 0, function: { arguments: ' José", "days": 1e2}' } },
    { index: 1, id: 'toolu_02B', type: 'function', function: { name: 'now', arguments: '' } },
    { index: 1, function: { arguments: '{}' } },
  ]);
  const last = chunks.findLast(({ choices }) => choices.length > 0)?.choices[0];
  assert.deepEqual(
    [last?.finish_reason, last?.esclusa],
    ['tool_calls', { stop_reason: 'tool_use' }],
  );
});

test('thoughts become reasoning, and their signatures stay', () => {
  const { chunks } = decode([anthropicFixture('thinking.sse')], { translate: FACTS });

  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
  assert.deepEqual(deltas, [
    { role: 'assistant', content: '' },
    { reasoning_content: 'Let me ' },
    { reasoning_content: 'think.' },
    {
      esclusa: {
        thinking_blocks: [
          { type: 'thinking', thinking: '', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' },
        ],
      },
    },
    { esclusa: { thinking_blocks: [{ type: 'redacted', data: 'EmwKAhgBEgy3va3pzix' }] } },
    { content: '42' },
    {},
  ]);
  const last = chunks.at(-1);
  assert.deepEqual(last?.choices, []);
  assert.deepEqual(last?.esclusa, { cache_creation_tokens: 10 });
  assert.equal(last?.usage?.prompt_tokens, 135);
});

test('the input of the tool that stands for the answer becomes the answer’s text', () => {
  const translate = { ...FACTS, answerTool: 'get_weather' };
  const bytes = anthropicFixture('tools.sse').toString();
  const only = bytes.replace(
    /event: content_block_start\ndata: [^\n]*toolu_02B[\s\S]*?_stop","index":2\}\n\n/,
    '',
  );
  const { chunks } = decode([Buffer.from(only)], { translate });

  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  assert.equal(text, 'I will look.{"city": "San José", "days": 1e2}');
  const finish = chunks.findLast(({ choices }) => choices.length > 0)?.choices[0];
  assert.deepEqual([finish?.finish_reason, finish?.esclusa], ['stop', undefined]);
});

test('a body that ends before message_stop is truncated, wherever it ends', () => {
  const bytes = anthropicFixture('tools.sse');
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - STOP.length }), (length) => {
      const stream = decoder();
      stream.push(bytes.subarray(0, length));
      assert.equal(problemOf(() => stream.end()).kind, 'truncated');
    }),
  );
});

test('a last event that lacks its blank line is the end all the same', () => {
  const bytes = anthropicFixture('message.sse');
  for (const missing of [1, 2]) {
    const outcome = decode([bytes.subarray(0, bytes.length - missing)]);
    assert.equal(outcome.terminal, STOP);
  }
});

test('what follows the end is dropped', () => {
  const bytes = Buffer.concat([
    anthropicFixture('message.sse'),
    Buffer.from('event: x\ndata: {}\n\n'),
  ]);

  assert.equal(decode([bytes]).terminal, STOP);
});

test('an error inside the stream is told with its type', () => {
  const problem = problemOf<StreamProblem>(() => decode([anthropicFixture('overloaded.sse')]));

  assert.deepEqual(problem, {
    kind: 'error_event',
    error: { type: 'overloaded_error', message: 'Overloaded', code: null },
  });
});

test('what came before an error in earlier pieces has been handed out', () => {
  const bytes = anthropicFixture('overloaded.sse');
  const stream = decoder();

  const frame = stream.push(bytes.subarray(0, bytes.indexOf('event: error')));

  assert.equal(frame?.producedCharacters, 3);
});

test('events that are none are garbled', () => {
  const cases = ['data: {"type":\n\n', 'data: 7\n\n', `${STOP}`];
  for (const text of cases) {
    assert.equal(problemOf(() => decoder().push(Buffer.from(text))).kind, 'garbled', text);
  }
  const index =
    'data: {"type":"content_block_start","index":-1,"content_block":{"type":"text"}}\n\n';
  assert.equal(problemOf(() => decoder().push(Buffer.from(index))).kind, 'garbled');
});

test('an event at the limit passes, one past it and a stream past its own are too long', () => {
  const event = Buffer.from(`event: ping\ndata: {"type":"ping","x":"${'x'.repeat(60)}"}\n\n`);
  const fits = { maxEventBytes: event.length, maxStreamBytes: 3 * event.length };

  const stream = decoder(fits);
  for (let i = 0; i < 3; i += 1) assert.ok(stream.push(event) !== null);
  assert.equal(problemOf(() => stream.push(Buffer.from('e'))).kind, 'too_long');
  const narrow = { maxEventBytes: event.length - 1 };
  assert.equal(problemOf(() => decoder(narrow).push(event)).kind, 'too_long');
});
