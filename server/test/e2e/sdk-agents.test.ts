/**
 * Goal: programs written with OpenAI's `@openai/agents` run unchanged, on the Responses API,
 * which it speaks by default, and on chats. Method: the package itself, an agent with tools and
 * one that hands over to another, the whole gateway, and two ways to a model.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Agent,
  handoff,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  Runner,
  setTracingDisabled,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { ADMIN_KEY } from '../support/gateway.ts';
import { rowsOf, type Surroundings, startSurroundings } from './surroundings.ts';

const WAYS = ['mock', 'sockets'] as const;

let around: Surroundings;
let client: OpenAI;

before(async () => {
  setTracingDisabled(true);
  around = await startSurroundings();
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

function weather(called: string[]) {
  return tool({
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      called.push(city);
      return 'sunny';
    },
  });
}

const MODELS = {
  responses: (name: string) => new OpenAIResponsesModel(client, name),
  chat: (name: string) => new OpenAIChatCompletionsModel(client, name),
} as const;

for (const way of WAYS) {
  for (const [api, modelOf] of Object.entries(MODELS)) {
    test(`${way}, ${api}: an agent calls its tool and answers with the result`, async () => {
      const called: string[] = [];
      const agent = new Agent({
        name: 'Guide',
        instructions: 'Answer briefly.',
        tools: [weather(called)],
        model: modelOf(`${way}/mock`),
      });
      const result = await new Runner().run(agent, 'What is the weather in Madrid?');

      assert.deepEqual(called, ['Madrid']);
      assert.match(result.finalOutput ?? '', /get_weather answered: sunny/);
      assert.ok(result.state.usage.inputTokens > 0 && result.state.usage.requests === 2);
    });

    test(`${way}, ${api}: a streamed run tells of text and tools, and ends alike`, async () => {
      const called: string[] = [];
      const agent = new Agent({
        ...{ name: 'Guide', tools: [weather(called)], model: modelOf(`${way}/mock`) },
      });
      const result = await new Runner().run(agent, 'What is the weather in Madrid?', {
        stream: true,
      });
      const items: string[] = [];
      let text = '';
      for await (const event of result) {
        if (event.type === 'run_item_stream_event') items.push(event.name);
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') {
          text += event.data.delta;
        }
      }
      await result.completed;

      assert.deepEqual(items, ['tool_called', 'tool_output', 'message_output_created']);
      assert.equal(text, result.finalOutput);
      assert.match(text, /get_weather answered: sunny/);
    });
  }

  test(`${way}: an agent hands over to another, which answers`, async () => {
    const model = MODELS.responses(`${way}/mock`);
    const called: string[] = [];
    const expert = new Agent({
      ...{ name: 'Expert', model, tools: [weather(called)] },
      handoffDescription: 'Knows the weather.',
    });
    const front = new Agent({ name: 'Front', model, handoffs: [handoff(expert)] });
    const result = await new Runner().run(front, 'Transfer to the expert, please.');

    assert.equal(result.lastAgent?.name, 'Expert');
    const kinds = result.newItems.map(({ type }) => type);
    assert.ok(kinds.includes('handoff_call_item') && kinds.includes('handoff_output_item'));
    assert.equal(typeof result.finalOutput, 'string');
  });

  test(`${way}: runs go on from the last response alone`, async () => {
    const agent = new Agent({ name: 'Guide', model: MODELS.responses(`${way}/mock`) });
    const first = await new Runner().run(agent, 'Say hello.');
    const previousResponseId = first.lastResponseId ?? '';
    assert.match(previousResponseId, /^resp_/);
    const second = await new Runner().run(agent, 'And now?', { previousResponseId });

    assert.match(second.finalOutput ?? '', /“And now\?”/);
    const rows = await rowsOf(around.gateway, `${way}/mock`);
    assert.equal(rows[0]?.outcome, 'completed');
  });

  test(`${way}: structured output of an agent has its type`, async () => {
    const agent = new Agent({
      name: 'Planner',
      model: MODELS.responses(`${way}/mock`),
      outputType: z.object({ title: z.string(), day: z.enum(['monday', 'friday']) }),
    });
    const result = await new Runner().run(agent, 'Plan something.');

    assert.equal(typeof result.finalOutput?.title, 'string');
    assert.match(result.finalOutput?.day ?? '', /^(monday|friday)$/);
  });
}

test('what goes wrong reaches the program as the client package’s own error', async () => {
  const agent = new Agent({ name: 'Guide', model: MODELS.responses('nobody/nothing') });

  await assert.rejects(new Runner().run(agent, 'x'), OpenAI.NotFoundError);
});
