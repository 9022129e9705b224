/**
 * Goal: programs written against OpenAI's Responses API with the official `openai` package run
 * unchanged, also where the model's provider has no such API. Method: the package itself, the
 * whole gateway, and two ways to a model (the mock in the process, a scripted upstream over real
 * sockets); every response and event is held against OpenAI's own document.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import type {
  Response as ModelResponse,
  ResponseFunctionToolCall,
  ResponseInput,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { z } from 'zod';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { openaiSchemas, schemasAbsent } from '../support/openai-schema.ts';
import { until } from '../support/until.ts';
import { rowOf, type Surroundings, startSurroundings } from './surroundings.ts';

const WAYS = ['mock', 'sockets'] as const;
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD' +
  'hgGAWjR9awAAAABJRU5ErkJggg==';

let around: Surroundings;
let gateway: TestGateway;
let client: OpenAI;

before(async () => {
  around = await startSurroundings();
  gateway = around.gateway;
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

function assertResponse(response: ModelResponse): void {
  if (schemasAbsent !== false) return;
  const { output_text: _, ...wire } = response;
  openaiSchemas().assertValid('Response', wire);
}

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    if (schemasAbsent === false) openaiSchemas().assertEvent(event);
    assert.equal(event.sequence_number, events.length, 'numbers rise by one');
    events.push(event);
  }
  return events;
}

function endOf(events: readonly ResponseStreamEvent[]): ModelResponse {
  const last = events.at(-1);
  assert.ok(last !== undefined && 'response' in last, `ends with ${last?.type}`);
  return last.response;
}

/** What two responses of equal requests have in common. */
function said({ output, status, usage }: ModelResponse): unknown {
  const unparsed = (key: string, value: unknown) => (key === 'parsed' ? undefined : value);
  const text = JSON.stringify({ output, status, usage }, unparsed);
  return JSON.parse(text.replace(/"(?:id|call_id)":"[^"]*"/g, '"id":""'));
}

const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather of a city.',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
} as const;

const POPULATION = {
  ...WEATHER,
  name: 'get_population',
  description: 'How many people live in a city.',
} as const;

for (const way of WAYS) {
  const model = `${way}/mock`;

  test(`${way}: a response gives text, usage, and the id of its row in the ledger`, async () => {
    const response = await client.responses.create({ model, input: 'Say hello.' });

    assertResponse(response);
    assert.match(response.output_text, /^You wrote: “Say hello\.”/);
    assert.equal(response.status, 'completed');
    const row = await rowOf(gateway, response._request_id ?? null);
    assert.equal(row.outcome, 'completed');
    assert.equal(row.provider, way);
    assert.equal(row.usage.source, 'provider');
    assert.equal(row.usage.input_tokens, response.usage?.input_tokens);
    assert.equal(row.usage.output_tokens, response.usage?.output_tokens);
  });

  test(`${way}: a stream ends with the response that a plain answer is`, async () => {
    const plain = await client.responses.create({ model, input: 'Say hello.' });
    const stream = await client.responses.create({ model, input: 'Say hello.', stream: true });
    const events = await collect(stream);

    assert.deepEqual(said(endOf(events)), said(plain));
    assert.deepEqual(
      events.map(({ type }) => type).filter((type) => !type.endsWith('.delta')),
      [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ],
    );
  });

  test(`${way}: the .stream() helper puts text together from its pieces`, async () => {
    const deltas: string[] = [];
    const stream = client.responses.stream({ model, input: 'Say hello.' });
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta));
    const final = await stream.finalResponse();

    assert.match(final.output_text, /^You wrote: “Say hello\.”/);
    assert.equal(deltas.join(''), final.output_text);
    assert.ok(deltas.length > 5);
  });

  test(`${way}: instructions, roles and parts of messages reach the model`, async () => {
    const response = await client.responses.create({
      model,
      instructions: 'Be brief.',
      input: [
        { role: 'developer', content: 'Speak English.' },
        { role: 'user', content: [{ type: 'input_text', text: 'Hello.' }] },
        { role: 'assistant', content: 'Good day.' },
        { role: 'user', content: [{ type: 'input_text', text: 'And goodbye.' }] },
      ],
      metadata: { ticket: '7' },
      max_output_tokens: 500,
      temperature: 0.5,
      top_p: 0.9,
    });

    assertResponse(response);
    assert.match(response.output_text, /^You wrote: “And goodbye\.”/);
    assert.deepEqual(response.metadata, { ticket: '7' });
    assert.equal(response.instructions, 'Be brief.');
    assert.equal(response.max_output_tokens, 500);
    assert.equal(response.temperature, 0.5);
  });

  test(`${way}: structured output is parsed with zod, plain and streamed`, async () => {
    const Event = z.object({ title: z.string(), day: z.enum(['monday', 'friday']) });
    const request = {
      model,
      input: 'Plan something.',
      text: { format: zodTextFormat(Event, 'event') },
    };
    const plain = await client.responses.parse(request);
    const streamed = await client.responses.stream(request).finalResponse();

    assert.ok(Event.safeParse(plain.output_parsed).success);
    assert.deepEqual(streamed.output_parsed, plain.output_parsed);
    assert.equal(plain.text?.format?.type, 'json_schema');
  });

  test(`${way}: two tools are called at once, and their results answered`, async () => {
    const input: ResponseInput = [
      { role: 'user', content: 'What are the weather and the population in Madrid?' },
    ];
    const tools = [WEATHER, POPULATION];
    const first = await client.responses.create({ model, input, tools, store: false });
    const calls = first.output.filter((item) => item.type === 'function_call');

    assertResponse(first);
    assert.deepEqual(calls.map(({ name }) => name).sort(), ['get_population', 'get_weather']);
    input.push(...calls);
    for (const call of calls) {
      assert.equal(typeof JSON.parse(call.arguments).city, 'string');
      input.push({
        type: 'function_call_output',
        call_id: call.call_id,
        output: call.name === 'get_weather' ? 'sunny' : '3400000',
      });
    }
    const last = await client.responses.create({ model, input, tools, store: false });
    assert.match(last.output_text, /get_weather answered: sunny/);
    assert.match(last.output_text, /get_population answered: 3400000/);
  });

  test(`${way}: arguments of tools come in pieces and whole, and end alike`, async () => {
    const request = {
      model,
      input: 'What are the weather and the population in Madrid?',
      tools: [WEATHER, POPULATION],
    };
    const events = await collect(await client.responses.create({ ...request, stream: true }));
    const pieces = new Map<string, string>();
    for (const event of events) {
      if (event.type !== 'response.function_call_arguments.delta') continue;
      pieces.set(event.item_id, (pieces.get(event.item_id) ?? '') + event.delta);
    }
    const calls = endOf(events).output as ResponseFunctionToolCall[];

    assert.equal(calls.length, 2);
    for (const call of calls) assert.equal(pieces.get(call.id ?? ''), call.arguments);
    const helper = client.responses.stream({
      ...request,
      tools: [
        zodResponsesFunction({ name: 'get_weather', parameters: z.object({ city: z.string() }) }),
      ],
    });
    const final = await helper.finalResponse();
    const [call] = final.output;
    assert.ok(call?.type === 'function_call');
    assert.equal(typeof call.parsed_arguments.city, 'string');
  });

  test(`${way}: a conversation goes on by the id of its last response`, async () => {
    const tools = [WEATHER];
    const asked = await client.responses.create({
      model,
      tools,
      input: 'What is the weather in Madrid?',
    });
    const [call] = asked.output;
    assert.ok(call?.type === 'function_call');
    const answered = await client.responses.create({
      model,
      tools,
      previous_response_id: asked.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
    });

    assertResponse(answered);
    assert.equal(answered.previous_response_id, asked.id);
    assert.match(answered.output_text, /get_weather answered: sunny/);
    assert.ok((answered.usage?.input_tokens ?? 0) > (asked.usage?.input_tokens ?? 0));
    const events = await collect(
      await client.responses.create({
        model,
        previous_response_id: answered.id,
        input: 'Thank you.',
        stream: true,
      }),
    );
    const third = endOf(events);
    assert.match(third.output_text ?? JSON.stringify(third.output), /You wrote: “Thank you\.”/);
    if (way === 'mock') return;
    const sent = JSON.parse(around.upstream.calls.at(-1)?.body.toString() ?? '');
    assert.deepEqual(
      sent.messages.map(({ role }: { role: string }) => role),
      ['user', 'assistant', 'tool', 'assistant', 'user'],
    );
    assert.equal(sent.messages[1].tool_calls[0].id, call.call_id);
    assert.equal(sent.messages[1].tool_calls[0].function.arguments, call.arguments);
    assert.equal(sent.messages[2].tool_call_id, call.call_id);
  });

  test(`${way}: a kept response is read back, listed and deleted`, async () => {
    const stream = client.responses.stream({
      model,
      input: [
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Good day.' },
        { role: 'user', content: [{ type: 'input_text', text: 'Say hello.' }] },
      ],
    });
    const response = await stream.finalResponse();
    const read = await client.responses.retrieve(response.id);
    const items = await client.responses.inputItems.list(response.id, { order: 'asc', limit: 2 });

    assert.deepEqual(said(read), said(response as ModelResponse));
    assertResponse(read);
    assert.deepEqual(
      items.data.map((item) => 'role' in item && item.role),
      ['user', 'assistant'],
    );
    assert.equal(items.has_more, true);
    const listed = await gateway.api('GET', `/v1/responses/${response.id}/input_items`);
    if (schemasAbsent === false) openaiSchemas().assertValid('ResponseItemList', listed.body);
    const all: string[] = [];
    for await (const item of client.responses.inputItems.list(response.id, { limit: 1 })) {
      all.push(item.id ?? '');
    }
    assert.equal(all.length, 3);
    await client.responses.delete(response.id);
    await assert.rejects(client.responses.retrieve(response.id), OpenAI.NotFoundError);
    await assert.rejects(client.responses.delete(response.id), OpenAI.NotFoundError);
  });

  test(`${way}: an image reaches the model, and documents beside it`, async () => {
    const response = await client.responses.create({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: PIXEL, detail: 'low' },
            {
              type: 'input_file',
              filename: 'a.pdf',
              file_data: 'data:application/pdf;base64,JVBERi0xLjQ=',
            },
          ],
        },
      ],
    });

    assertResponse(response);
    assert.match(response.output_text, /What is this\?/);
  });

  test(`${way}: reasoning is an item of its own, as text or as the summary asked for`, async () => {
    const thinking = `${way}/mock-reasoner`;
    const plain = await client.responses.create({ model: thinking, input: 'Think.' });
    const events = await collect(
      await client.responses.create({
        model: thinking,
        input: 'Think.',
        reasoning: { effort: 'low', summary: 'auto' },
        stream: true,
      }),
    );

    assertResponse(plain);
    const [item, message] = plain.output;
    assert.ok(item?.type === 'reasoning' && message?.type === 'message');
    assert.ok((item.content?.[0]?.text.length ?? 0) > 10);
    assert.ok((plain.usage?.output_tokens_details.reasoning_tokens ?? 0) > 5);
    const kinds = new Set(events.map(({ type }) => type));
    for (const kind of ['part.added', 'text.delta', 'text.done', 'part.done']) {
      assert.ok(kinds.has(`response.reasoning_summary_${kind}` as ResponseStreamEvent['type']));
    }
    const [summarised] = endOf(events).output;
    assert.ok(summarised?.type === 'reasoning');
    assert.equal(summarised.summary[0]?.text, item.content?.[0]?.text);
  });

  test(`${way}: what a limit or a filter cut is incomplete, and says why`, async () => {
    const short = await client.responses.create({
      model,
      input: 'Say hello.',
      max_output_tokens: 3,
    });
    const events = await collect(
      await client.responses.create({
        model: `${way}/mock:finish=content_filter`,
        input: 'Say hello.',
        stream: true,
      }),
    );

    assertResponse(short);
    assert.equal(short.status, 'incomplete');
    assert.equal(short.incomplete_details?.reason, 'max_output_tokens');
    assert.equal(events.at(-1)?.type, 'response.incomplete');
    assert.equal(endOf(events).incomplete_details?.reason, 'content_filter');
  });

  test(`${way}: a client that stops listening ends the call, and is booked as gone`, async () => {
    const abort = new AbortController();
    const { data, request_id } = await client.responses
      .create(
        { model: `${way}/mock:tokens=2000,tps=50`, input: 'Go on.', stream: true },
        { signal: abort.signal },
      )
      .withResponse();
    let seen = 0;
    for await (const _ of data) {
      seen += 1;
      if (seen === 6) abort.abort();
    }

    assert.ok(seen >= 6);
    const row = await until('the row is there', async () => {
      const { status, body } = await gateway.api('GET', `/api/v1/requests/${request_id}`);
      return status === 200 ? (body as { outcome: string; status: number }) : null;
    });
    assert.equal(row.outcome, 'aborted');
  });

  test(`${way}: a stream that breaks raises an error, numbered like any event`, async () => {
    const stream = await client.responses.create({
      model: `${way}/mock:cut=4`,
      input: 'Say hello.',
      stream: true,
    });

    await assert.rejects(collect(stream), (error) => {
      assert.ok(error instanceof OpenAI.APIError);
      assert.equal(error.code, 'upstream_truncated');
      return true;
    });
    const helper = client.responses.stream({ model: `${way}/mock:cut=4`, input: 'Say hello.' });
    await assert.rejects(helper.finalResponse(), OpenAI.APIError);
  });
}

test('input tokens are counted with what came before, and cost nothing', async () => {
  const model = 'sockets/mock';
  const input = 'Say hello.';
  const { data, response, request_id } = await client.responses.inputTokens
    .count({ model, input })
    .withResponse();
  const kept = await client.responses.create({ model, input: 'x'.repeat(4000) });
  const more = await client.responses.inputTokens.count({
    ...{ model, input, previous_response_id: kept.id },
  });

  assert.deepEqual(Object.keys(data).sort(), ['input_tokens', 'object']);
  assert.equal(data.object, 'response.input_tokens');
  assert.ok(data.input_tokens > 3 && data.input_tokens < 100);
  assert.ok(more.input_tokens > data.input_tokens + 1000);
  assert.equal(response.headers.get('x-esclusa-estimated'), 'input_tokens');
  const row = await gateway.api('GET', `/api/v1/requests/${request_id}`);
  assert.deepEqual(
    [row.body.outcome, row.body.cost_nanousd, row.body.cache],
    [...['completed', 0, 'BYPASS']],
  );
});

test('what the vendor alone keeps is not counted, nor a model that is nobody’s', async () => {
  const count = (body: object) =>
    client.responses.inputTokens.count({ model: 'mock', input: 'x', ...body });

  await assert.rejects(count({ conversation: 'conv_1' }), (error) => {
    assert.ok(error instanceof OpenAI.UnprocessableEntityError);
    assert.deepEqual([error.code, error.param], ['field_not_supported', 'conversation']);
    return true;
  });
  await assert.rejects(count({ model: 'nobody' }), OpenAI.NotFoundError);
  await assert.rejects(count({ previous_response_id: 'resp_none' }), OpenAI.NotFoundError);
  await assert.rejects(count({ input: [] }), OpenAI.BadRequestError);
});

test('what is not offered says so, and what to do instead', async () => {
  const calls = [
    client.responses.cancel('resp_1'),
    client.responses.compact({ model: 'gpt-5', input: 'x' }),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'endpoint_not_offered');
      assert.match(error.message, /here\. /);
      return true;
    });
  }
});

test('failures raise the classes of the package, with what was wrong and where', async () => {
  const ask = (body: object, key = ADMIN_KEY) =>
    new OpenAI({ baseURL: around.baseURL, apiKey: key, maxRetries: 0 }).responses.create({
      model: 'mock/mock',
      input: 'x',
      ...body,
    } as never);
  const cases = [
    [{ input: undefined }, OpenAI.BadRequestError, 'input', 'invalid_request'],
    [{ input: [{ role: 7 }] }, OpenAI.BadRequestError, 'input[0].role', 'invalid_request'],
    [{ metadata: { a: 1 } }, OpenAI.BadRequestError, 'metadata', 'invalid_request'],
    [{ model: 'nobody' }, OpenAI.NotFoundError, 'model', 'model_not_found'],
    [
      { previous_response_id: 'resp_none' },
      OpenAI.NotFoundError,
      'previous_response_id',
      'previous_response_not_found',
    ],
    [
      { tools: [{ type: 'web_search' }] },
      OpenAI.UnprocessableEntityError,
      'tools[0]',
      'field_not_supported',
    ],
    [{ background: true }, OpenAI.UnprocessableEntityError, 'background', 'field_not_supported'],
    [{ model: 'mock/mock:status=429' }, OpenAI.RateLimitError, null, 'rate_limit_exceeded'],
    [{ model: 'mock/mock:status=500' }, OpenAI.InternalServerError, null, null],
  ] as const;
  for (const [body, type, param, code] of cases) {
    await assert.rejects(ask(body), (error) => {
      assert.ok(error instanceof type, `${JSON.stringify(body)}: ${error}`);
      if (param !== null) assert.equal(error.param, param);
      if (code !== null) assert.equal(error.code, code);
      return true;
    });
  }
  await assert.rejects(ask({}, 'sk-nobody'), OpenAI.AuthenticationError);
});
