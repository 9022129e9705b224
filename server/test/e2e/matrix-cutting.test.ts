/**
 * Goal: however the network cuts a provider's bytes, clients of every dialect get the same events,
 * from every kind of provider. Method: a provider's stream is recorded once and then sent again
 * in random pieces, through real sockets on both sides; a failure prints its seed.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import fc from 'fast-check';
import { ADMIN_KEY } from '../support/gateway.ts';
import type { RecordedCall, ScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { eventsOf } from './asking.ts';
import { BOTH, CITY_SCHEMA, HELLO, TOOLS } from './matrix/driver.ts';
import { type MatrixSurroundings, startMatrix, WAYS, type Way } from './matrix/ways.ts';

const RUNS = 12;

let around: MatrixSurroundings;

before(async () => {
  around = await startMatrix();
});

after(() => around.close());

afterEach(() => around.forget());

interface Asking {
  readonly path: string;
  readonly body: object;
}

const functions = TOOLS.map(({ name, description }) => ({ name, description }));

/** A question that is answered in words, and one that is answered by two calls. */
const DIALECTS: Readonly<Record<string, (model: string, content: string) => Asking>> = {
  openai: (model, content) => ({
    path: '/v1/chat/completions',
    body: {
      ...{ model, stream: true, messages: [{ role: 'user', content }] },
      tools: functions.map((tool) => ({
        ...{ type: 'function', function: { ...tool, parameters: CITY_SCHEMA } },
      })),
    },
  }),
  responses: (model, input) => ({
    path: '/v1/responses',
    body: {
      ...{ model, stream: true, store: false, input },
      tools: functions.map((tool) => ({ type: 'function', ...tool, parameters: CITY_SCHEMA })),
    },
  }),
  anthropic: (model, content) => ({
    path: '/v1/messages',
    body: {
      ...{ model, stream: true, max_tokens: 500, messages: [{ role: 'user', content }] },
      tools: functions.map((tool) => ({ ...tool, input_schema: CITY_SCHEMA })),
    },
  }),
  gemini: (model, text) => ({
    path: `/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
    body: {
      contents: [{ role: 'user', parts: [{ text }] }],
      tools: [
        {
          functionDeclarations: functions.map((tool) => ({
            ...{ ...tool, parametersJsonSchema: CITY_SCHEMA },
          })),
        },
      ],
    },
  }),
};

for (const way of WAYS.filter(({ server }) => server !== null)) {
  for (const [dialect, asking] of Object.entries(DIALECTS)) {
    test(`${way.name} → ${dialect}: any cutting of the bytes gives the same events`, async () => {
      for (const content of [HELLO, BOTH]) {
        const upstream = serverOf(way);
        const { path, body } = asking(`${way.name}/mock`, content);
        await told(path, body);
        const bytes = await recorded(upstream, upstream.calls.at(-1) as RecordedCall);
        const answer = { ...bytes, status: 200 };
        upstream.next(answer);
        const whole = await told(path, body);

        // Calls of Gemini’s come whole, in one event.
        assert.ok(whole.length > (content === HELLO ? 10 : 0), `${whole.length} events`);
        assert.doesNotMatch(whole.at(-1) ?? '', /"error":\{/);
        const places = fc.array(fc.nat({ max: bytes.body.length }), { maxLength: 12 });
        await fc.assert(
          fc.asyncProperty(places, async (cutAt) => {
            upstream.next({ ...answer, cutAt });
            assert.deepEqual(await told(path, body), whole);
          }),
          { numRuns: RUNS },
        );
      }
    });
  }
}

function serverOf(way: Way): ScriptedUpstream {
  return around.upstreamOf(way) ?? assert.fail('it answers within the process');
}

/** What the server sent: the same call, made again without the gateway. */
async function recorded(upstream: ScriptedUpstream, { path, headers, body }: RecordedCall) {
  const names = ['content-type', 'authorization', 'api-key', 'x-api-key', 'x-goog-api-key'];
  const sent = [...names, 'anthropic-version'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as [string, string]] : [];
  });
  const url = `http://127.0.0.1:${upstream.port}${path}`;
  const answer = await fetch(url, { method: 'POST', headers: sent, body: new Uint8Array(body) });
  return {
    body: Buffer.from(await answer.arrayBuffer()),
    headers: { 'content-type': answer.headers.get('content-type') ?? '' },
  };
}

/** The events that a client gets, but for what is the gateway's own in each answer. */
async function told(path: string, body: object): Promise<string[]> {
  const answer = await fetch(`${around.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return eventsOf(text).map((event) =>
    event
      .replaceAll(/"created(?:_at)?":\d+|"completed_at":\d+/g, '')
      .replaceAll(/_[0-9A-HJKMNP-TV-Z]{26}/g, ''),
  );
}
