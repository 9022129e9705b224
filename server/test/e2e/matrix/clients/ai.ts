/**
 * The `ai` package with its adapter for compatible providers.
 */
import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embedMany,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  type ToolSet,
  tool,
} from 'ai';
import {
  BOTH,
  City,
  type Client,
  type Driver,
  HELLO,
  MOST_ROUNDS,
  PIXEL_BASE64,
  PIXEL_URL,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';

export const aiCompatible: Driver = {
  name: 'ai + @ai-sdk/openai-compatible',
  connect: (url, apiKey) => aiClient(`${url}/v1`, apiKey),
};

function aiClient(baseURL: string, apiKey: string): Client {
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  const provider = createOpenAICompatible({
    ...{ name: 'esclusa', baseURL, apiKey },
    ...{ includeUsage: true, supportsStructuredOutputs: true },
    supportedUrls: () => ({ 'image/*': [/^https:/] }), // else the package fetches them itself
  });
  const asking = (model: string, prompt = HELLO) => ({
    ...{ model: provider(model), prompt, maxRetries: 0 },
  });
  return {
    ...answering(asking),
    ...reading(asking),
    async image(model, url) {
      const data = url === PIXEL_URL ? Buffer.from(PIXEL_BASE64, 'base64') : new URL(url);
      const text = { type: 'text' as const, text: 'What is in the picture?' };
      const content = [text, { type: 'file' as const, data, mediaType: 'image/png' }];
      const { text: said } = await generateText({
        ...{ model: provider(model), maxRetries: 0 },
        messages: [{ role: 'user', content }],
      });
      return said;
    },
    async embed(model, texts) {
      const ask = { model: provider.embeddingModel(model), values: [...texts], maxRetries: 0 };
      return (await embedMany(ask)).embeddings;
    },
    count: null,
    refused(thrown) {
      assert.ok(APICallError.isInstance(thrown), String(thrown));
      const { statusCode: status, message, isRetryable, responseBody = '{}' } = thrown;
      assert.equal(isRetryable, status === 429 || (status ?? 0) >= 500);
      const { error } = JSON.parse(responseBody) as { error?: { code?: string } };
      return { status, code: error?.code, message: message + responseBody };
    },
    broken: (thrown) => assert.ok(thrown instanceof StreamPartError, String(thrown)),
  };
}

type Asking = (
  model: string,
  prompt?: string,
) => { model: LanguageModel; prompt: string; maxRetries: number };

function answering(asking: Asking): Pick<Client, 'text' | 'stream' | 'tools' | 'demand' | 'shape'> {
  return {
    async text(model) {
      const { text, finishReason, usage } = await generateText(asking(model));
      return { text, isWhole: finishReason === 'stop', outputTokens: usage.outputTokens };
    },
    async stream(model) {
      const errors: unknown[] = [];
      const answer = streamText({
        ...asking(model),
        onError: ({ error }) => void errors.push(error),
      });
      let pieces = 0;
      for await (const _ of answer.textStream) pieces += 1;
      if (errors.length > 0) throw errors[0];
      const isWhole = (await answer.finishReason) === 'stop';
      const { outputTokens } = await answer.usage;
      return { text: await answer.text, isWhole, outputTokens, pieces };
    },
    async tools(model, stream) {
      const called: string[] = [];
      const stopWhen = isStepCount(MOST_ROUNDS);
      const ask = { ...asking(model, BOTH), tools: aiTools(called), stopWhen };
      const answer = stream ? streamText(ask) : await generateText(ask);
      return { text: await answer.text, called };
    },
    async demand(model) {
      const toolChoice = { type: 'tool' as const, toolName: 'get_population' };
      const { toolCalls } = await generateText({
        ...{ ...asking(model), tools: aiTools([]), toolChoice },
      });
      return toolCalls.map(({ toolName }) => toolName);
    },
    async shape(model, stream) {
      const ask = { ...asking(model), output: Output.object({ schema: Shape }) };
      return stream ? await streamText(ask).output : (await generateText(ask)).output;
    },
  };
}

function reading(asking: Asking): Pick<Client, 'abort' | 'readings'> {
  return {
    async abort(model) {
      const abort = new AbortController();
      const { fullStream } = streamText({ ...asking(model), abortSignal: abort.signal });
      const types: string[] = [];
      for await (const part of fullStream) {
        types.push(part.type);
        if (part.type === 'text-delta') abort.abort();
      }
      assert.equal(types.at(-1), 'abort');
    },
    readings: {
      async streamText(model, hear) {
        const errors: unknown[] = [];
        const { fullStream } = streamText({
          ...asking(model),
          onError: ({ error }) => void errors.push(error),
        });
        let finish = '';
        for await (const part of fullStream) {
          if (part.type === 'text-delta') hear(part.text);
          if (part.type === 'finish') finish = part.finishReason;
        }
        assert.equal(errors.length, finish === 'error' ? 1 : 0, finish);
        if (errors.length > 0) throw new StreamPartError(errors[0]);
      },
    },
  };
}

/** The package does not throw: it tells of an error as a part of the stream. */
class StreamPartError extends Error {
  constructor(cause: unknown) {
    super('an error part', { cause });
  }
}

function aiTools(called: string[]): ToolSet {
  return Object.fromEntries(
    TOOLS.map(({ name, description }) => [
      name,
      tool({
        ...{ description, inputSchema: City },
        execute: async (input) => runTool(called, name, input),
      }),
    ]),
  );
}
