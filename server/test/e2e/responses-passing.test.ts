/**
 * Goal: requests of the Responses API that keep nothing reach a provider that has that API as
 * they are, and its answers come back as they are, the vendor's own tools and unknown fields
 * included. Method: the whole gateway, OpenAI's package, and a scripted `/responses` over real
 * sockets that answers with bodies of the documented shapes, cut and broken in many ways.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { ADMIN_KEY } from '../support/gateway.ts';
import { openaiFixture } from '../support/openai-fixtures.ts';
import { openaiSchemas, schemasAbsent } from '../support/openai-schema.ts';
import type { Behaviour } from '../support/scripted-upstream/index.ts';
import { rowOf, type Surroundings, startSurroundings } from './surroundings.ts';

const WHOLE = openaiFixture('response.openai-7.55.0.json');
const STREAM = openaiFixture('response.openai-7.55.0.sse');
const FAILED = openaiFixture('response-failed.openai-7.55.0.sse');
const INCOMPLETE = openaiFixture('response-incomplete.openai-7.55.0.sse');
const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** Numbers that parsing would change, an unknown field, a tool that only the vendor has. */
const REQUEST =
  '{ "model":"openai/gpt-5",\n "input":"Weather?", "store": false,' +
  '"tools":[{"type":"web_search"}], "x_new": 12345678901234567890.50 }';

let around: Surroundings;
let client: OpenAI;

before(async () => {
  around = await startSurroundings();
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

beforeEach(() => around.upstream.forget());

function next(body: Buffer | string, headers: Behaviour['headers'], more: Behaviour = {}): void {
  around.upstream.next({
    status: 200,
    body,
    ...(headers === undefined ? {} : { headers }),
    ...more,
  });
}

function post(body: string): Promise<Response> {
  return fetch(`${around.baseURL}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body,
  });
}

/** Without the gateway's own comment before the end. */
function withoutComment(text: string): string {
  return text.replace(/^: esclusa .*\n\n/m, '');
}

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  return types;
}

test('the fixtures are what OpenAI’s document says', { skip: schemasAbsent }, () => {
  openaiSchemas().assertValid('Response', JSON.parse(WHOLE.toString()));
  for (const stream of [STREAM, FAILED, INCOMPLETE]) {
    for (const [, data] of stream.toString().matchAll(/^data: (.*)$/gm)) {
      openaiSchemas().assertEvent(JSON.parse(data ?? ''));
    }
  }
});

test('request and answer pass byte for byte, but for the name of the model', async () => {
  next(WHOLE, JSON_TYPE);
  const answer = await post(REQUEST);
  const [call] = around.upstream.calls;

  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), WHOLE.toString());
  assert.equal(call?.path, '/v1/responses');
  assert.equal(call?.body.toString(), REQUEST.replace('openai/gpt-5', 'gpt-5'));
  assert.equal(answer.headers.get('x-esclusa-dropped'), null);
  const row = await rowOf(around.gateway, answer.headers.get('x-request-id'));
  assert.equal(row.usage.input_tokens, 328);
  assert.equal(row.usage.output_tokens, 56);
  assert.equal(row.usage.source, 'provider');
});

test('a stream passes byte for byte, however it is cut, and its usage is booked', async () => {
  const request = REQUEST.replace('"store"', '"stream":true,"store"');
  for (const bytes of [1, 7, 100, STREAM.length]) {
    next(
      STREAM,
      SSE,
      bytes === 1 ? { cutAt: cuts(STREAM.length, 97) } : { cutAt: cuts(STREAM.length, bytes) },
    );
    const answer = await post(request);

    assert.equal(withoutComment(await answer.text()), STREAM.toString());
    const row = await rowOf(around.gateway, answer.headers.get('x-request-id'));
    assert.equal(row.outcome, 'completed');
    assert.equal(row.usage.output_tokens, 56);
  }
});

test('the package reads what passes: reasoning, the vendor’s own tools, calls', async () => {
  next(WHOLE, JSON_TYPE);
  const plain = await client.responses.create({
    model: 'openai/gpt-5',
    input: 'Weather?',
    store: false,
    tools: [{ type: 'web_search' }],
    include: ['reasoning.encrypted_content'],
  });
  next(STREAM, SSE);
  const streamed = await client.responses
    .stream({ model: 'openai/gpt-5', input: 'Weather?', store: false })
    .finalResponse();

  const kinds = ['reasoning', 'web_search_call', 'message', 'function_call'];
  assert.deepEqual(
    plain.output.map(({ type }) => type),
    kinds,
  );
  assert.deepEqual(
    streamed.output.map(({ type }) => type),
    kinds,
  );
  const [reasoning] = plain.output;
  assert.ok(reasoning?.type === 'reasoning');
  assert.equal(reasoning.encrypted_content, 'gAAAAABovLm_encrypted');
  assert.equal(streamed.output_text, 'Sunny in Madrid.');
});

test('a response that is incomplete passes, and is booked as complete', async () => {
  next(INCOMPLETE, SSE);
  const stream = await client.responses.create({
    ...{ model: 'openai/gpt-5', input: 'x', store: false, stream: true as const },
  });

  assert.equal((await collect(stream)).at(-1), 'response.incomplete');
});

test('a response that failed is passed on, raises an error, and is booked as failed', async () => {
  next(FAILED, SSE, { drip: { bytes: FAILED.indexOf('event: response.failed'), everyMs: 30 } });
  const { data, request_id } = await client.responses
    .create({ model: 'openai/gpt-5', input: 'x', store: false, stream: true })
    .withResponse();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of data) seen.push(event.type);
  })();

  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.match(error.message, /The model had a hiccup/);
    return true;
  });
  assert.equal(seen.at(-1), 'response.failed');
  const row = await rowOf(around.gateway, request_id);
  assert.equal(row.outcome, 'failed');
  assert.equal(row.error_code, 'upstream_failed');
});

const half = STREAM.indexOf('event: response.output_text.delta');
const BROKEN: readonly (readonly [string, Behaviour, string])[] = [
  ['ends between two events', { body: STREAM.subarray(0, half) }, 'upstream_truncated'],
  ['ends within an event', { body: STREAM.subarray(0, half + 60) }, 'upstream_truncated'],
  ['is reset', { body: STREAM, endAfterBytes: half + 9, ending: 'reset' }, 'upstream_unreachable'],
  ['falls silent', { body: STREAM, endAfterBytes: half, ending: 'stall' }, 'upstream_timeout'],
  ['is garbled', { body: `${STREAM.subarray(0, half)}data: {broken\n\n` }, 'upstream_invalid'],
  [
    'reports an error',
    {
      body:
        `${STREAM.subarray(0, half)}event: error\ndata: {"type":"error","sequence_number":9,` +
        '"code":"server_error","message":"Overheated.","param":null}\n\n',
    },
    'server_error',
  ],
];

for (const [what, behaviour, code] of BROKEN) {
  test(`a stream that ${what} ends in an error event with the next number`, async () => {
    around.upstream.next({
      status: 200,
      headers: SSE,
      drip: { bytes: half, everyMs: 30 },
      ...behaviour,
    });
    const answer = await post('{"model":"openai/gpt-5","input":"x","store":false,"stream":true}');
    const text = await answer.text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    const last = events.at(-1);

    assert.equal(last.type, 'error');
    assert.equal(last.code, code);
    assert.equal(last.sequence_number, events.length - 1);
    assert.match(text, /event: error\ndata: .*\n\n$/);
    if (schemasAbsent === false) openaiSchemas().assertEvent(last);
  });
}

test('what keeps a response, or goes on from one, is sent as a chat instead', async () => {
  const kept = await client.responses.create({ model: 'openai/mock', input: 'Say hello.' });
  const next = await client.responses.create({
    ...{ model: 'openai/mock', input: 'And?', store: false, previous_response_id: kept.id },
  });

  assert.match(next.output_text, /“And\?”/);
  assert.deepEqual(
    around.upstream.calls.map(({ path }) => path),
    ['/v1/chat/completions', '/v1/chat/completions'],
  );
  await assert.rejects(
    client.responses.create({
      ...{ model: 'openai/mock', input: 'x', tools: [{ type: 'web_search' }] },
    }),
    OpenAI.UnprocessableEntityError,
  );
});

test('errors of the provider raise the package’s own classes', async () => {
  around.upstream.next({
    status: 400,
    headers: JSON_TYPE,
    body: JSON.stringify({
      error: {
        message: 'Too long.',
        type: 'invalid_request_error',
        param: 'input',
        code: 'context_length_exceeded',
      },
    }),
  });

  await assert.rejects(
    client.responses.create({ model: 'openai/gpt-5', input: 'x', store: false }),
    (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.code, 'context_length_exceeded');
      assert.equal(error.param, 'input');
      return true;
    },
  );
});

function cuts(length: number, every: number): number[] {
  return Array.from({ length: Math.floor(length / every) }, (_, index) => (index + 1) * every);
}
