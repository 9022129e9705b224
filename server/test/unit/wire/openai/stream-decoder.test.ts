/**
 * Goal: a stream passes byte for byte while usage, ends and errors are noticed, however its
 * bytes are cut. Method: recorded streams, whole, cut at random places and dripped; expected
 * values are worked out by hand from the fixtures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DecodedFrame } from '../../../../src/wire/decoded.ts';
import {
  createStreamDecoder,
  type StreamDecoderOptions,
} from '../../../../src/wire/openai/stream-decoder.ts';
import type { StreamProblem } from '../../../../src/wire/openai/types.ts';
import { cutAt, cutPoints, openaiFixture } from '../../../support/openai-fixtures.ts';
import { LIMITS, problemOf } from '../streams.ts';

interface Outcome {
  readonly text: string;
  readonly terminal: string | null;
  readonly terminals: number;
  readonly characters: number;
  readonly usage: DecodedFrame['usage'];
  readonly finishReasons: readonly string[];
}

const DONE = 'data: [DONE]\n\n';

function decoder(options: Partial<StreamDecoderOptions> = {}) {
  const asIs = { forwardUsage: false, asChunks: false };
  return createStreamDecoder({ ...asIs, ...LIMITS, ...options });
}

function decode(chunks: readonly Buffer[], options: Partial<StreamDecoderOptions> = {}): Outcome {
  const stream = decoder(options);
  const frames = [...chunks.map((chunk) => stream.push(chunk)), stream.end()].filter(
    (frame) => frame !== null,
  );
  const terminals = frames.filter((frame) => frame.terminal !== null);
  assert.equal(frames.at(-1)?.terminal !== null, true, 'the last frame is the terminal one');
  return {
    text: Buffer.concat(frames.map((frame) => frame.bytes)).toString('utf8'),
    terminal: terminals[0]?.terminal?.toString() ?? null,
    terminals: terminals.length,
    characters: frames.reduce((sum, frame) => sum + frame.producedCharacters, 0),
    usage: frames.findLast((frame) => frame.usage !== null)?.usage ?? null,
    finishReasons: frames.flatMap((frame) => frame.finishReasons),
  };
}

function event(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function chunk(delta: unknown, finish: string | null = null, index = 0): string {
  return event({ choices: [{ index, delta, finish_reason: finish }] });
}

const STREAMS = [
  'chat.sse',
  'chat-crlf.sse',
  'chat-tools.sse',
  'chat-two-choices.sse',
  'chat-no-marker.sse',
  'chat-reasoning.sse',
  'chat-filter-results.sse',
  'completion.sse',
];

for (const name of STREAMS) {
  test(`${name} gives the same bytes, usage and ends however it is cut`, () => {
    const bytes = openaiFixture(name);
    for (const forwardUsage of [true, false]) {
      const whole = decode([bytes], { forwardUsage });
      fc.assert(
        fc.property(cutPoints(bytes.length), (points) => {
          assert.deepEqual(decode(cutAt(bytes, points), { forwardUsage }), whole);
        }),
      );
      const dripped = [...bytes].map((byte) => Buffer.from([byte]));
      assert.deepEqual(decode(dripped, { forwardUsage }), whole);
      assert.equal(whole.terminals, 1);
    }
  });

  test(`${name} passes byte for byte where the usage is asked for`, () => {
    const source = openaiFixture(name).toString();

    const { text, terminal } = decode([openaiFixture(name)], { forwardUsage: true });

    assert.equal(text + (source.includes('[DONE]') ? terminal : ''), source);
  });
}

test('the usage chunk that was not asked for is taken out and nothing else is', () => {
  const events = openaiFixture('chat.sse').toString().split('\n\n');
  const usageAt = events.findIndex((line) => line.includes('"choices":[]'));
  assert.ok(usageAt > 0);

  const { text, usage } = decode([openaiFixture('chat.sse')]);

  const kept = events.filter(
    (line, at) => at !== usageAt && line !== 'data: [DONE]' && line !== '',
  );
  assert.equal(text, kept.map((line) => `${line}\n\n`).join(''));
  assert.ok(text.includes('"usage":null'), 'null members stay as they are');
  assert.deepEqual(usage, {
    inputTokens: 19,
    cachedInputTokens: 8,
    outputTokens: 10,
    reasoningTokens: 4,
    source: 'provider',
  });
});

test('usage that comes beside choices is read and forwarded', () => {
  const { text, usage } = decode([openaiFixture('chat-reasoning.sse')]);

  assert.ok(text.includes('"prompt_cache_hit_tokens":4'));
  assert.deepEqual([usage?.inputTokens, usage?.cachedInputTokens], [12, 4]);
  assert.deepEqual([usage?.outputTokens, usage?.reasoningTokens], [9, 6]);
});

test('a first chunk without choices and without usage is forwarded', () => {
  const { text } = decode([openaiFixture('chat-filter-results.sse')]);

  assert.ok(text.startsWith('data: {"id":"","object":"","created":0'));
});

test('characters of text, reasoning, refusals and tool arguments are counted', () => {
  const counts: Record<string, number> = {
    'chat.sse': '¡Hola 🚀!'.length,
    'chat-reasoning.sse': 'Let me see42'.length,
    'chat-tools.sse': '{"city":"Málaga"}{}'.length,
    'chat-two-choices.sse': 3,
    'completion.sse': ' one two'.length,
  };
  for (const [name, characters] of Object.entries(counts)) {
    assert.equal(decode([openaiFixture(name)]).characters, characters, name);
  }
  const others = chunk({ refusal: 'no', function_call: { arguments: '{}' } }, 'stop');
  assert.equal(decode([Buffer.from(others + DONE)]).characters, 4);
});

test('finish reasons are told once per choice, unknown ones as other', () => {
  assert.deepEqual(decode([openaiFixture('chat-two-choices.sse')]).finishReasons, [
    'stop',
    'length',
  ]);
  const odd = chunk({ content: 'x' }, '') + chunk({}, 'eos');
  assert.deepEqual(decode([Buffer.from(odd + DONE)]).finishReasons, ['other']);
});

test('a chunk of complete events is forwarded as the very same buffer', () => {
  const one = Buffer.from(chunk({ content: 'a' }));
  const several = Buffer.from(`${chunk({ content: 'a' }) + chunk({ content: 'b' })}: ping\n\n`);
  const stream = decoder();

  assert.equal(stream.push(one)?.bytes, one);
  assert.equal(stream.push(several)?.bytes, several);
});

test('an unfinished event waits for its rest and is then forwarded whole', () => {
  const text = chunk({ content: 'ñ' });
  const bytes = Buffer.from(text);
  const stream = decoder();

  assert.equal(stream.push(bytes.subarray(0, bytes.indexOf('ñ') + 1)), null);
  assert.equal(stream.push(bytes.subarray(bytes.indexOf('ñ') + 1))?.bytes.toString(), text);
});

test('the end marker comes apart from the events before it, once, as the provider wrote it', () => {
  const stream = decoder();
  const content = chunk({ content: 'a' }, 'stop');

  const frame = stream.push(Buffer.from(`${content}data:[DONE]\r\n\r\n${chunk({ content: 'b' })}`));

  assert.equal(frame?.bytes.toString(), content);
  assert.equal(frame?.terminal?.toString(), 'data:[DONE]\r\n\r\n');
  assert.equal(stream.push(Buffer.from(chunk({ content: 'c' }))), null);
  assert.equal(stream.push(Buffer.from('data: {garbled\n\n')), null);
  assert.equal(stream.end(), null);
});

test('a complete answer without the marker ends with one made here', () => {
  const { terminal, text } = decode([openaiFixture('chat-no-marker.sse')]);

  assert.equal(terminal, DONE);
  assert.equal(text, openaiFixture('chat-no-marker.sse').toString());
});

test('a body that ends before every choice has ended is truncated', () => {
  const two = chunk({ content: 'a' }) + chunk({ content: 'b' }, null, 1) + chunk({}, 'stop');

  for (const body of ['', ': ping\n\n', chunk({ content: 'a' }), two]) {
    const problem = problemOf<StreamProblem>(() => decode([Buffer.from(body)]));
    assert.equal(problem.kind, 'truncated', body);
  }
  assert.equal(decode([Buffer.from(two + chunk({}, 'length', 1))]).terminal, DONE);
});

test('a body that ends within the JSON of an event is truncated, even after a finish', () => {
  const cut = chunk({}, 'stop') + chunk({ content: 'lost' }).slice(0, 20);

  assert.equal(problemOf(() => decode([Buffer.from(cut)])).kind, 'truncated');
});

test('a body that ends within the marker of a complete answer ends well', () => {
  const finished = chunk({ content: 'a' }, 'stop');
  for (let length = 1; length < DONE.length; length += 1) {
    const outcome = decode([Buffer.from(finished + DONE.slice(0, length))]);
    assert.equal(outcome.terminal, DONE, DONE.slice(0, length));
    assert.equal(outcome.text, finished);
  }
  const unfinished = chunk({ content: 'a' }) + DONE.slice(0, 8);
  assert.equal(problemOf(() => decode([Buffer.from(unfinished)])).kind, 'truncated');
});

test('a last event without its blank line is read, and gets one', () => {
  const last = chunk({ content: 'b' }, 'stop');
  for (const missing of [1, 2]) {
    const body = chunk({ content: 'a' }) + last.slice(0, -missing);

    const outcome = decode([Buffer.from(body)]);

    assert.equal(outcome.text, chunk({ content: 'a' }) + last);
    assert.deepEqual(outcome.finishReasons, ['stop']);
    assert.equal(outcome.terminal, DONE);
  }
});

test('the marker without its blank line ends even an answer without a finish', () => {
  const unfinished = chunk({ content: 'a' });

  const outcome = decode([Buffer.from(unfinished + DONE.trimEnd())]);

  assert.deepEqual([outcome.text, outcome.terminal], [unfinished, DONE]);
});

test('a usage chunk without its blank line is read and still taken out', () => {
  const usage = event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } });
  const body = Buffer.from(chunk({ content: 'a' }, 'stop') + usage.trimEnd());

  assert.equal(decode([body]).text, chunk({ content: 'a' }, 'stop'));
  assert.equal(decode([body]).usage?.inputTokens, 3);
  assert.equal(
    decode([body], { forwardUsage: true }).text,
    chunk({ content: 'a' }, 'stop') + usage,
  );
});

test('an event that is not JSON, or not a chunk, is garbled', () => {
  const bodies = [
    'data: {"choices":[{"ind\n\n',
    'data: <html>\n\n',
    'data: []\n\n',
    'data: 1\n\n',
    'data:\n\n',
    event({ choices: 'none' }),
    event({ choices: [1] }),
    DONE,
  ];
  for (const body of bodies) {
    assert.equal(problemOf(() => decoder().push(Buffer.from(body))).kind, 'garbled', body);
  }
});

test('an error inside the stream is handed over with its code, in each of its shapes', () => {
  const cases: [string, unknown][] = [
    [event({ error: { message: 'no', type: 't', param: 'p', code: 'c' } }), ['no', 't', 'p', 'c']],
    [event({ error: 'plain' }), ['plain', null, null, null]],
    [event({ error: { message: 'busy', code: 429 }, choices: [] }), ['busy', null, null, 429]],
    ['event: error\ndata: {"message":"down"}\n\n', ['down', null, null, null]],
    ['event: error\ndata: gone\n\n', ['gone', null, null, null]],
  ];
  for (const [body, expected] of cases) {
    const problem = problemOf<StreamProblem>(() => decoder().push(Buffer.from(body)));
    assert.equal(problem.kind, 'error_event', body);
    if (problem.kind !== 'error_event') continue;
    const { message, type, param, code } = problem.error;
    assert.deepEqual([message, type, param, code], expected);
  }
});

test('what came before an error in earlier chunks has been handed out', () => {
  const bytes = openaiFixture('chat-error-event.sse');
  const errorAt = bytes.indexOf('data: {"error"');
  const stream = decoder();

  const frame = stream.push(bytes.subarray(0, errorAt));

  assert.equal(frame?.producedCharacters, 2);
  assert.equal(problemOf(() => stream.push(bytes.subarray(errorAt))).kind, 'error_event');
});

test('an event at the limit passes, one past it and a stream past its own are too long', () => {
  const body = Buffer.from(chunk({ content: 'x'.repeat(50) }));
  const fits = { maxEventBytes: body.length, maxStreamBytes: 10 * body.length };

  const stream = decoder(fits);
  for (let i = 0; i < 10; i += 1) assert.ok(stream.push(body) !== null);
  assert.equal(problemOf(() => stream.push(Buffer.from('d'))).kind, 'too_long');

  const narrow = { maxEventBytes: body.length - 1 };
  assert.equal(problemOf(() => decoder(narrow).push(body)).kind, 'too_long');
});

test('comments, names and numbers of events are forwarded untouched', () => {
  const body = `: PROCESSING\n\nretry: 3000\n\nid: 1\nevent: message\n${chunk({}, 'stop')}`;

  assert.equal(decode([Buffer.from(body)]).text, body);
});

test('a choice without an index counts as the first', () => {
  const body = event({ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] });

  assert.equal(decode([Buffer.from(body)]).terminal, DONE);
});
