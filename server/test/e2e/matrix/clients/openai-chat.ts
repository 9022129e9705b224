/**
 * The official `openai` package on chats.
 */
import assert from 'node:assert/strict';
import OpenAI, { APIError } from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import {
  BOTH,
  CITY_SCHEMA,
  City,
  type Client,
  type Driver,
  HELLO,
  type Refused,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';

export const openaiChat: Driver = {
  name: 'openai, chat',
  connect: (url, apiKey) => chatClient(openaiClient(url, apiKey)),
};

export function openaiClient(url: string, apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

const messages = [{ role: 'user' as const, content: HELLO }];

function chatClient(client: OpenAI): Client {
  const { completions } = client.chat;
  const create = (model: string) => completions.create({ model, messages, stream: true });
  return {
    async text(model) {
      return told(await completions.create({ model, messages }));
    },
    async stream(model) {
      let pieces = 0;
      const stream = completions.stream({
        ...{ model, messages, stream_options: { include_usage: true } },
      });
      stream.on('content', () => {
        pieces += 1;
      });
      return { ...told(await stream.finalChatCompletion()), pieces };
    },
    tools: (model, stream) => runTools(client, model, stream),
    async demand(model) {
      const answer = await completions.create({
        ...{ model, messages },
        tools: TOOLS.map(({ name, description }) => ({
          type: 'function',
          function: { name, description, parameters: CITY_SCHEMA },
        })),
        tool_choice: { type: 'function', function: { name: 'get_population' } },
      });
      const calls = answer.choices[0]?.message.tool_calls ?? [];
      return calls.map((call) => (call.type === 'function' ? call.function.name : call.type));
    },
    async shape(model, stream) {
      const ask = { model, messages, response_format: zodResponseFormat(Shape, 'event') };
      const answer = stream
        ? await completions.stream(ask).finalChatCompletion()
        : await completions.parse(ask);
      return answer.choices[0]?.message.parsed;
    },
    async image(model, url) {
      const text = { type: 'text' as const, text: 'What is in the picture?' };
      const content = [text, { type: 'image_url' as const, image_url: { url } }];
      const answer = await completions.create({ model, messages: [{ role: 'user', content }] });
      return answer.choices[0]?.message.content ?? '';
    },
    async embed(model, texts) {
      const { data } = await client.embeddings.create({ model, input: [...texts] });
      return data.map(({ embedding }) => embedding);
    },
    count: null,
    async abort(model) {
      const stream = await create(model);
      for await (const chunk of stream) {
        assert.ok(!chunk.choices[0]?.finish_reason, 'it went on to its end');
        if (chunk.choices[0]?.delta.content) stream.controller.abort();
      }
    },
    readings: {
      async loop(model, hear) {
        for await (const chunk of await create(model)) hear(chunk.choices[0]?.delta.content ?? '');
      },
      async '.stream()'(model, hear) {
        const stream = completions.stream({ model, messages });
        await stream.on('content', (text) => hear(text)).finalChatCompletion();
      },
    },
    refused: openaiRefused,
    broken: openaiBroken,
  };
}

function told({ choices, usage }: OpenAI.ChatCompletion) {
  const [choice] = choices;
  return {
    text: choice?.message.content ?? '',
    isWhole: choice?.finish_reason === 'stop',
    outputTokens: usage?.completion_tokens,
  };
}

async function runTools({ chat }: OpenAI, model: string, stream: boolean) {
  const called: string[] = [];
  const ask = {
    ...{ model, messages: [{ role: 'user' as const, content: BOTH }] },
    tools: TOOLS.map(({ name, description }) =>
      zodFunction({
        ...{ name, description, parameters: City },
        function: (input) => runTool(called, name, input),
      }),
    ),
  };
  const runner = stream
    ? chat.completions.runTools({ ...ask, stream: true })
    : chat.completions.runTools(ask);
  return { text: (await runner.finalContent()) ?? '', called };
}

const CLASSES: Readonly<Record<number, new (...args: never[]) => APIError>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
};

/** Of statuses that have no class of their own the package makes plain errors. */
export function openaiRefused(thrown: unknown, status: number): Refused {
  assert.ok(thrown instanceof APIError, String(thrown));
  const expected = CLASSES[status] ?? (status >= 500 ? OpenAI.InternalServerError : APIError);
  assert.equal(thrown.constructor, expected, thrown.message);
  const { code, message } = thrown;
  return { status: thrown.status, code: code ?? undefined, message };
}

/** The helper's own complaint stands for an error behind which nothing was left to read. */
export function openaiBroken(thrown: unknown): void {
  assert.ok(thrown instanceof OpenAI.OpenAIError, String(thrown));
}
