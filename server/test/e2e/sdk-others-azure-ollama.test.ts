/**
 * Goal: the other official clients reach models behind Azure and behind Ollama's own API as well:
 * `ai`, `@anthropic-ai/sdk` and `@google/genai`, each in its own dialect. Method: the packages,
 * the whole gateway, and scripted servers of both over real sockets.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI, Type } from '@google/genai';
import { APICallError, embed, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { z } from 'zod';
import { ADMIN_KEY } from '../support/gateway.ts';
import {
  AZURE_OLLAMA_WAYS,
  type AzureOllama,
  startAzureOllama,
} from './azure-ollama-surroundings.ts';

let around: AzureOllama;
let ai: ReturnType<typeof createOpenAICompatible>;
let anthropic: Anthropic;
let google: GoogleGenAI;

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

before(async () => {
  around = await startAzureOllama();
  const { url } = around.gateway;
  ai = createOpenAICompatible({
    ...{ name: 'esclusa', baseURL: `${url}/v1`, apiKey: ADMIN_KEY },
    ...{ includeUsage: true, supportsStructuredOutputs: true },
  });
  anthropic = new Anthropic({ baseURL: url, apiKey: ADMIN_KEY, maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: ADMIN_KEY, httpOptions: { baseUrl: url } });
});

after(() => around.close());

afterEach(() => around.forget());

const HELLO = 'Say hello.';
const BOTH = 'What are the weather and the population in Madrid?';
const SAID = /^You wrote: “Say hello\.”/;

for (const way of AZURE_OLLAMA_WAYS) {
  const model = `${way}/mock`;

  test(`${way}: ai gives text, streams it, calls tools in steps, and fills schemas`, async () => {
    const plain = await generateText({ model: ai(model), prompt: HELLO });
    const stream = streamText({ model: ai(model), prompt: HELLO });
    const called: string[] = [];
    const steps = await generateText({
      model: ai(model),
      prompt: BOTH,
      tools: aiTools(called),
      stopWhen: isStepCount(3),
    });
    const schema = z.object({ seats: z.int().min(1).max(9) });
    const filled = await generateText({
      model: ai(model),
      prompt: HELLO,
      output: Output.object({ schema }),
    });
    const { embedding } = await embed({ model: ai.embeddingModel(model), value: 'a' });

    assert.match(plain.text, SAID);
    assert.equal(await stream.text, plain.text);
    assert.equal((await stream.usage).outputTokens, plain.usage.outputTokens);
    assert.deepEqual(called.sort(), ['get_population Madrid', 'get_weather Madrid']);
    assert.match(steps.text, /get_weather answered: "?sunny/);
    assert.ok(schema.safeParse(filled.output).success);
    assert.ok(embedding.length > 0);
  });

  test(`${way}: ai gets its own error for a refusal and for a broken stream`, async () => {
    const refused = generateText({
      ...{ model: ai(`${model}:status=429,retry-after=7`), prompt: HELLO, maxRetries: 0 },
    });
    await assert.rejects(refused, (error: unknown) => {
      assert.ok(APICallError.isInstance(error));
      assert.deepEqual([error.statusCode, error.responseHeaders?.['retry-after']], [429, '7']);
      return true;
    });
    for (const script of ['cut=3', 'reset=3', 'error=3']) {
      const errors: unknown[] = [];
      const stream = streamText({
        ...{ model: ai(`${model}:${script}`), prompt: HELLO, maxRetries: 0 },
        onError: ({ error }) => errors.push(error),
      });
      for await (const _ of stream.textStream);
      assert.equal(errors.length, 1, script);
    }
  });

  test(`${way}: Anthropic’s client gives messages, streams, and loops over tools`, async () => {
    const ask = { model, max_tokens: 500, messages: [{ role: 'user' as const, content: HELLO }] };
    const plain = await anthropic.messages.create(ask);
    const streamed = await anthropic.messages.stream(ask).finalMessage();

    const [block] = plain.content;
    assert.match(block?.type === 'text' ? block.text : '', SAID);
    assert.deepEqual(streamed.content, plain.content);
    assert.deepEqual([plain.stop_reason, streamed.stop_reason], ['end_turn', 'end_turn']);
    assert.equal(streamed.usage.output_tokens, plain.usage.output_tokens);
    const answer = await anthropicTools(model);
    assert.match(answer, /get_weather answered: sunny/);
    assert.match(answer, /get_population answered: 3400000/);
  });

  test(`${way}: Anthropic’s client raises its own errors, on broken streams too`, async () => {
    const ask = { max_tokens: 500, messages: [{ role: 'user' as const, content: HELLO }] };
    const failing = (script: string) =>
      anthropic.messages.create({ ...ask, model: `${model}:${script}` });

    await assert.rejects(failing('status=429'), Anthropic.RateLimitError);
    await assert.rejects(failing('status=400'), Anthropic.BadRequestError);
    await assert.rejects(failing('status=404'), Anthropic.NotFoundError);
    for (const script of ['cut=3', 'reset=3', 'stall=3', 'garble=3', 'error=3']) {
      const stream = anthropic.messages.stream({ ...ask, model: `${model}:${script}` });
      await assert.rejects(stream.finalMessage(), Anthropic.APIError, script);
    }
  });

  test(`${way}: Google’s client gives contents, streams them, and calls functions`, async () => {
    const plain = await google.models.generateContent({ model, contents: HELLO });
    let text = '';
    for await (const piece of await google.models.generateContentStream({
      ...{ model, contents: HELLO },
    })) {
      text += piece.text ?? '';
    }
    const { functionCalls } = await google.models.generateContent({
      model,
      contents: BOTH,
      config: { tools: [{ functionDeclarations: googleTools() }] },
    });

    assert.match(plain.text ?? '', SAID);
    assert.equal(text, plain.text);
    assert.ok((plain.usageMetadata?.candidatesTokenCount ?? 0) > 0);
    assert.deepEqual(
      functionCalls?.map(({ name, args }) => [name, args]),
      [
        ['get_weather', { city: 'Madrid' }],
        ['get_population', { city: 'Madrid' }],
      ],
    );
  });

  test(`${way}: Google’s client raises its own errors, on broken streams too`, async () => {
    const failing = google.models.generateContent({
      ...{ model: `${model}:status=429`, contents: HELLO },
    });
    await assert.rejects(failing, (error) => error instanceof ApiError && error.status === 429);
    for (const script of ['cut=3', 'reset=3', 'error=3']) {
      const pieces = await google.models.generateContentStream({
        ...{ model: `${model}:${script}`, contents: HELLO },
      });
      await assert.rejects(async () => {
        for await (const _ of pieces);
      }, script);
    }
  });
}

test('Ollama: what only a client’s own dialect can say is refused in its words', async () => {
  const source = { type: 'base64' as const, media_type: 'application/pdf' as const, data: 'JVBE' };
  const refused = anthropic.messages.create({
    model: 'local/mock',
    max_tokens: 9,
    messages: [{ role: 'user', content: [{ type: 'document', source }] }],
  });

  await assert.rejects(refused, Anthropic.UnprocessableEntityError);
  assert.equal(around.ollama.calls.length, 0);
});

const City = z.object({ city: z.string() });
const ANSWERS: Readonly<Record<string, string>> = {
  get_weather: 'sunny',
  get_population: '3400000',
};

function aiTools(called: string[]) {
  const cityTool = (name: string) =>
    tool({
      description: `${name} of a city`,
      inputSchema: City,
      execute: async ({ city }) => {
        called.push(`${name} ${city}`);
        return ANSWERS[name] ?? '';
      },
    });
  return { get_weather: cityTool('get_weather'), get_population: cityTool('get_population') };
}

/** Two calls at once, both results in one message, and the answer made of them. */
async function anthropicTools(model: string): Promise<string> {
  const tools = Object.keys(ANSWERS).map((name) => ({
    name,
    description: `${name} of a city`,
    input_schema: {
      type: 'object' as const,
      properties: { city: { type: 'string' } },
      required: ['city'],
    },
  }));
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: BOTH }];
  const first = await anthropic.messages.create({ model, max_tokens: 500, messages, tools });
  assert.equal(first.stop_reason, 'tool_use');
  const results = first.content.flatMap((block) =>
    block.type === 'tool_use'
      ? [
          {
            type: 'tool_result' as const,
            tool_use_id: block.id,
            content: ANSWERS[block.name] ?? '',
          },
        ]
      : [],
  );
  assert.equal(new Set(results.map(({ tool_use_id: id }) => id)).size, 2);
  messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: results });
  const last = await anthropic.messages.create({ model, max_tokens: 500, messages, tools });
  return last.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function googleTools() {
  return Object.keys(ANSWERS).map((name) => ({
    name,
    description: `${name} of a city`,
    parameters: {
      type: Type.OBJECT,
      properties: { city: { type: Type.STRING } },
      required: ['city'],
    },
  }));
}
