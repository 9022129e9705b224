/**
 * Goal: how the network cuts an upstream's bytes changes nothing: not what the client reads,
 * not what the ledger books; and a stream that ends anywhere within itself ends legally.
 * Method: properties over recorded and made-up streams, through real sockets on both sides; a
 * failure prints its seed.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { TestGateway } from '../support/gateway.ts';
import { cutPoints, openaiFixture } from '../support/openai-fixtures.ts';
import type { Behaviour, ScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { type Asked, ask } from './asking.ts';
import { type Surroundings, startSurroundings } from './surroundings.ts';

let around: Surroundings;
let gateway: TestGateway;
let upstream: ScriptedUpstream;

before(async () => {
  around = await startSurroundings({
    resilience: { timeouts: { connect_ms: 500, first_token_ms: 5000, idle_ms: 5000 } },
  });
  ({ gateway, upstream } = around);
});

after(() => around.close());

beforeEach(() => upstream.forget());

const SSE = { 'content-type': 'text/event-stream' };
const LINE_ENDS = ['\n', '\r\n', '\r'] as const;
const STREAMS = [
  'chat.sse',
  'chat-crlf.sse',
  'chat-tools.sse',
  'chat-two-choices.sse',
  'chat-reasoning.sse',
  'chat-filter-results.sse',
  'chat-no-marker.sse',
];

/** What must not depend on the cutting. */
function essence({ status, events, error, row }: Asked) {
  return {
    ...{ status, events, code: error?.code ?? null },
    ...{ outcome: row.outcome, usage: row.usage, cost: row.cost_nanousd },
  };
}

async function streamed(behaviour: Behaviour): Promise<Asked> {
  upstream.next({ headers: SSE, ...behaviour });
  return ask(gateway, { model: 'priced', stream: true });
}

function withLineEnds(body: Buffer, end: string): Buffer {
  return Buffer.from(body.toString('utf8').replaceAll('\r\n', '\n').replaceAll('\n', end));
}

for (const name of STREAMS) {
  test(`${name} reaches the client and the ledger the same however it is cut`, async () => {
    const body = openaiFixture(name);
    const whole = essence(await streamed({ body }));

    assert.equal(whole.outcome, 'completed');
    await fc.assert(
      fc.asyncProperty(cutPoints(body.length), async (cutAt) => {
        assert.deepEqual(essence(await streamed({ body, cutAt })), whole);
      }),
      { numRuns: 40 },
    );
  });

  test(`${name} reaches them the same one byte at a time, with any line ends`, async () => {
    const whole = essence(await streamed({ body: openaiFixture(name) }));

    for (const end of LINE_ENDS) {
      const body = withLineEnds(openaiFixture(name), end);
      const cutAt = Array.from(body, (_, at) => at);
      assert.deepEqual(essence(await streamed({ body, cutAt })), whole);
    }
  });
}

const chunkOf = (delta: object, finish: string | null): object => ({
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'mock' },
  choices: [{ index: 0, delta, finish_reason: finish }],
});

/** Any text in any pieces, as a whole stream with its usage. */
function streamOf(pieces: readonly string[], lineEnd: string): Buffer {
  const chunks = pieces.map((content) => chunkOf({ content }, null));
  const usage = { prompt_tokens: 7, completion_tokens: pieces.length, total_tokens: 0 };
  const data = [...chunks, chunkOf({}, 'stop'), { choices: [], usage }].map((c) =>
    JSON.stringify(c),
  );
  const events = [...data, '[DONE]'].map((text) => `data: ${text}${lineEnd}${lineEnd}`);
  return Buffer.from(`: hello${lineEnd}${lineEnd}${events.join('')}`);
}

test('any text in any pieces arrives as it was said, and is booked as it was told', async () => {
  const stream = fc.record({
    pieces: fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 6 }),
    lineEnd: fc.constantFrom(...LINE_ENDS),
    cutAt: cutPoints(900),
  });
  await fc.assert(
    fc.asyncProperty(stream, async ({ pieces, lineEnd, cutAt }) => {
      const asked = await streamed({ body: streamOf(pieces, lineEnd), cutAt });

      assert.equal(asked.said, pieces.join(''));
      assert.ok(asked.done, 'ends with its marker');
      assert.equal(asked.events.length, pieces.length + 2, 'the usage was not asked for');
      const { usage, outcome } = asked.row;
      assert.deepEqual(
        [outcome, usage.source, usage.input_tokens, usage.output_tokens],
        ['completed', 'provider', 7, pieces.length],
      );
    }),
    { numRuns: 100 },
  );
});

test('a plain answer is the same bytes however it is cut', async () => {
  const body = openaiFixture('chat-completion.json');
  const headers = { 'content-type': 'application/json' };
  await fc.assert(
    fc.asyncProperty(cutPoints(body.length), async (cutAt) => {
      upstream.next({ headers, body, cutAt });
      const asked = await ask(gateway, { model: 'priced' });

      assert.equal(asked.text, body.toString('utf8'));
      assert.equal(asked.row.usage.source, 'provider');
    }),
    { numRuns: 40 },
  );
});

test('an error inside a stream is the same error however it is cut, behind what came', async () => {
  const body = openaiFixture('chat-error-event.sse');
  await fc.assert(
    fc.asyncProperty(cutPoints(body.length), async (cutAt) => {
      const asked = await streamed({ body, cutAt });

      assert.equal(asked.error?.code, 'upstream_failed');
      assert.ok('Hi'.startsWith(asked.said), asked.said);
      assert.deepEqual([asked.row.outcome, asked.row.error_code], ['failed', 'upstream_failed']);
      assert.equal(asked.done, false);
    }),
    { numRuns: 40 },
  );
});

test('a stream that ends anywhere within itself ends legally and is booked so', async () => {
  const body = openaiFixture('chat.sse');
  const whole = await streamed({ body });
  const end = fc.record({
    endAfterBytes: fc.nat({ max: body.length }),
    ending: fc.constantFrom('clean' as const, 'fin' as const, 'reset' as const),
    cutAt: cutPoints(body.length),
  });
  await fc.assert(
    fc.asyncProperty(end, async (behaviour) => {
      const asked = await streamed({ body, ...behaviour });

      const { outcome } = asked.row;
      assert.equal(asked.done, outcome === 'completed');
      if (outcome === 'completed') {
        assert.deepEqual([asked.said, asked.error], [whole.said, null]);
        return;
      }
      assert.equal(outcome, 'failed');
      assert.notEqual(asked.error, null);
      assert.equal(asked.text.includes('[DONE]'), false);
      const delivered = asked.status === 200 ? asked.events.slice(0, -1) : [];
      assert.deepEqual(delivered, whole.events.slice(0, delivered.length));
      if (asked.status !== 200) assert.equal(asked.status, 502);
    }),
    { numRuns: 200 },
  );
});
