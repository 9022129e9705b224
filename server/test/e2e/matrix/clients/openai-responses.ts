/**
 * The official `openai` package on the Responses API: going on from kept responses, and sending
 * everything anew with nothing kept, which is what passes through to vendors that have the API.
 */
import assert from 'node:assert/strict';
import type OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import type {
  Response as ModelResponse,
  ResponseCreateParamsNonStreaming,
  ResponseInput,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { openaiSchemas, schemasAbsent } from '../../../support/openai-schema.ts';
import {
  BOTH,
  CITY_SCHEMA,
  type Client,
  type Driver,
  HELLO,
  ignore,
  MOST_ROUNDS,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';
import { openaiBroken, openaiClient, openaiRefused } from './openai-chat.ts';

export const openaiResponses: Driver = {
  name: 'openai, responses',
  connect: (url, key) => responsesClient(openaiClient(url, key), true),
};

export const openaiResponsesUnkept: Driver = {
  name: 'openai, responses with store: false',
  connect: (url, key) => responsesClient(openaiClient(url, key), false),
};

const tools = TOOLS.map(({ name, description }) => ({
  ...{ type: 'function' as const, name, description, strict: false, parameters: CITY_SCHEMA },
}));

type Request = ResponseCreateParamsNonStreaming;

function responsesClient(client: OpenAI, store: boolean): Client {
  const { responses } = client;
  const kept = store ? {} : { store };
  const create = async (request: Request, stream: boolean): Promise<ModelResponse> => {
    if (!stream) return checked(await responses.create({ ...request, ...kept }));
    const events = await responses.create({ ...request, ...kept, stream: true });
    return endOf(await collect(events));
  };
  return {
    async text(model) {
      return told(await create({ model, input: HELLO }, false));
    },
    async stream(model) {
      let pieces = 0;
      const stream = responses.stream({ model, input: HELLO, ...kept });
      stream.on('response.output_text.delta', () => {
        pieces += 1;
      });
      return { ...told((await stream.finalResponse()) as ModelResponse), pieces };
    },
    tools: (model, stream) => loop((request) => create(request, stream), model, store),
    async demand(model) {
      const choice = { type: 'function' as const, name: 'get_population' };
      const { output } = await create({ model, input: HELLO, tools, tool_choice: choice }, false);
      return callsIn(output).map(({ name }) => name);
    },
    async shape(model, stream) {
      const text = { format: zodTextFormat(Shape, 'event') };
      const ask = { model, input: HELLO, text, ...kept };
      const answer = stream
        ? await responses.stream(ask).finalResponse()
        : await responses.parse(ask);
      return answer.output_parsed;
    },
    async image(model, url) {
      const content = [
        { type: 'input_text' as const, text: 'What is in the picture?' },
        { type: 'input_image' as const, image_url: url, detail: 'auto' as const },
      ];
      return textOf(await create({ model, input: [{ role: 'user', content }] }, false));
    },
    embed: null,
    async count(model) {
      return (await responses.inputTokens.count({ model, input: HELLO, tools })).input_tokens;
    },
    async abort(model) {
      const stream = await responses.create({ model, input: HELLO, stream: true, ...kept });
      for await (const event of stream) {
        assert.notEqual(event.type, 'response.completed', 'it went on to its end');
        if (event.type === 'response.output_text.delta') stream.controller.abort();
      }
    },
    readings: {
      async loop(model, hear) {
        const stream = await responses.create({ model, input: HELLO, stream: true, ...kept });
        await collect(stream, hear);
      },
      async '.stream()'(model, hear) {
        const stream = responses.stream({ model, input: HELLO, ...kept });
        stream.on('response.output_text.delta', ({ delta }) => hear(delta));
        await stream.finalResponse();
      },
    },
    refused: openaiRefused,
    broken: openaiBroken,
  };
}

/** With ids of responses where they are kept, else with every item of before. */
async function loop(
  create: (request: Request) => Promise<ModelResponse>,
  model: string,
  store: boolean,
) {
  const called: string[] = [];
  const input: ResponseInput = [{ role: 'user', content: BOTH }];
  let answer = await create({ model, tools, input });
  for (let round = 0; callsIn(answer.output).length > 0; round += 1) {
    assert.ok(round < MOST_ROUNDS, 'the loop does not end');
    const results = callsIn(answer.output).map((call) => ({
      type: 'function_call_output' as const,
      call_id: call.call_id,
      output: runTool(called, call.name, JSON.parse(call.arguments)),
    }));
    input.push(...(answer.output as ResponseInput), ...results);
    answer = await create(
      store
        ? { model, tools, input: results, previous_response_id: answer.id }
        : { model, tools, input },
    );
  }
  return { called, text: textOf(answer) };
}

function callsIn(output: ModelResponse['output']) {
  return output.filter((item) => item.type === 'function_call');
}

function textOf({ output }: ModelResponse): string {
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
}

function told(response: ModelResponse) {
  return {
    text: textOf(response),
    isWhole: response.status === 'completed',
    outputTokens: response.usage?.output_tokens,
  };
}

/** Every response is held against OpenAI's document, and so is every event. */
function checked(response: ModelResponse): ModelResponse {
  const { output_text: _, ...wire } = response;
  if (schemasAbsent === false) openaiSchemas().assertValid('Response', wire);
  return response;
}

async function collect(
  stream: AsyncIterable<ResponseStreamEvent>,
  hear: (text: string) => void = ignore,
): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    if (schemasAbsent === false) openaiSchemas().assertEvent(event);
    assert.equal(event.sequence_number, events.length, 'numbers rise by one');
    if (event.type === 'response.output_text.delta') hear(event.delta);
    events.push(event);
  }
  return events;
}

function endOf(events: readonly ResponseStreamEvent[]): ModelResponse {
  const last = events.at(-1);
  assert.ok(last?.type === 'response.completed', `ends with ${last?.type}`);
  return last.response;
}
