/**
 * Goal: programs written with the official `openai` package run unchanged when its base URL and
 * key are the gateway's. Method: the package itself, the whole gateway, and each of the ways to
 * a model: the mock in the process, and the scripted upstream over real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { z } from 'zod';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { cityTools, collect } from './openai-sdk.ts';
import {
  PIXEL_URL,
  rowOf,
  rowsOf,
  type Surroundings,
  startSurroundings,
  WAYS,
} from './surroundings.ts';
import { resultIdsOf, scriptToolSteps } from './tool-steps.ts';

let around: Surroundings;
let gateway: TestGateway;
let client: OpenAI;

before(async () => {
  around = await startSurroundings();
  gateway = around.gateway;
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY });
});

after(() => around.close());

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];

for (const way of WAYS) {
  const model = `${way}/mock`;

  test(`${way}: a chat gives text, usage, and the id of its row in the ledger`, async () => {
    const answer = await client.chat.completions.create({ model, messages: HELLO });

    const [choice] = answer.choices;
    assert.match(choice?.message.content ?? '', /^You wrote: “Say hello\.”/);
    assert.equal(choice?.finish_reason, 'stop');
    const row = await rowOf(gateway, answer._request_id ?? null);
    assert.equal(row.outcome, 'completed');
    assert.equal(row.provider, way);
    assert.equal(row.usage.source, 'provider');
    assert.equal(row.usage.input_tokens, answer.usage?.prompt_tokens);
    assert.equal(row.usage.output_tokens, answer.usage?.completion_tokens);
  });

  test(`${way}: a stream gives the plain answer’s text, in chunks with choices only`, async () => {
    const plain = await client.chat.completions.create({ model, messages: HELLO });
    const { data, request_id } = await client.chat.completions
      .create({ model, messages: HELLO, stream: true })
      .withResponse();
    const { chunks, text, finish } = await collect(data);

    assert.equal(text, plain.choices[0]?.message.content);
    assert.equal(finish, 'stop');
    assert.deepEqual(
      chunks.filter((chunk) => chunk.choices.length === 0),
      [],
    );
    const row = await rowOf(gateway, request_id);
    assert.equal(row.usage.source, 'provider');
    assert.equal(row.usage.output_tokens, plain.usage?.completion_tokens);
  });

  test(`${way}: a stream that asks for usage gets it once, in the last chunk`, async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const { chunks } = await collect(stream);

    const last = chunks.at(-1);
    assert.deepEqual(last?.choices, []);
    assert.ok((last?.usage?.completion_tokens ?? 0) > 0);
    assert.equal(chunks.filter((chunk) => chunk.choices.length === 0).length, 1);
    assert.equal(chunks.filter((chunk) => chunk.usage != null).length, 1);
  });

  test(`${way}: the .stream() helper puts the answer together`, async () => {
    const deltas: string[] = [];
    const stream = client.chat.completions.stream({
      model,
      messages: HELLO,
      stream_options: { include_usage: true },
    });
    stream.on('content', (delta) => deltas.push(delta));
    const final = await stream.finalChatCompletion();

    assert.match(final.choices[0]?.message.content ?? '', /^You wrote: “Say hello\.”/);
    assert.equal(deltas.join(''), final.choices[0]?.message.content);
    assert.equal(final.choices[0]?.finish_reason, 'stop');
    assert.ok((await stream.totalUsage()).completion_tokens > 0);
  });

  test(`${way}: several choices arrive apart, plain and streamed`, async () => {
    const plain = await client.chat.completions.create({ model, messages: HELLO, n: 3 });
    const streamed = await client.chat.completions
      .stream({ model, messages: HELLO, n: 3 })
      .finalChatCompletion();

    assert.equal(plain.choices.length, 3);
    const texts = (answer: OpenAI.ChatCompletion) => answer.choices.map((c) => c.message.content);
    assert.deepEqual(texts(streamed), texts(plain));
    assert.equal(new Set(texts(plain)).size, 3);
  });

  test(`${way}: runTools calls two tools at once and answers with their results`, async () => {
    const called: string[] = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: [{ role: 'user', content: 'What are the weather and the population in Madrid?' }],
      tools: cityTools(called),
    });
    const content = await runner.finalContent();

    assert.deepEqual(called.sort(), ['get_population Madrid', 'get_weather Madrid']);
    assert.match(content ?? '', /get_weather answered: sunny/);
    assert.match(content ?? '', /get_population answered: 3400000/);
    const roles = runner.messages.map((message) => message.role);
    assert.deepEqual(roles, ['user', 'assistant', 'tool', 'tool', 'assistant']);
  });

  test(`${way}: runTools works as well on streams, whose arguments come in pieces`, async () => {
    const called: string[] = [];
    const chunks: ChatCompletionChunk[] = [];
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [{ role: 'user', content: 'What is the weather in Villanueva Serena?' }],
      tools: cityTools(called),
    });
    runner.on('chunk', (chunk) => chunks.push(chunk));
    const content = await runner.finalContent();

    assert.deepEqual(called, ['get_weather Villanueva Serena']);
    assert.match(content ?? '', /get_weather answered: sunny/);
    const pieces = chunks.flatMap((chunk) =>
      (chunk.choices[0]?.delta.tool_calls ?? []).map((call) => call.function?.arguments ?? ''),
    );
    assert.ok(pieces.filter((piece) => piece !== '').length > 1, pieces.join('|'));
    assert.deepEqual(JSON.parse(pieces.join('')), { city: 'Villanueva Serena' });
  });

  test(`${way}: parallel_tool_calls and tool_choice are heard`, async () => {
    const tools = cityTools([]).map(({ type, function: { name, description, parameters } }) => ({
      type,
      function: { name, description, parameters },
    }));
    const ask = { model, messages: [{ role: 'user' as const, content: 'weather, population' }] };
    const one = await client.chat.completions.create({
      ...ask,
      tools,
      parallel_tool_calls: false,
    });
    const named = await client.chat.completions.create({
      ...{ model, messages: HELLO, tools },
      tool_choice: { type: 'function', function: { name: 'get_population' } },
    });
    const none = await client.chat.completions.create({ ...ask, tools, tool_choice: 'none' });

    assert.equal(one.choices[0]?.message.tool_calls?.length, 1);
    assert.equal(one.choices[0]?.finish_reason, 'tool_calls');
    const [call] = named.choices[0]?.message.tool_calls ?? [];
    assert.ok(call?.type === 'function' && call.function.name === 'get_population');
    assert.equal(none.choices[0]?.message.tool_calls, undefined);
  });

  test(`${way}: parse with a zod schema gives a checked object, plain and streamed`, async () => {
    const Event = z.object({
      title: z.string(),
      day: z.enum(['monday', 'friday']),
      seats: z.int().min(1).max(20),
      guests: z.array(z.object({ name: z.string(), vegan: z.boolean() })),
    });
    const ask = { model, messages: HELLO, response_format: zodResponseFormat(Event, 'event') };
    const plain = await client.chat.completions.parse(ask);
    const streamed = await client.chat.completions.stream(ask).finalChatCompletion();

    const parsed = plain.choices[0]?.message.parsed;
    assert.ok(Event.safeParse(parsed).success, JSON.stringify(parsed));
    assert.deepEqual(streamed.choices[0]?.message.parsed, parsed);
  });

  test(`${way}: tools described with zod get arguments that fit`, async () => {
    const City = z.object({ city: z.string(), unit: z.enum(['c', 'f']) });
    const answer = await client.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: 'weather in Madrid' }],
      tools: [zodFunction({ name: 'get_weather', parameters: City })],
    });

    const call = answer.choices[0]?.message.tool_calls?.[0];
    assert.ok(call?.type === 'function');
    assert.ok(City.safeParse(call.function.parsed_arguments).success);
  });

  test(`${way}: JSON mode gives JSON`, async () => {
    const answer = await client.chat.completions.create({
      ...{ model, messages: HELLO },
      response_format: { type: 'json_object' },
    });

    assert.equal(typeof JSON.parse(answer.choices[0]?.message.content ?? ''), 'object');
  });

  test(`${way}: embeddings as usual, as floats and as base64 agree`, async () => {
    const input = ['the sea', 'the mountain'];
    const usual = await client.embeddings.create({ model, input });
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
    const base64 = await client.embeddings.create({ model, input, encoding_format: 'base64' });

    assert.equal(usual.data.length, 2);
    assert.ok((usual.data[0]?.embedding.length ?? 0) > 0);
    assert.notDeepEqual(usual.data[0]?.embedding, usual.data[1]?.embedding);
    for (const [index, { embedding }] of floats.data.entries()) {
      assert.deepEqual(usual.data[index]?.embedding, embedding.map(Math.fround));
    }
    assert.equal(typeof base64.data[0]?.embedding, 'string');
    const row = await rowOf(gateway, floats._request_id ?? null);
    assert.equal(row.usage.input_tokens, floats.usage.prompt_tokens);
  });

  test(`${way}: an image beside the text reaches the model`, async () => {
    const answer = await client.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in the picture?' },
            { type: 'image_url', image_url: { url: PIXEL_URL } },
          ],
        },
      ],
    });

    assert.match(answer.choices[0]?.message.content ?? '', /one image/);
  });

  test(`${way}: legacy completions answer each prompt, plain and streamed`, async () => {
    const plain = await client.completions.create({ model, prompt: ['one', 'two'] });
    const stream = await client.completions.create({ model, prompt: ['one', 'two'], stream: true });
    const texts = ['', ''];
    for await (const chunk of stream) {
      for (const choice of chunk.choices) texts[choice.index] += choice.text;
    }

    assert.deepEqual(
      plain.choices.map((choice) => choice.text),
      texts,
    );
    assert.match(texts[0] ?? '', /“one”/);
    assert.match(texts[1] ?? '', /“two”/);
  });

  test(`${way}: leaving a stream half-way is booked as aborted`, async () => {
    const slow = `${way}/mock-openai-left:tps=20`;
    const { data, request_id } = await client.chat.completions
      .create({ model: slow, messages: HELLO, stream: true })
      .withResponse();
    for await (const chunk of data) {
      if (chunk.choices[0]?.delta.content) break;
    }

    const row = await until('a row', async () => (await rowsOf(gateway, slow))[0]);
    assert.equal(row.id, request_id);
    assert.equal(row.outcome, 'aborted');
  });

  test(`${way}: an aborted call throws the package's own error, before any answer`, async () => {
    const slow = `${way}/mock-openai-abort:ttft=30s`;
    const abort = new AbortController();
    const call = client.chat.completions.create(
      { model: slow, messages: HELLO, stream: true },
      { signal: abort.signal },
    );
    const [inFlight] = await Promise.all([
      until('a running exchange', async () => (await inFlightNow()) > 0),
    ]);
    abort.abort();

    assert.ok(inFlight);
    await assert.rejects(call, OpenAI.APIUserAbortError);
    await until('no running exchange', async () => (await inFlightNow()) === 0);
    assert.equal((await rowsOf(gateway, slow))[0]?.outcome, 'aborted');
  });
}

test('runTools goes on step by step, each with the results of the ones before', async () => {
  const called: string[] = [];
  around.upstream.forget();
  scriptToolSteps(around.upstream);
  const runner = client.chat.completions.runTools({
    ...{ model: 'priced', messages: HELLO },
    tools: cityTools(called),
  });

  assert.equal(await runner.finalContent(), 'Sunny, and few people.');
  assert.deepEqual(called, ['get_weather Madrid', 'get_population Soria']);
  assert.deepEqual(
    around.upstream.calls.map(({ body }) => resultIdsOf(body)),
    [[], ['call_first'], ['call_first', 'call_second']],
  );
});

test('a request reaches the upstream byte for byte, but for the name of the model', async () => {
  around.upstream.forget();
  const written = (model: string): string =>
    `{ "messages":[{"role":"user","content":"\\u00a1Hola\\/!"}],\n "model" : "${model}",` +
    ' "unknown":{"b":[1.0,1e2]}, "seed":12345678901234567890,"top_p":1.0 }';
  const response = await gateway.chat(written('priced'));

  assert.equal(response.status, 200);
  assert.equal(around.upstream.calls[0]?.body.toString('utf8'), written('mock'));
});

test('fields that only the upstream knows reach the client', async () => {
  const choices = [
    { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' },
  ];
  const body = JSON.stringify({ id: 'x', choices, vendor: { cost: 12 }, citations: ['a'] });
  around.upstream.next({ headers: { 'content-type': 'application/json' }, body });
  const answer = await client.chat.completions.create({ model: 'priced', messages: HELLO });

  const { vendor, citations } = answer as unknown as { vendor: unknown; citations: unknown };
  assert.deepEqual([vendor, citations], [{ cost: 12 }, ['a']]);
});

test('a hundred calls at once get each its own answer', async () => {
  const asked = Array.from({ length: 100 }, (_, number) => `Question ${number}.`);
  const answers = await Promise.all(
    asked.map((content, number) => {
      const ask = { model: 'sockets/mock', messages: [{ role: 'user' as const, content }] };
      if (number % 2 === 0) return client.chat.completions.create(ask);
      return client.chat.completions.stream(ask).finalChatCompletion();
    }),
  );

  for (const [number, answer] of answers.entries()) {
    assert.match(answer.choices[0]?.message.content ?? '', RegExp(`“${asked[number]}”`));
  }
});

test('models are listed and found by name, in OpenAI’s shape', async () => {
  const names: string[] = [];
  for await (const model of client.models.list()) names.push(model.id);
  const one = await client.models.retrieve('priced');

  assert.deepEqual(names.includes('mock') && names.includes('priced'), true);
  assert.deepEqual([one.id, one.object, one.owned_by], ['priced', 'model', 'esclusa']);
  await assert.rejects(client.models.retrieve('nobody'), OpenAI.NotFoundError);
});

test('a key that may use one model is shown that model alone', async () => {
  const { secret } = await gateway.key({ models: ['mock'] });
  const limited = new OpenAI({ baseURL: around.baseURL, apiKey: secret });
  const names: string[] = [];
  for await (const model of limited.models.list()) names.push(model.id);

  assert.deepEqual(names, ['mock']);
});

async function inFlightNow(): Promise<number> {
  const { body } = await gateway.api('GET', '/metrics');
  return Number(/^esclusa_requests_in_flight (\d+)/m.exec(body)?.[1]);
}
