/**
 * OpenAI's `@openai/agents`, on the Responses API, which it speaks by default, and on chats.
 */
import assert from 'node:assert/strict';
import {
  Agent,
  type AgentInputItem,
  type Model,
  type ModelSettings,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  Runner,
  setTracingDisabled,
  tool,
} from '@openai/agents';
import type OpenAI from 'openai';
import {
  BOTH,
  City,
  type Client,
  type Driver,
  HELLO,
  ignore,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';
import { openaiBroken, openaiClient, openaiRefused } from './openai-chat.ts';

export const agentsResponses: Driver = {
  name: '@openai/agents, responses',
  connect: (url, key) => agentClient(url, key, (by, name) => new OpenAIResponsesModel(by, name)),
};

export const agentsChat: Driver = {
  name: '@openai/agents, chat',
  connect: (url, key) =>
    agentClient(url, key, (by, name) => new OpenAIChatCompletionsModel(by, name)),
};

function agentClient(
  url: string,
  key: string,
  modelOf: (client: OpenAI, name: string) => Model,
): Client {
  setTracingDisabled(true);
  const client = openaiClient(url, key);
  const named = (name: string) => ({ name: 'Guide', model: modelOf(client, name) });
  const run = (name: string, input: string | AgentInputItem[]) =>
    new Runner().run(new Agent(named(name)), input);
  return {
    async text(model) {
      const { finalOutput = '', state } = await run(model, HELLO);
      const { outputTokens } = state.usage;
      return { text: finalOutput, isWhole: finalOutput !== '', outputTokens };
    },
    async stream(model) {
      let pieces = 0;
      const result = await heard(new Agent(named(model)), HELLO, () => {
        pieces += 1;
      });
      const { finalOutput = '', state } = result;
      const { outputTokens } = state.usage;
      return { text: finalOutput, isWhole: finalOutput !== '', outputTokens, pieces };
    },
    async tools(model, stream) {
      const called: string[] = [];
      const agent = new Agent({ ...named(model), tools: agentTools(called) });
      const result = stream ? await heard(agent, BOTH) : await new Runner().run(agent, BOTH);
      return { called, text: result.finalOutput ?? '' };
    },
    async demand(model) {
      const called: string[] = [];
      const modelSettings: ModelSettings = { toolChoice: 'get_population' };
      const agent = new Agent({
        ...{ ...named(model), modelSettings, tools: agentTools(called) },
        toolUseBehavior: 'stop_on_first_tool',
      });
      await new Runner().run(agent, HELLO);
      return called.map((call) => call.split(' ')[0] ?? '');
    },
    async shape(model, stream) {
      const agent = new Agent({ ...named(model), outputType: Shape });
      const result = stream
        ? await new Runner().run(agent, HELLO, { stream })
        : await new Runner().run(agent, HELLO);
      if ('completed' in result) await result.completed;
      return result.finalOutput;
    },
    async image(model, image) {
      const text = { type: 'input_text' as const, text: 'What is in the picture?' };
      const content = [text, { type: 'input_image' as const, image }];
      return (await run(model, [{ role: 'user', content }])).finalOutput ?? '';
    },
    embed: null,
    count: null,
    abort: (model) => aborted(new Agent(named(model))),
    readings: {
      run: (model, hear) => heard(new Agent(named(model)), HELLO, hear),
    },
    refused: openaiRefused,
    broken: openaiBroken,
  };
}

async function aborted(agent: Agent): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  const result = await new Runner().run(agent, HELLO, { stream: true, signal });
  for await (const event of result) {
    if (event.type !== 'raw_model_stream_event') continue;
    assert.notEqual(event.data.type, 'response_done', 'it went on to its end');
    if (event.data.type === 'output_text_delta') abort.abort();
  }
}

async function heard(agent: Agent, input: string, hear: (text: string) => void = ignore) {
  const result = await new Runner().run(agent, input, { stream: true });
  for await (const event of result) {
    if (event.type !== 'raw_model_stream_event') continue;
    if (event.data.type === 'output_text_delta') hear(event.data.delta);
  }
  await result.completed;
  return result;
}

function agentTools(called: string[]) {
  return TOOLS.map(({ name, description }) =>
    tool({
      ...{ name, description, parameters: City },
      execute: async (input) => runTool(called, name, input),
    }),
  );
}
