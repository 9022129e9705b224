/**
 * Goal: requests of the Responses API that keep nothing reach a provider that has that API as
 * they are, and its answers come back as they are, the vendor's own tools and unknown fields
 * included. Method: the whole gateway, OpenAI's package, and scripted `/responses` over real
 * sockets, OpenAI's and Azure's, that answer with bodies of the documented shapes, cut and
 * broken in many ways.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { ADMIN_KEY } from '../support/gateway.ts';
import { openaiFixture } from '../support/openai-fixtures.ts';
import { openaiSchemas, schemasAbsent } from '../support/openai-schema.ts';
import { AZURE_KEY, startScriptedAzure } from '../support/scripted-azure/index.ts';
import type { Behaviour, ScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { rowOf, type Surroundings, startSurroundings, UPSTREAM_KEY } from './surroundings.ts';

const WHOLE = openaiFixture('response.openai-7.55.0.json');
const STREAM = openaiFixture('response.openai-7.55.0.sse');
const FAILED = openaiFixture('response-failed.openai-7.55.0.sse');
const INCOMPLETE = openaiFixture('response-incomplete.openai-7.55.0.sse');
const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** Numbers that parsing would change, an unknown field, a tool that only the vendor has. */
const REQUEST =
  '{ "model":"VENDOR/gpt-5",\n "input":"Weather?", "store": false,' +
  '"tools":[{"type":"web_search"}], "x_new": 12345678901234567890.50 }';

/** Who has the API, where it lies there, and how the gateway's key is shown. */
const VENDORS = [
  {
    vendor: 'openai',
    path: '/v1/responses',
    credential: ['authorization', `Bearer ${UPSTREAM_KEY}`],
  },
  { vendor: 'azure', path: '/openai/v1/responses', credential: ['api-key', AZURE_KEY] },
  {
    vendor: 'azure-preview',
    path: '/openai/v1/responses?api-version=preview',
    credential: ['api-key', AZURE_KEY],
  },
] as const;

type Vendor = (typeof VENDORS)[number]['vendor'];

let around: Surroundings;
let azure: ScriptedUpstream;
let client: OpenAI;

before(async () => {
  azure = await startScriptedAzure();
  const settings = { kind: 'azure-openai', base_url: azure.url, api_key: AZURE_KEY };
  around = await startSurroundings({
    providers: {
      azure: settings,
      'azure-preview': { ...settings, api_version: 'preview' },
      'azure-dated': { ...settings, api_version: '2024-10-21' },
      'azure-locked': { ...settings, api_key: 'wrong-0123456789abcdef' },
    },
  });
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(async () => {
  await around.close();
  await azure.close();
});

beforeEach(() => {
  around.upstream.forget();
  azure.forget();
});

function upstreamOf(vendor: Vendor): ScriptedUpstream {
  return vendor === 'openai' ? around.upstream : azure;
}

function next(
  vendor: Vendor,
  body: Buffer | string,
  headers: Readonly<Record<string, string>>,
  more: Behaviour = {},
): void {
  upstreamOf(vendor).next({ status: 200, body, headers, ...more });
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

for (const { vendor, path, credential } of VENDORS) {
  const asked = REQUEST.replace('VENDOR', vendor);
  const chat = path.replace('responses', 'chat/completions');

  test(`${vendor}: request and answer pass byte for byte, but for the model’s name`, async () => {
    next(vendor, WHOLE, JSON_TYPE);
    const answer = await post(asked);
    const [call] = upstreamOf(vendor).calls;

    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), WHOLE.toString());
    assert.equal(call?.path, path);
    assert.equal(call?.headers[credential[0]], credential[1]);
    assert.equal(JSON.stringify(call?.headers).includes(ADMIN_KEY), false);
    assert.equal(call?.body.toString(), asked.replace(`${vendor}/`, ''));
    assert.equal(answer.headers.get('x-esclusa-dropped'), null);
    const row = await rowOf(around.gateway, answer.headers.get('x-request-id'));
    assert.equal(row.usage.input_tokens, 328);
    assert.equal(row.usage.output_tokens, 56);
    assert.equal(row.usage.source, 'provider');
  });

  test(`${vendor}: a stream passes byte for byte however it is cut, and is booked`, async () => {
    const request = asked.replace('"store"', '"stream":true,"store"');
    for (const bytes of [1, 7, 100, STREAM.length]) {
      next(
        vendor,
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

  test(`${vendor}: the package reads what passes, the vendor’s own tools included`, async () => {
    next(vendor, WHOLE, JSON_TYPE);
    const plain = await client.responses.create({
      model: `${vendor}/gpt-5`,
      input: 'Weather?',
      store: false,
      tools: [{ type: 'web_search' }],
      include: ['reasoning.encrypted_content'],
    });
    next(vendor, STREAM, SSE);
    const streamed = await client.responses
      .stream({ model: `${vendor}/gpt-5`, input: 'Weather?', store: false })
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

  test(`${vendor}: a response that is incomplete passes, and is booked as complete`, async () => {
    next(vendor, INCOMPLETE, SSE);
    const stream = await client.responses.create({
      ...{ model: `${vendor}/gpt-5`, input: 'x', store: false, stream: true as const },
    });

    assert.equal((await collect(stream)).at(-1), 'response.incomplete');
  });

  test(`${vendor}: a response that failed passes, raises an error, is booked so`, async () => {
    next(vendor, FAILED, SSE, {
      drip: { bytes: FAILED.indexOf('event: response.failed'), everyMs: 30 },
    });
    const { data, request_id } = await client.responses
      .create({ model: `${vendor}/gpt-5`, input: 'x', store: false, stream: true })
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

  for (const [what, behaviour, code] of BROKEN) {
    test(`${vendor}: a stream that ${what} ends in the next event, an error`, async () => {
      upstreamOf(vendor).next({
        status: 200,
        headers: SSE,
        drip: { bytes: half, everyMs: 30 },
        ...behaviour,
      });
      const request = { model: `${vendor}/gpt-5`, input: 'x', store: false, stream: true };
      const answer = await post(JSON.stringify(request));
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

  test(`${vendor}: what keeps a response, or goes on from one, is sent as a chat`, async () => {
    const kept = await client.responses.create({ model: `${vendor}/mock`, input: 'Say hello.' });
    const next = await client.responses.create({
      ...{ model: `${vendor}/mock`, input: 'And?', store: false, previous_response_id: kept.id },
    });

    assert.match(next.output_text, /“And\?”/);
    assert.deepEqual(
      upstreamOf(vendor).calls.map(({ path }) => path),
      [chat, chat],
    );
    await assert.rejects(
      client.responses.create({
        ...{ model: `${vendor}/mock`, input: 'x', tools: [{ type: 'web_search' }] },
      }),
      OpenAI.UnprocessableEntityError,
    );
  });

  test(`${vendor}: errors of the provider raise the package’s own classes`, async () => {
    upstreamOf(vendor).next({
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
      client.responses.create({ model: `${vendor}/gpt-5`, input: 'x', store: false }),
      (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError);
        assert.equal(error.code, 'context_length_exceeded');
        assert.equal(error.param, 'input');
        return true;
      },
    );
  });
}

test('Azure: a filtered prompt keeps its code and names the prompt', async () => {
  for (const stream of [false, true]) {
    const ask = { model: 'azure/mock', input: 'FORBIDDEN WORD', store: false, stream };

    await assert.rejects(client.responses.create(ask), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.deepEqual([error.code, error.param], ['content_filter', 'prompt']);
      return true;
    });
  }
});

test('Azure: a key that is refused is the gateway’s trouble, not the caller’s', async () => {
  const ask = { model: 'azure-locked/mock', input: 'x', store: false };

  await assert.rejects(client.responses.create(ask), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.deepEqual([error.status, error.code], [502, 'upstream_credentials']);
    assert.equal(error.message.includes('wrong-0123456789abcdef'), false);
    return true;
  });
});

test('Azure: the dated surface has no such API, and is asked for a chat', async () => {
  const ask = { model: 'azure-dated/mock', input: 'Say hello.', store: false };
  const { output_text } = await client.responses.create(ask);

  assert.match(output_text, /^You wrote/);
  const dated = '/openai/deployments/mock/chat/completions?api-version=2024-10-21';
  assert.deepEqual(
    azure.calls.map(({ path }) => path),
    [dated],
  );
});

test('a client that leaves a stream that passes through closes the call', async () => {
  for (const { vendor } of VENDORS) {
    const stream = await client.responses.create({
      ...{ model: `${vendor}/mock:tps=20`, input: 'Say hello.', store: false, stream: true },
    });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;

    const [call] = upstreamOf(vendor).calls;
    await upstreamOf(vendor).waitForClose(call ?? assert.fail('no call'));
  }
});

function cuts(length: number, every: number): number[] {
  return Array.from({ length: Math.floor(length / every) }, (_, index) => (index + 1) * every);
}
