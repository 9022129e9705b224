/**
 * Goal: programs written with the official `openai` package reach models behind Azure and behind
 * Ollama's own API unchanged. Method: the package, the whole gateway, and scripted servers of
 * both over real sockets.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { zodFunction } from 'openai/helpers/zod';
import { z } from 'zod';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { AZURE_KEY } from '../support/scripted-azure/index.ts';
import type { ScriptedUpstream } from '../support/scripted-upstream/index.ts';
import {
  AZURE_OLLAMA_WAYS,
  type AzureOllama,
  startAzureOllama,
} from './azure-ollama-surroundings.ts';
import { collect } from './openai-sdk.ts';
import { rowOf } from './surroundings.ts';

let around: AzureOllama;
let azure: ScriptedUpstream;
let ollama: ScriptedUpstream;
let gateway: TestGateway;
let client: OpenAI;

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';

before(async () => {
  around = await startAzureOllama();
  ({ azure, ollama, gateway } = around);
  const baseURL = `${gateway.url}/v1`;
  client = new OpenAI({ baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

afterEach(() => around.forget());

function lastBody(upstream: ScriptedUpstream) {
  return JSON.parse(String(upstream.calls.at(-1)?.body));
}

for (const way of AZURE_OLLAMA_WAYS) {
  const model = `${way}/mock`;

  test(`${way}: a chat gives text, usage, and its row in the ledger`, async () => {
    const answer = await client.chat.completions.create({ model, messages: HELLO });

    assert.match(answer.choices[0]?.message.content ?? '', /^You wrote: “Say hello\.”/);
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.ok((answer.usage?.completion_tokens ?? 0) > 0);
    const row = await rowOf(gateway, answer._request_id ?? null);
    assert.deepEqual([row.outcome, row.provider, row.usage.source], ['completed', way, 'provider']);
    assert.equal(row.usage.output_tokens, answer.usage?.completion_tokens);
  });

  test(`${way}: a stream gives the text of the plain answer, and usage where asked`, async () => {
    const plain = await client.chat.completions.create({ model, messages: HELLO });
    const { data, request_id } = await client.chat.completions
      .create({ model, messages: HELLO, stream: true })
      .withResponse();
    const { text, finish } = await collect(data);
    const asked = await collect(
      await client.chat.completions.create({
        ...{ model, messages: HELLO, stream: true },
        stream_options: { include_usage: true },
      }),
    );

    assert.equal(text, plain.choices[0]?.message.content);
    assert.equal(finish, 'stop');
    assert.equal(asked.chunks.filter((chunk) => chunk.usage != null).length, 1);
    assert.deepEqual(asked.chunks.at(-1)?.usage?.completion_tokens, plain.usage?.completion_tokens);
    const row = await rowOf(gateway, request_id);
    assert.deepEqual([row.outcome, row.usage.source], ['completed', 'provider']);
  });

  test(`${way}: an image inside the request arrives`, async () => {
    const image = { type: 'image_url' as const, image_url: { url: PIXEL } };
    const content = [{ type: 'text' as const, text: 'What is this?' }, image];
    await client.chat.completions.create({ model, messages: [{ role: 'user', content }] });

    const sent = lastBody(around.upstreamOf(way)).messages[0];
    const expected = way === 'local' ? { images: [PIXEL.split(',')[1]] } : { content };
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(sent[name], value);
  });

  test(`${way}: embeddings come in base 64 as the package asks, and as floats`, async () => {
    const input = ['one', 'two'];
    const packed = await client.embeddings.create({ model, input });
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });

    assert.equal(packed.data.length, 2);
    for (const [index, { embedding }] of floats.data.entries()) {
      assert.ok(embedding.length > 0);
      assert.deepEqual(packed.data[index]?.embedding, embedding.map(Math.fround));
    }
    assert.ok((packed.usage?.prompt_tokens ?? 0) > 0);
  });

  test(`${way}: legacy completions work, plain and streamed`, async () => {
    const plain = await client.completions.create({ model, prompt: 'Once' });
    const pieces: string[] = [];
    for await (const piece of await client.completions.create({
      ...{ model, prompt: 'Once' },
      stream: true,
    })) {
      pieces.push(piece.choices[0]?.text ?? '');
    }

    assert.ok((plain.choices[0]?.text.length ?? 0) > 0);
    assert.equal(pieces.join(''), plain.choices[0]?.text);
  });

  test(`${way}: errors are the package’s own classes, with the hints to wait`, async () => {
    const failure = (name: string): Promise<InstanceType<typeof OpenAI.APIError>> =>
      client.chat.completions.create({ model: `${way}/${name}`, messages: HELLO }).then(
        () => assert.fail('it answered'),
        (error) => error,
      );

    const limited = await failure('mock:status=429,retry-after=7');
    assert.ok(limited instanceof OpenAI.RateLimitError);
    assert.equal(limited.headers?.get('retry-after'), '7');
    assert.ok((await failure('mock:status=400')) instanceof OpenAI.BadRequestError);
    assert.ok((await failure('mock:status=404')) instanceof OpenAI.NotFoundError);
    assert.equal((await failure('mock:status=401')).status, 502);
    assert.equal((await failure('mock:status=503')).status, 503);
    assert.equal((await failure('mock:status=500')).status, 502);
  });
}

test('Azure: a date addresses deployments, no version the newer surface', async () => {
  for (const way of ['azure-dated', 'azure-v1']) {
    await client.chat.completions.create({ model: `${way}/mock`, messages: HELLO });
    await client.embeddings.create({ model: `${way}/mock`, input: 'a' });
  }

  assert.deepEqual(
    azure.calls.map(({ path }) => path),
    [
      '/openai/deployments/mock/chat/completions?api-version=2024-10-21',
      '/openai/deployments/mock/embeddings?api-version=2024-10-21',
      '/openai/v1/chat/completions',
      '/openai/v1/embeddings',
    ],
  );
  const [call] = azure.calls;
  assert.equal(call?.headers['api-key'], AZURE_KEY);
  assert.equal(call?.headers.authorization, undefined);
});

test('Azure: the notes of the content filter arrive with the answer', async () => {
  const answer = await client.chat.completions.create({
    model: 'azure-dated/mock',
    messages: HELLO,
  });
  const { chunks } = await collect(
    await client.chat.completions.create({
      ...{ model: 'azure-dated/mock', messages: HELLO },
      stream: true,
    }),
  );

  assert.ok('prompt_filter_results' in answer);
  assert.ok('content_filter_results' in (answer.choices[0] ?? {}));
  assert.ok(chunks.some((chunk) => 'prompt_filter_results' in chunk));
});

test('Azure: a filtered prompt keeps its code and names the prompt', async () => {
  const messages = [{ role: 'user' as const, content: 'FORBIDDEN WORD' }];
  const error = await client.chat.completions
    .create({ model: 'azure-v1/mock', messages })
    .catch((thrown) => thrown);

  assert.ok(error instanceof OpenAI.BadRequestError);
  assert.deepEqual([error.code, error.param], ['content_filter', 'prompt']);
});

test('Azure: a key that Azure refuses is the gateway’s trouble, not the caller’s', async () => {
  const error = await client.chat.completions
    .create({ model: 'azure-locked/mock', messages: HELLO })
    .catch((thrown) => thrown);

  assert.ok(error instanceof OpenAI.APIError);
  assert.equal(error.status, 502);
  assert.ok(!error.message.includes('wrong-0123456789abcdef'));
});

test('Ollama: settings of the provider and of the request go out as options', async () => {
  await client.chat.completions.create({
    ...{ model: 'local/mock', messages: HELLO, temperature: 0.5, top_p: 0.9, seed: 7 },
    ...{ max_completion_tokens: 50, stop: 'END', reasoning_effort: 'high' },
  });

  const { options, keep_alive, think, stream } = lastBody(ollama);
  assert.deepEqual(options, {
    ...{ num_predict: 50, temperature: 0.5, top_p: 0.9, seed: 7, stop: ['END'], num_ctx: 8192 },
  });
  assert.deepEqual([keep_alive, think, stream], ['30m', 'high', false]);
});

test('Ollama: what it cannot say is reported in a header, or refused by name', async () => {
  const ask = { model: 'local/mock', messages: HELLO };
  const { response } = await client.chat.completions
    .create({ ...ask, user: 'u', metadata: { a: 'b' }, parallel_tool_calls: false })
    .withResponse();
  assert.equal(response.headers.get('x-esclusa-dropped'), 'metadata, parallel_tool_calls, user');

  const refusals = [
    [{ n: 2 }, 'n'],
    [{ tools: cityTools([]).map(toolOf), tool_choice: 'required' as const }, 'tool_choice'],
    [{ logit_bias: { 1: 5 } }, 'logit_bias'],
    [
      {
        messages: [
          {
            role: 'user' as const,
            content: [
              { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } },
            ],
          },
        ],
      },
      'messages[0].content[0].image_url.url',
    ],
  ] as const;
  for (const [change, field] of refusals) {
    const error = await client.chat.completions
      .create({ ...ask, ...change } as OpenAI.ChatCompletionCreateParamsNonStreaming)
      .catch((thrown) => thrown);
    assert.ok(error instanceof OpenAI.UnprocessableEntityError, field);
    assert.deepEqual([error.code, error.param], ['field_not_supported', field]);
  }
  assert.equal(ollama.calls.length, 1);
});

test('Ollama: any cutting of the bytes gives the same events', async () => {
  const events = async () => {
    const stream = await client.chat.completions.create({
      model: 'local/cut-anywhere',
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    return (await collect(stream)).chunks;
  };
  const line = (members: object) =>
    `${JSON.stringify({ model: 'm', created_at: '2026-11-20T10:00:00.5Z', ...members })}\n`;
  const body = Buffer.from(
    line({ message: { role: 'assistant', content: '', thinking: 'Ñandú…' }, done: false }) +
      line({ message: { role: 'assistant', content: 'Sí — 🛶' }, done: false }) +
      line({
        message: {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'f', arguments: { a: 1.5, b: 'ü' } } }],
        },
        done: false,
      }) +
      line({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' }),
  );
  const headers = { 'content-type': 'application/x-ndjson' };
  ollama.next({ body, headers });
  const whole = await events();
  assert.equal(whole.at(-1)?.choices[0]?.finish_reason, 'tool_calls');

  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: body.length }), { maxLength: 8 }), async (cutAt) => {
      ollama.next({ body, headers, cutAt });
      assert.deepEqual(await events(), whole);
    }),
    { numRuns: 25 },
  );
});

const City = z.object({ city: z.string() });

function cityTools(called: string[]) {
  const tool = (name: string, answer: string) =>
    zodFunction({
      name,
      description: `Tells the ${name.slice('get_'.length)} of a city.`,
      parameters: City,
      function: ({ city }) => {
        called.push(`${name} ${city}`);
        return answer;
      },
    });
  return [tool('get_weather', 'sunny'), tool('get_population', '3400000')];
}

function toolOf({ type, function: { name, parameters } }: ReturnType<typeof cityTools>[number]) {
  return { type, function: { name, parameters: parameters ?? {} } };
}
