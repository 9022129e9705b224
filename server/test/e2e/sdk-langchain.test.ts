/**
 * Goal: programs written with `@langchain/openai` run unchanged when the base URL and the key
 * are the gateway's. Method: the package itself, the whole gateway, the mock in the process and
 * the scripted upstream over real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ContextOverflowError } from '@langchain/core/errors';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAI as OpenAICompletions, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { FAILURE_MODELS, GATEWAY_FAILURES, provoke } from './failures.ts';
import {
  breakable,
  PIXEL_URL,
  rowsOf,
  type Surroundings,
  startSurroundings,
  WAYS,
} from './surroundings.ts';

const faults = breakable();
let around: Surroundings;
let gateway: TestGateway;

before(async () => {
  around = await startSurroundings({ models: FAILURE_MODELS }, { faults });
  gateway = around.gateway;
});

after(() => around.close());

interface Chat {
  readonly model: string;
  readonly apiKey?: string;
  readonly maxRetries?: number;
  readonly temperature?: number;
  readonly n?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function chat({ model, apiKey = ADMIN_KEY, maxRetries = 0, headers = {}, ...rest }: Chat) {
  const configuration = { baseURL: around.baseURL, defaultHeaders: headers };
  return new ChatOpenAI({ model, apiKey, maxRetries, configuration, ...rest });
}

const HELLO = 'Say hello.';

/** As the gateway told them; the package's types do not show the field on every message. */
function outputTokens(message: object): number {
  const { usage_metadata: usage } = message as { usage_metadata?: { output_tokens?: number } };
  return usage?.output_tokens ?? 0;
}

function cityTools() {
  const schema = z.object({ city: z.string() });
  return [
    tool(async () => 'sunny', { name: 'get_weather', description: 'weather of a city', schema }),
    tool(async () => '3400000', { name: 'get_population', description: 'people', schema }),
  ];
}

const Event = z.object({
  title: z.string(),
  day: z.enum(['monday', 'friday']),
  guests: z.array(z.object({ name: z.string(), vegan: z.boolean() })),
});

for (const way of WAYS) {
  const model = `${way}/mock`;

  test(`${way}: invoke gives text, why it ended, and usage`, async () => {
    const answer = await chat({ model }).invoke(HELLO);

    assert.match(String(answer.content), /^You wrote: “Say hello\.”/);
    assert.equal(answer.response_metadata.finish_reason, 'stop');
    assert.ok(outputTokens(answer) > 0);
  });

  test(`${way}: stream gives the text in pieces, and usage in the last one`, async () => {
    const plain = await chat({ model }).invoke(HELLO);
    const pieces: string[] = [];
    let tokens = 0;
    for await (const chunk of await chat({ model }).stream(HELLO)) {
      pieces.push(String(chunk.content));
      tokens += outputTokens(chunk);
    }

    assert.equal(pieces.join(''), plain.content);
    assert.ok(pieces.length > 10);
    assert.equal(tokens, outputTokens(plain));
  });

  test(`${way}: bindTools calls two tools at once, then answers with their results`, async () => {
    const tools = cityTools();
    const bound = chat({ model }).bindTools(tools);
    const question = new HumanMessage('What are the weather and the population in Madrid?');
    const asked = await bound.invoke([question]);
    const results: ToolMessage[] = [];
    for (const call of asked.tool_calls ?? []) {
      const called = tools.find((candidate) => candidate.name === call.name);
      assert.deepEqual(call.args, { city: 'Madrid' });
      assert.ok(called !== undefined);
      results.push(await called.invoke({ ...call, type: 'tool_call' }));
    }
    const answer = await bound.invoke([question, asked, ...results]);

    assert.equal(results.length, 2);
    assert.ok(results.every((result) => result instanceof ToolMessage));
    assert.match(String(answer.content), /get_weather answered: sunny/);
    assert.match(String(answer.content), /get_population answered: 3400000/);
  });

  test(`${way}: streamed tool arguments come together`, async () => {
    const stream = await chat({ model }).bindTools(cityTools()).stream('weather in Madrid');
    let whole: Awaited<ReturnType<typeof stream.next>>['value'];
    for await (const chunk of stream) whole = whole === undefined ? chunk : whole.concat(chunk);

    assert.ok((whole?.tool_call_chunks?.length ?? 0) > 0);
    assert.deepEqual(
      whole?.tool_calls?.map((call: { name: string; args: unknown }) => [call.name, call.args]),
      [['get_weather', { city: 'Madrid' }]],
    );
  });

  for (const method of ['jsonSchema', 'functionCalling'] as const) {
    test(`${way}: withStructuredOutput by ${method} gives a checked object`, async () => {
      const structured = chat({ model }).withStructuredOutput(Event, { name: 'event', method });
      const event = await structured.invoke(HELLO);

      assert.ok(Event.safeParse(event).success, JSON.stringify(event));
    });
  }

  test(`${way}: embeddings come back as numbers, one vector for each text`, async () => {
    const embeddings = new OpenAIEmbeddings({
      model,
      apiKey: ADMIN_KEY,
      configuration: { baseURL: around.baseURL },
    });
    const vectors = await embeddings.embedDocuments(['the sea', 'the mountain']);
    const query = await embeddings.embedQuery('the sea');

    assert.equal(vectors.length, 2);
    assert.ok(query.length > 0 && query.every((value) => typeof value === 'number'));
    assert.deepEqual(vectors[0], query);
    assert.notDeepEqual(vectors[1], query);
  });

  test(`${way}: an image beside the text reaches the model`, async () => {
    const content = [
      { type: 'text', text: 'What is in the picture?' },
      { type: 'image_url', image_url: { url: PIXEL_URL } },
    ];
    const answer = await chat({ model }).invoke([new HumanMessage({ content })]);

    assert.match(String(answer.content), /one image/);
  });

  test(`${way}: legacy completions answer`, async () => {
    const completions = new OpenAICompletions({
      ...{ model, apiKey: ADMIN_KEY, maxRetries: 0 },
      configuration: { baseURL: around.baseURL },
    });

    assert.match(await completions.invoke('one'), /“one”/);
  });

  test(`${way}: an aborted stream is booked as aborted`, async () => {
    const slow = `${way}/mock-langchain-left:tps=20`;
    const abort = new AbortController();
    const stream = await chat({ model: slow }).stream(HELLO, { signal: abort.signal });
    const reading = async (): Promise<void> => {
      for await (const chunk of stream) if (chunk.content !== '') abort.abort();
    };

    await assert.rejects(reading(), /abort/i);
    const row = await until('a row', async () => (await rowsOf(gateway, slow))[0]);
    assert.equal(row.outcome, 'aborted');
  });
}

interface LangchainError extends Error {
  readonly status?: number;
  readonly code?: string;
  readonly lc_error_code?: string;
}

async function failureOf(call: Promise<unknown>): Promise<LangchainError> {
  const thrown = await call.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Error, String(thrown));
  return thrown;
}

/** The package's own names for what a program may act on. */
const LANGCHAIN_CODES: Readonly<Record<number, string>> = {
  401: 'MODEL_AUTHENTICATION',
  404: 'MODEL_NOT_FOUND',
  429: 'MODEL_RATE_LIMIT',
};

for (const failure of GATEWAY_FAILURES) {
  const { name, status, code } = failure;

  test(`${name} is an error ${status} ${code}`, async () => {
    const sent = await provoke(failure, gateway, () => faults.breakNext());
    const { key, model, headers, n, content } = sent;
    sent.prepare();
    const ask = { model, apiKey: key, headers, temperature: 0, ...(n === null ? {} : { n }) };
    const thrown = await failureOf(chat(ask).invoke(content));

    assert.deepEqual([thrown.status, thrown.code], [status, code]);
    assert.equal(thrown.lc_error_code, LANGCHAIN_CODES[status]);
    assert.doesNotMatch(thrown.message, /secret\.ts|esk_/);
  });
}

for (const way of WAYS) {
  test(`${way}: a prompt too long for the upstream is ContextOverflowError`, async () => {
    const model = `${way}/mock-lc:status=400,code=context_length_exceeded`;
    const thrown = await failureOf(chat({ model }).invoke(HELLO));

    assert.ok(ContextOverflowError.isInstance(thrown), String(thrown));
  });

  test(`${way}: a request the upstream refuses is asked once`, async () => {
    const model = `${way}/mock-lc-once:status=400`;
    await failureOf(chat({ model, maxRetries: 5 }).invoke(HELLO));

    assert.equal((await rowsOf(gateway, model)).length, 1);
  });
}

test('a passing failure is repeated by the package', async () => {
  const model = 'sockets/mock-lc-again:status=503,retry-after-ms=20,fail=1';
  const answer = await chat({ model, maxRetries: 1 }).invoke(HELLO);

  assert.match(String(answer.content), /^You wrote/);
  assert.equal((await rowsOf(gateway, model)).length, 2);
});
