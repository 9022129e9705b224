/**
 * Goal: a stream passes byte for byte, becomes one list, or becomes chunks, while usage, ends
 * and errors are noticed, however its bytes are cut. Method: recorded streams, whole, dripped
 * and cut at random places; expected values are worked out by hand from the fixtures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Chunk, StreamProblem } from '../../../../src/wire/gemini/types.ts';
import { cutAt, cutPoints } from '../../../support/openai-fixtures.ts';
import { problemOf } from '../streams.ts';
import { CONTEXT, decode, decoder, geminiFixture } from './fixture.ts';

const STREAMS = [
  'chat.sse',
  'thinking.sse',
  'tools.sse',
  'two-candidates.sse',
  'blocked.sse',
  'safety.sse',
] as const;

function eventsOf(name: string): unknown[] {
  const text = geminiFixture(name).toString();
  const events = text.split(/\r?\n\r?\n/).filter((event) => event !== '');
  return events.map((event) => JSON.parse(event.slice('data: '.length)));
}

/** Tests look into whatever was decoded. */
function choicesOf(chunks: readonly Chunk[]): ReturnType<typeof JSON.parse>[] {
  return chunks.flatMap(({ choices }) => choices as unknown as unknown[]);
}

for (const name of STREAMS) {
  test(`${name} passes byte for byte, with its last event apart, however it is cut`, () => {
    const bytes = geminiFixture(name);
    const whole = decode([bytes]);
    assert.equal(whole.text + whole.terminal, bytes.toString());
    assert.equal(whole.terminal?.match(/data: /g)?.length, 1);

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.deepEqual(decode(cutAt(bytes, points)), whole);
      }),
    );
    const dripped = [...bytes].map((byte) => Buffer.from([byte]));
    assert.deepEqual(decode(dripped), whole);
  });

  test(`${name} becomes one legal list of the same events, however it is cut`, () => {
    const bytes = geminiFixture(name);
    const whole = decode([bytes], { framing: 'list' });
    assert.deepEqual(JSON.parse(`${whole.text}${whole.terminal}`), eventsOf(name));

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.deepEqual(decode(cutAt(bytes, points), { framing: 'list' }), whole);
      }),
    );
  });

  test(`${name} gives the same chunks, however it is cut`, () => {
    const bytes = geminiFixture(name);
    const whole = decode([bytes], { chunks: CONTEXT });
    assert.deepEqual([whole.text, whole.terminal], ['', '']);

    fc.assert(
      fc.property(cutPoints(bytes.length), (points) => {
        assert.deepEqual(decode(cutAt(bytes, points), { chunks: CONTEXT }), whole);
      }),
    );
  });
}

test('the last word on usage counts: thoughts within the output, cached within the input', () => {
  const chat = decode([geminiFixture('chat.sse')]).usage;
  const thinking = decode([geminiFixture('thinking.sse')]).usage;

  assert.deepEqual(chat, {
    ...{ inputTokens: 11, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 0 },
    source: 'provider',
  });
  assert.deepEqual([thinking?.outputTokens, thinking?.reasoningTokens], [6, 4]);
});

test('characters of text, thoughts and arguments are counted', () => {
  const counts: Readonly<Record<string, number>> = {
    'chat.sse': '¡Hola 🚀!'.length,
    'thinking.sse': 'Let me see42'.length,
    'tools.sse': '{"city":"Málaga"}{}'.length,
    'two-candidates.sse': 4,
    'blocked.sse': 0,
  };
  for (const [name, characters] of Object.entries(counts)) {
    assert.equal(decode([geminiFixture(name)]).characters, characters, name);
  }
});

test('finish reasons are told once per candidate', () => {
  const reasons = (name: string) => decode([geminiFixture(name)]).finishReasons;

  assert.deepEqual(reasons('chat.sse'), ['stop']);
  assert.deepEqual(reasons('tools.sse'), ['tool_calls']);
  assert.deepEqual(reasons('two-candidates.sse'), ['stop', 'length']);
  assert.deepEqual(reasons('blocked.sse'), ['content_filter']);
  assert.deepEqual(reasons('safety.sse'), ['content_filter']);
});

test('text becomes deltas, with the role first and the usage in a chunk of its own', () => {
  const { chunks } = decode([geminiFixture('chat.sse')], { chunks: CONTEXT });

  const deltas = choicesOf(chunks).map(({ delta, finish_reason }) => [delta, finish_reason]);
  assert.deepEqual(deltas, [
    [{ role: 'assistant', content: '¡Hola' }, null],
    [{ content: ' 🚀' }, null],
    [{ content: '!' }, 'stop'],
  ]);
  const [first] = chunks;
  assert.deepEqual([first?.id, first?.model], ['c3RyZWFt', 'gemini-3.8-flash']);
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.deepEqual(chunks.at(-1)?.usage, {
    ...{ prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 },
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 0 },
  });
});

test('thoughts become reasoning in pieces, and the signature of a text stands beside it', () => {
  const { chunks } = decode([geminiFixture('thinking.sse')], { chunks: CONTEXT });

  const deltas = choicesOf(chunks).map(({ delta }) => delta);
  assert.equal(deltas.map(({ reasoning_content: text = '' }) => text).join(''), 'Let me see');
  assert.deepEqual(deltas[1].esclusa, {
    thinking_blocks: [{ type: 'thinking', thinking: ' see' }],
  });
  assert.deepEqual(deltas[3].esclusa, { signature: 'ZW5k' });
});

test('calls come whole, numbered through the stream, with ids given or made', () => {
  const { chunks } = decode([geminiFixture('tools.sse')], { chunks: CONTEXT });

  const calls = choicesOf(chunks).flatMap(({ delta }) => delta.tool_calls);
  assert.deepEqual(calls, [
    {
      ...{ index: 0, id: 'fc-1', type: 'function' },
      function: { name: 'get_weather', arguments: '{"city": "Málaga"}' },
      esclusa: { signature: 'c2ln' },
    },
    {
      ...{ index: 1, id: 'call_made_c3RyZWFt_1', type: 'function' },
      function: { name: 'now', arguments: '{}' },
    },
  ]);
  assert.equal(choicesOf(chunks).at(-1).finish_reason, 'tool_calls');
});

test('for a client that wants one call at a time the others are left out', () => {
  const { chunks } = decode([geminiFixture('tools.sse')], {
    chunks: { ...CONTEXT, oneCall: true },
  });

  const calls = choicesOf(chunks).flatMap(({ delta }) => delta.tool_calls ?? []);
  assert.deepEqual(
    calls.map(({ id }) => id),
    ['fc-1'],
  );
});

test('a refused prompt and a cut answer end by the content filter, in Gemini’s own word', () => {
  for (const name of ['blocked.sse', 'safety.sse']) {
    const { chunks } = decode([geminiFixture(name)], { chunks: CONTEXT });

    const last = choicesOf(chunks).at(-1);
    assert.equal(last.finish_reason, 'content_filter');
    assert.deepEqual(last.esclusa, { stop_reason: 'SAFETY' });
  }
});

test('an error inside the stream is told as the provider named it', () => {
  const problem = problemOf<StreamProblem>(() => decode([geminiFixture('error-event.sse')]));

  assert.ok(problem.kind === 'error_event');
  assert.deepEqual([problem.error.code, problem.error.status], [503, 'UNAVAILABLE']);
});

test('a body that ends before every candidate has is truncated', () => {
  for (const name of STREAMS.filter((stream) => stream !== 'blocked.sse')) {
    const bytes = geminiFixture(name);
    const events = bytes.toString().split(/(?<=\n\r?\n)/);
    const cut = events.slice(0, name === 'two-candidates.sse' ? 2 : -1).join('');
    for (const text of ['', ': ping\n\n', cut, bytes.subarray(0, cut.length + 9).toString()]) {
      assert.equal(problemOf(() => decode([Buffer.from(text)])).kind, 'truncated', name);
    }
  }
});

test('a last event without its blank line is read, and gets one', () => {
  const text = geminiFixture('thinking.sse').toString();
  for (const missing of [1, 2]) {
    const { text: passed, terminal } = decode([Buffer.from(text.slice(0, -missing))]);

    assert.equal(passed + terminal, text);
  }
});

test('nothing of the last event leaves before the body has ended', () => {
  const stream = decoder();
  const [first = '', second = '', last = ''] = geminiFixture('chat.sse')
    .toString()
    .split(/(?<=\n\r\n)/);

  assert.equal(stream.push(Buffer.from(first))?.bytes.toString(), first);
  assert.equal(stream.push(Buffer.from(second + last))?.bytes.toString(), second);
  assert.equal(stream.push(Buffer.from(': ping\n\n')), null);
  assert.equal(stream.end()?.terminal?.toString(), `${last}: ping\n\n`);
});

test('what is no answer is garbled', () => {
  for (const data of ['{', '7', '[]', '{"candidates":7}', 'hello']) {
    assert.equal(problemOf(() => decode([Buffer.from(`data: ${data}\n\n`)])).kind, 'garbled', data);
  }
});

test('an event and a stream beyond their bounds are too long', () => {
  const bytes = geminiFixture('chat.sse');

  assert.equal(problemOf(() => decode([bytes], { maxEventBytes: 20 })).kind, 'too_long');
  assert.equal(problemOf(() => decode([bytes], { maxStreamBytes: 20 })).kind, 'too_long');
});
