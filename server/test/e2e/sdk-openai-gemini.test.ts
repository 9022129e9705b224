/**
 * Goal: programs written with the official `openai` package reach Gemini's models unchanged.
 * Method: the package, the whole gateway, and a scripted server of Gemini's API over real
 * sockets, once with ids of calls and once as in older versions of the API, without.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import OpenAI, { APIError } from 'openai';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CACHED_TOKENS, THOUGHT_TOKENS } from '../support/scripted-gemini/index.ts';
import {
  type GenaiSurroundings,
  NATIVE_WAYS,
  startGenaiSurroundings,
} from './genai-surroundings.ts';
import { cityTools } from './openai-sdk.ts';
import { rowOf } from './surroundings.ts';

let around: GenaiSurroundings;
let client: OpenAI;

before(async () => {
  around = await startGenaiSurroundings();
  const baseURL = `${around.gateway.url}/v1`;
  client = new OpenAI({ baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

afterEach(() => around.forget());

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const BOTH = 'What are the weather and the population in Madrid?';
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';

function sent(way: 'google' | 'older') {
  return JSON.parse(String(around[way].calls.at(-1)?.body));
}

for (const way of NATIVE_WAYS) {
  const model = `${way}/mock`;

  test(`${way}: a chat gives text, usage in full, and its row in the ledger`, async () => {
    const answer = await client.chat.completions.create({ model, messages: HELLO });

    assert.match(answer.choices[0]?.message.content ?? '', /^You wrote: “Say hello\.”/);
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.object, 'chat.completion');
    assert.ok(Math.abs(answer.created * 1000 - Date.now()) < 60_000);
    assert.equal(answer.usage?.prompt_tokens_details?.cached_tokens, CACHED_TOKENS);
    const row = await rowOf(around.gateway, answer._request_id ?? null);
    assert.deepEqual([row.outcome, row.usage.source], ['completed', 'provider']);
    assert.equal(row.usage.output_tokens, answer.usage?.completion_tokens);
  });

  test(`${way}: a stream gives the plain answer’s text, usage once and an end marker`, async () => {
    const plain = await client.chat.completions.create({ model, messages: HELLO });
    const stream = client.chat.completions.stream({
      ...{ model, messages: HELLO },
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    stream.on('chunk', (chunk) => chunks.push(chunk));
    const final = await stream.finalChatCompletion();

    assert.equal(final.choices[0]?.message.content, plain.choices[0]?.message.content);
    assert.equal(final.choices[0]?.finish_reason, 'stop');
    assert.equal(chunks.filter(({ usage }) => usage != null).length, 1);
    assert.deepEqual(chunks.at(-1)?.choices, []);
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, plain.usage?.completion_tokens);
  });

  test(`${way}: a stream that did not ask for usage has only chunks with choices`, async () => {
    const stream = await client.chat.completions.create({ model, messages: HELLO, stream: true });
    let chunks = 0;
    for await (const chunk of stream) {
      chunks += 1;
      assert.equal(chunk.choices.length, 1);
    }

    assert.ok(chunks > 3);
  });

  test(`${way}: runTools calls two tools at once, plain and streamed, and answers`, async () => {
    for (const stream of [false, true]) {
      const called: string[] = [];
      const messages = [{ role: 'user' as const, content: BOTH }];
      const ask = { model, messages, tools: cityTools(called) };
      const runner = stream
        ? client.chat.completions.runTools({ ...ask, stream: true })
        : client.chat.completions.runTools(ask);
      const content = await runner.finalContent();

      assert.deepEqual(called.sort(), ['get_population Madrid', 'get_weather Madrid']);
      assert.match(content ?? '', /get_weather answered: sunny/);
      assert.match(content ?? '', /get_population answered: 3400000/);
      const [, asked] = runner.messages;
      const ids = asked?.role === 'assistant' ? asked.tool_calls?.map(({ id }) => id) : [];
      assert.equal(new Set(ids).size, 2);
    }
  });

  test(`${way}: results in another order than their calls still find them`, async () => {
    const tools = cityTools([]).map(({ type, function: { name, parameters } }) => ({
      type,
      function: { name, parameters },
    }));
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: BOTH }];
    const asked = await client.chat.completions.create({ model, messages, tools });
    const message = asked.choices[0]?.message as OpenAI.ChatCompletionMessage;
    const results = (message.tool_calls ?? []).map((call) => ({
      role: 'tool' as const,
      tool_call_id: call.id,
      content: call.type === 'function' && call.function.name === 'get_weather' ? 'hail' : '77',
    }));
    const answer = await client.chat.completions.create({
      ...{ model, tools },
      messages: [...messages, message, ...results.reverse()],
    });

    assert.equal(asked.choices[0]?.finish_reason, 'tool_calls');
    assert.match(answer.choices[0]?.message.content ?? '', /get_weather answered: hail/);
    assert.match(answer.choices[0]?.message.content ?? '', /get_population answered: 77/);
  });

  test(`${way}: a client that wants one call at a time gets the first alone`, async () => {
    const ask = {
      ...{ model, messages: [{ role: 'user' as const, content: BOTH }] },
      tools: cityTools([]).map(({ type, function: { name, parameters } }) => ({
        type,
        function: { name, parameters },
      })),
      parallel_tool_calls: false,
    };
    const plain = await client.chat.completions.create(ask);
    const streamed = await client.chat.completions.stream(ask).finalChatCompletion();

    assert.equal(plain.choices[0]?.message.tool_calls?.length, 1);
    assert.equal(streamed.choices[0]?.message.tool_calls?.length, 1);
  });

  test(`${way}: images and documents arrive as media of the request`, async () => {
    const answer = await client.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in it?' },
            { type: 'image_url', image_url: { url: PIXEL } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.webp' } },
            {
              type: 'file',
              file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
            },
          ],
        },
      ],
    });

    assert.match(answer.choices[0]?.message.content ?? '', /2 images|two images/);
    const [, image, link, file] = sent(way).contents[0].parts;
    assert.deepEqual(image.inlineData.mimeType, 'image/png');
    assert.deepEqual(link.fileData, {
      mimeType: 'image/webp',
      fileUri: 'https://example.com/a.webp',
    });
    assert.equal(file.inlineData.mimeType, 'application/pdf');
  });

  test(`${way}: embeddings as the package likes them and as floats agree`, async () => {
    const input = ['the sea', 'the mountain'];
    const usual = await client.embeddings.create({ model, input });
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
    const one = await client.embeddings.create({ model, input: 'the sea', dimensions: 4 });

    assert.equal(usual.data.length, 2);
    for (const [index, { embedding }] of floats.data.entries()) {
      assert.deepEqual(usual.data[index]?.embedding, embedding.map(Math.fround));
    }
    assert.equal(one.data[0]?.embedding.length, 4);
  });

  test(`${way}: a system message, sampling and limits have their places`, async () => {
    await client.chat.completions.create({
      model,
      messages: [{ role: 'system', content: 'Be brief.' }, ...HELLO],
      ...{ temperature: 0.3, top_p: 0.5, seed: 7, stop: 'END', max_completion_tokens: 900 },
      reasoning_effort: 'low',
    });

    const body = sent(way);
    assert.deepEqual(body.systemInstruction, { parts: [{ text: 'Be brief.' }] });
    assert.deepEqual(body.generationConfig, {
      ...{ maxOutputTokens: 900, temperature: 0.3, topP: 0.5, stopSequences: ['END'], seed: 7 },
      thinkingConfig: { thinkingBudget: 1024 },
    });
  });

  test(`${way}: what Gemini cannot say is refused, what it may miss is reported`, async () => {
    const refused = await client.chat.completions
      .create({ model, messages: HELLO, logit_bias: { 50256: -100 } })
      .catch((error: unknown) => error);
    const { response } = await client.chat.completions
      .create({ model, messages: [{ role: 'user', name: 'ana', content: 'Hi.' }], user: 'u-1' })
      .withResponse();

    assert.ok(refused instanceof APIError);
    assert.deepEqual([refused.status, refused.param], [422, 'logit_bias']);
    assert.equal(response.headers.get('x-esclusa-dropped'), 'user, messages[0].name');
  });
}

test('models that insist on signatures go on from calls of clients that keep none', async () => {
  const runner = client.chat.completions.runTools({
    ...{ model: 'google/mock-strict', messages: [{ role: 'user', content: BOTH }] },
    tools: cityTools([]),
  });

  assert.match((await runner.finalContent()) ?? '', /get_weather answered: sunny/);
});

test('thoughts come as reasoning, with their tokens as part of the output', async () => {
  const ask = {
    ...{ model: 'google/mock', messages: HELLO },
    esclusa: { thinking: { mode: 'adaptive', include_thoughts: true } },
  };
  const answer = await client.chat.completions.create(ask);

  const message = answer.choices[0]?.message as { readonly reasoning_content?: string };
  assert.match(message.reasoning_content ?? '', /^I should greet/);
  const { usage } = answer;
  assert.equal(usage?.completion_tokens_details?.reasoning_tokens, THOUGHT_TOKENS);
  assert.equal(usage?.total_tokens, (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
});
