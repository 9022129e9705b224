/**
 * LangChain's packages for OpenAI's dialect and for Anthropic's, which wrap the official ones.
 */
import assert from 'node:assert/strict';
import { ChatAnthropic } from '@langchain/anthropic';
import { ContextOverflowError } from '@langchain/core/errors';
import { type AIMessage, type AIMessageChunk, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import {
  BOTH,
  City,
  type Client,
  type Driver,
  HELLO,
  ignore,
  MOST_ROUNDS,
  type Refused,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';

export const langchainOpenai: Driver = {
  name: '@langchain/openai',
  connect(url, apiKey) {
    const common = { apiKey, maxRetries: 0, configuration: { baseURL: `${url}/v1` } };
    return {
      ...chainClient((model) => new ChatOpenAI({ ...common, model }), {
        whole: ['finish_reason', 'stop'],
        choose: (name) => ({ tool_choice: name }),
      }),
      embed: (model, texts) =>
        new OpenAIEmbeddings({ ...common, model }).embedDocuments([...texts]),
    };
  },
};

export const langchainAnthropic: Driver = {
  name: '@langchain/anthropic',
  connect: (anthropicApiUrl, apiKey) =>
    chainClient(
      (model) =>
        new ChatAnthropic({ anthropicApiUrl, apiKey, model, maxRetries: 0, maxTokens: 500 }),
      {
        whole: ['stop_reason', 'end_turn'],
        choose: (name) => ({ tool_choice: { type: 'tool', name } }),
        miscounts: 1, // it adds what a stream says at its beginning
      },
    ),
};

type Chat = ChatOpenAI | ChatAnthropic;

interface Manner {
  /** Where the answer says that it ended of itself. */
  readonly whole: readonly [string, string];
  readonly choose: (tool: string) => object;
  readonly miscounts?: number;
}

function chainClient(
  chatOf: (model: string) => Chat,
  { whole, choose, miscounts = 0 }: Manner,
): Client {
  const [field, word] = whole;
  const told = (answer: AIMessage | AIMessageChunk) => ({
    text: textOf(answer),
    isWhole: answer.response_metadata[field] === word || fieldOf(answer, field) === word,
    outputTokens: tokensOf(answer),
  });
  return {
    async text(model) {
      return told((await chatOf(model).invoke(HELLO)) as AIMessage);
    },
    async stream(model) {
      let pieces = 0;
      const chunks = await chatOf(model).stream(HELLO);
      const answer = await joined(chunks, (text) => {
        if (text !== '') pieces += 1;
      });
      return { ...told(answer), pieces };
    },
    miscounts,
    tools: (model, stream) => loop(chatOf(model), stream),
    async demand(model) {
      const bound = chatOf(model).bindTools(chainTools([]), choose('get_population'));
      const { tool_calls = [] } = (await bound.invoke(HELLO)) as AIMessage;
      return tool_calls.map(({ name }) => name);
    },
    async shape(model, stream) {
      const chat = chatOf(model) as ChatOpenAI;
      const config = { name: 'event', method: 'jsonSchema' as const };
      const structured = chat.withStructuredOutput(Shape, config);
      if (!stream) return structured.invoke(HELLO);
      let last: unknown;
      for await (const part of await structured.stream(HELLO)) last = part;
      return last;
    },
    async image(model, url) {
      const content = [
        { type: 'text', text: 'What is in the picture?' },
        { type: 'image_url', image_url: { url } },
      ];
      return textOf((await chatOf(model).invoke([new HumanMessage({ content })])) as AIMessage);
    },
    embed: null,
    count: null,
    async abort(model) {
      const abort = new AbortController();
      const chunks = await chatOf(model).stream(HELLO, { signal: abort.signal });
      const reading = joined(chunks, (text) => void (text === '' || abort.abort()));
      await assert.rejects(reading, /abort/i);
    },
    readings: {
      stream: async (model, hear) => joined(await chatOf(model).stream(HELLO), hear),
    },
    refused,
    broken: (thrown) => assert.ok(thrown instanceof Error, String(thrown)),
  };
}

async function loop(chat: Chat, stream: boolean) {
  const called: string[] = [];
  const tools = chainTools(called);
  const bound = (chat as ChatOpenAI).bindTools(tools);
  const messages: unknown[] = [new HumanMessage(BOTH)];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const asked = messages as HumanMessage[];
    const answer = stream ? await joined(await bound.stream(asked)) : await bound.invoke(asked);
    messages.push(answer);
    const { tool_calls: calls = [] } = answer;
    if (calls.length === 0) return { called, text: textOf(answer) };
    for (const call of calls) {
      const own = tools.find(({ name }) => name === call.name);
      messages.push(await own?.invoke({ ...call, type: 'tool_call' }));
    }
  }
  return assert.fail('the loop does not end');
}

function chainTools(called: string[]) {
  return TOOLS.map(({ name, description }) =>
    tool(async (input) => runTool(called, name, input), { name, description, schema: City }),
  );
}

async function joined(
  chunks: AsyncIterable<AIMessageChunk>,
  hear: (text: string) => void = ignore,
): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | null = null;
  for await (const chunk of chunks) {
    hear(textOf(chunk));
    whole = whole === null ? chunk : whole.concat(chunk);
  }
  return whole ?? assert.fail('no piece came');
}

function textOf({ content }: AIMessage | AIMessageChunk): string {
  if (typeof content === 'string') return content;
  return content.map((part) => ('text' in part ? String(part.text) : '')).join('');
}

/** The package's types do not show the field on every message. */
function tokensOf(message: object): number | undefined {
  const { usage_metadata: usage } = message as { usage_metadata?: { output_tokens?: number } };
  return usage?.output_tokens;
}

/** The package's streams for Anthropic say it beside the message. */
function fieldOf(answer: AIMessage | AIMessageChunk, name: string): unknown {
  return answer.additional_kwargs[name];
}

/** The package's own names for what a program may act on. */
const NAMES: Readonly<Record<number, string>> = {
  401: 'MODEL_AUTHENTICATION',
  404: 'MODEL_NOT_FOUND',
  429: 'MODEL_RATE_LIMIT',
};

interface ChainError extends Error {
  readonly status?: number;
  readonly code?: string;
  readonly lc_error_code?: string;
}

function refused(thrown: unknown, status: number): Refused {
  assert.ok(thrown instanceof Error, String(thrown));
  const { status: told, code, lc_error_code, message }: ChainError = thrown;
  // An exception of its own, which shows neither status nor code.
  if (ContextOverflowError.isInstance(thrown)) {
    return { status, code: 'context_length_exceeded', message };
  }
  assert.equal(lc_error_code, NAMES[status], message);
  return { status: told, code, message };
}
