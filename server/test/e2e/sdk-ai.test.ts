/**
 * Goal: programs written with the `ai` package and its adapter for compatible providers run
 * unchanged when the base URL and the key are the gateway's. Method: the packages themselves,
 * the whole gateway, the mock in the process and the scripted upstream over real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embed,
  embedMany,
  generateText,
  isStepCount,
  Output,
  RetryError,
  streamText,
  tool,
} from 'ai';
import { z } from 'zod';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { FAILURE_MODELS, GATEWAY_FAILURES, provoke } from './failures.ts';
import {
  breakable,
  PIXEL_PNG,
  rowOf,
  rowsOf,
  type Surroundings,
  startSurroundings,
  WAYS,
} from './surroundings.ts';
import { resultIdsOf, scriptToolSteps } from './tool-steps.ts';

const faults = breakable();
let around: Surroundings;
let gateway: TestGateway;
let provider: ReturnType<typeof providerFor>;

before(async () => {
  around = await startSurroundings({ models: FAILURE_MODELS }, { faults });
  gateway = around.gateway;
  provider = providerFor(ADMIN_KEY);
});

after(() => around.close());

function providerFor(apiKey: string, headers: Readonly<Record<string, string>> = {}) {
  return createOpenAICompatible({
    name: 'esclusa',
    baseURL: around.baseURL,
    apiKey,
    headers,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
}

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const HELLO = 'Say hello.';

function cityTools(called: string[]) {
  const inputSchema = z.object({ city: z.string() });
  return {
    get_weather: tool({
      description: 'weather of a city',
      inputSchema,
      execute: async ({ city }) => {
        called.push(`get_weather ${city}`);
        return 'sunny';
      },
    }),
    get_population: tool({
      description: 'population of a city',
      inputSchema,
      execute: async ({ city }) => {
        called.push(`get_population ${city}`);
        return '3400000';
      },
    }),
  };
}

const Event = z.object({
  title: z.string(),
  day: z.enum(['monday', 'friday']),
  guests: z.array(z.object({ name: z.string(), vegan: z.boolean() })),
});

for (const way of WAYS) {
  const name = `${way}/mock`;

  test(`${way}: generateText gives text, why it ended, and usage`, async () => {
    const { text, finishReason, usage, response } = await generateText({
      model: provider(name),
      prompt: HELLO,
    });

    assert.match(text, /^You wrote: “Say hello\.”/);
    assert.equal(finishReason, 'stop');
    const row = await rowOf(gateway, response.headers?.['x-request-id'] ?? null);
    assert.deepEqual(
      [usage.inputTokens, usage.outputTokens],
      [row.usage.input_tokens, row.usage.output_tokens],
    );
  });

  test(`${way}: streamText gives the text in pieces, and usage`, async () => {
    const { textStream, text, usage, finishReason } = streamText({
      model: provider(name),
      prompt: HELLO,
    });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);

    assert.ok(pieces.length > 10);
    assert.equal(pieces.join(''), await text);
    assert.equal(await finishReason, 'stop');
    assert.ok(((await usage).outputTokens ?? 0) > 0);
  });

  test(`${way}: streamText without usage asked for works as well`, async () => {
    const plain = createOpenAICompatible({
      ...{ name: 'esclusa', baseURL: around.baseURL, apiKey: ADMIN_KEY },
    });
    const { text, usage } = streamText({ model: plain(name), prompt: HELLO });

    assert.match(await text, /^You wrote/);
    assert.equal((await usage).outputTokens, undefined);
  });

  test(`${way}: generateText runs two tools at once, then answers with their results`, async () => {
    const called: string[] = [];
    const { text, steps } = await generateText({
      model: provider(name),
      prompt: 'What are the weather and the population in Madrid?',
      tools: cityTools(called),
      stopWhen: isStepCount(5),
    });

    assert.deepEqual(called.sort(), ['get_population Madrid', 'get_weather Madrid']);
    assert.deepEqual(
      steps.map((step) => step.finishReason),
      ['tool-calls', 'stop'],
    );
    assert.match(text, /get_weather answered: sunny/);
  });

  test(`${way}: streamText puts tool arguments together from their pieces`, async () => {
    const called: string[] = [];
    const { fullStream, text } = streamText({
      model: provider(name),
      prompt: 'What is the weather in Villanueva Serena?',
      tools: cityTools(called),
      stopWhen: isStepCount(5),
    });
    const deltas: string[] = [];
    for await (const part of fullStream) {
      if (part.type === 'tool-input-delta') deltas.push(part.delta);
    }

    assert.deepEqual(called, ['get_weather Villanueva Serena']);
    assert.ok(deltas.length > 1, deltas.join('|'));
    assert.deepEqual(JSON.parse(deltas.join('')), { city: 'Villanueva Serena' });
    assert.match(await text, /get_weather answered: sunny/);
  });

  test(`${way}: objects fit their schema, generated and streamed`, async () => {
    const model = provider(name);
    const ask = { model, output: Output.object({ schema: Event }), prompt: HELLO };
    const { output } = await generateText(ask);
    const streamed = streamText(ask);
    const partial: unknown[] = [];
    for await (const part of streamed.partialOutputStream) partial.push(part);

    assert.ok(Event.safeParse(output).success, JSON.stringify(output));
    assert.deepEqual(await streamed.output, output);
    assert.ok(partial.length > 1);
  });

  test(`${way}: embed and embedMany give vectors of equal length`, async () => {
    const model = provider.embeddingModel(name);
    const one = await embed({ model, value: 'the sea' });
    const many = await embedMany({ model, values: ['the sea', 'the mountain'] });

    assert.ok(one.embedding.length > 0);
    assert.deepEqual(many.embeddings[0], one.embedding);
    assert.equal(many.embeddings[1]?.length, one.embedding.length);
    assert.ok(one.usage.tokens > 0);
  });

  test(`${way}: an image beside the text reaches the model`, async () => {
    const { text } = await generateText({
      model: provider(name),
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in the picture?' },
            { type: 'file', data: PIXEL_PNG, mediaType: 'image/png' },
          ],
        },
      ],
    });

    assert.match(text, /one image/);
  });

  test(`${way}: reasoning is kept apart from the text`, async () => {
    const { text, reasoningText } = await generateText({
      model: provider(`${way}/mock-reasoner`),
      prompt: HELLO,
    });

    assert.match(reasoningText ?? '', /The user expects/);
    assert.match(text, /^You wrote/);
  });

  test(`${way}: legacy completions stream`, async () => {
    const { text } = streamText({ model: provider.completionModel(name), prompt: HELLO });

    assert.match(await text, /hello/);
  });

  test(`${way}: an aborted stream ends as aborted, here and in the ledger`, async () => {
    const slow = `${way}/mock-ai-left:tps=20`;
    const abort = new AbortController();
    const { fullStream } = streamText({
      ...{ model: provider(slow), prompt: HELLO },
      abortSignal: abort.signal,
    });
    const types: string[] = [];
    for await (const part of fullStream) {
      types.push(part.type);
      if (part.type === 'text-delta') abort.abort();
    }

    assert.equal(types.at(-1), 'abort');
    const row = await until('a row', async () => (await rowsOf(gateway, slow))[0]);
    assert.equal(row.outcome, 'aborted');
  });
}

test('generateText goes on step by step, each with the results of the ones before', async () => {
  const called: string[] = [];
  around.upstream.forget();
  scriptToolSteps(around.upstream);
  const { text, steps } = await generateText({
    ...{ model: provider('priced'), prompt: HELLO },
    tools: cityTools(called),
    stopWhen: isStepCount(5),
  });

  assert.equal(text, 'Sunny, and few people.');
  assert.equal(steps.length, 3);
  assert.deepEqual(called, ['get_weather Madrid', 'get_population Soria']);
  assert.deepEqual(
    around.upstream.calls.map(({ body }) => resultIdsOf(body)),
    [[], ['call_first'], ['call_first', 'call_second']],
  );
});

async function failureOf(call: PromiseLike<unknown>): Promise<APICallError> {
  const thrown = await Promise.resolve(call).then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  );
  assert.ok(APICallError.isInstance(thrown), String(thrown));
  return thrown;
}

/** The code in the body of the answer, as the package keeps it. */
function codeOf(error: APICallError): unknown {
  const body = JSON.parse(error.responseBody ?? '{}') as { error?: { code?: unknown } };
  return body.error?.code;
}

/** The package's own rule. */
function isRepeated(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

for (const failure of GATEWAY_FAILURES) {
  const { name, status, code } = failure;

  test(`${name} is APICallError ${status} ${code}`, async () => {
    const sent = await provoke(failure, gateway, () => faults.breakNext());
    const { n, content } = sent;
    sent.prepare();
    const thrown = await failureOf(
      generateText({
        model: providerFor(sent.key, sent.headers)(sent.model),
        temperature: 0,
        prompt: content,
        maxRetries: 0,
        ...(n === null ? {} : { providerOptions: { esclusa: { n } } }),
      }),
    );

    assert.deepEqual([thrown.statusCode, codeOf(thrown)], [status, code]);
    assert.equal(thrown.isRetryable, isRepeated(status));
    assert.doesNotMatch(thrown.message, /secret\.ts|esk_/);
  });
}

for (const way of WAYS) {
  test(`${way}: a passing failure is repeated after the pause the upstream asked for`, async () => {
    const model = `${way}/mock-ai-again-${way}:status=503,retry-after-ms=20,fail=2`;
    const { text } = await generateText({ model: provider(model), prompt: HELLO });

    assert.match(text, /^You wrote/);
    assert.equal((await rowsOf(gateway, model)).length, 3);
  });

  test(`${way}: a request the upstream refuses is asked once`, async () => {
    const model = `${way}/mock-ai-once:status=400`;
    await failureOf(generateText({ model: provider(model), prompt: HELLO, maxRetries: 5 }));

    assert.equal((await rowsOf(gateway, model)).length, 1);
  });

  test(`${way}: a failure that stays is a RetryError with each answer in it`, async () => {
    const model = `${way}/mock-ai-down:status=503,retry-after-ms=20`;
    const call = generateText({ model: provider(model), prompt: HELLO, maxRetries: 1 });
    const thrown = await call.then(
      () => assert.fail('nothing was thrown'),
      (error: unknown) => error,
    );

    assert.ok(RetryError.isInstance(thrown));
    assert.equal(thrown.errors.length, 2);
    assert.equal((await rowsOf(gateway, model)).length, 2);
  });
}
