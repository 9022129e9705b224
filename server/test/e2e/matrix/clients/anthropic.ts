/**
 * The official `@anthropic-ai/sdk` package, in both lines that are in use.
 */
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import Anthropic0 from 'anthropic-sdk-0';
import { assertClass, TYPES } from '../../anthropic-errors.ts';
import type { SdkLine } from '../../anthropic-surroundings.ts';
import {
  BOTH,
  CITY_SCHEMA,
  type Client,
  type Driver,
  HELLO,
  MOST_ROUNDS,
  PIXEL_BASE64,
  PIXEL_URL,
  type Refused,
  runTool,
  Shape,
  TOOLS,
} from '../driver.ts';

export const anthropic1: Driver = {
  name: '@anthropic-ai/sdk 1.x',
  connect: (baseURL, apiKey) =>
    messagesClient(new Anthropic({ baseURL, apiKey, maxRetries: 0 }), Anthropic),
};

/** What is used of the older line has the types of the newer one. */
export const anthropic0: Driver = {
  name: '@anthropic-ai/sdk 0.x',
  connect: (baseURL, apiKey) =>
    messagesClient(
      new Anthropic0({ baseURL, apiKey, maxRetries: 0 }) as unknown as Anthropic,
      Anthropic0 as unknown as Errors,
    ),
};

type Errors = SdkLine['errors'];

const ask = { max_tokens: 500, messages: [{ role: 'user' as const, content: HELLO }] };
const tools = TOOLS.map(({ name, description }) => ({
  ...{ name, description, input_schema: { ...CITY_SCHEMA, required: ['city'] } },
}));

type Params = Anthropic.MessageCreateParamsNonStreaming;

function messagesClient({ messages }: Anthropic, errors: Errors): Client {
  const create = (params: Params, stream: boolean) =>
    stream ? messages.stream(params).finalMessage() : messages.create(params);
  return {
    async text(model) {
      return told(await messages.create({ ...ask, model }));
    },
    async stream(model) {
      let pieces = 0;
      const stream = messages.stream({ ...ask, model }).on('text', () => {
        pieces += 1;
      });
      return { ...told(await stream.finalMessage()), pieces };
    },
    tools: (model, stream) => loop((params) => create(params, stream), model),
    async demand(model) {
      const choice = { type: 'tool' as const, name: 'get_population' };
      const { content } = await messages.create({ ...ask, model, tools, tool_choice: choice });
      return callsIn(content).map(({ name }) => name);
    },
    async shape(model, stream) {
      const asked = { ...ask, model, output_config: { format: zodOutputFormat(Shape) } };
      if (!stream) return (await messages.parse(asked)).parsed_output;
      return (await messages.stream(asked).finalMessage()).parsed_output;
    },
    async image(model, url) {
      const source =
        url === PIXEL_URL
          ? { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL_BASE64 }
          : { type: 'url' as const, url };
      const content = [
        { type: 'image' as const, source },
        { type: 'text' as const, text: 'What is in the picture?' },
      ];
      const asked = { ...ask, model, messages: [{ role: 'user' as const, content }] };
      return textOf((await messages.create(asked)).content);
    },
    embed: null,
    async count(model) {
      return (await messages.countTokens({ model, messages: ask.messages })).input_tokens;
    },
    async abort(model) {
      const stream = await messages.create({ ...ask, model, stream: true });
      for await (const event of stream) {
        assert.notEqual(event.type, 'message_stop', 'it went on to its end');
        if (textIn(event) !== '') stream.controller.abort();
      }
    },
    readings: {
      async loop(model, hear) {
        const stream = await messages.create({ ...ask, model, stream: true });
        for await (const event of inOrder(stream)) hear(textIn(event));
      },
      async '.stream()'(model, hear) {
        await messages
          .stream({ ...ask, model })
          .on('text', hear)
          .finalMessage();
      },
    },
    refused: (thrown, status) => refused(thrown, status, errors),
    broken: (thrown) => assert.ok(thrown instanceof errors.APIError, String(thrown)),
  };
}

function told({ content, stop_reason, usage }: Anthropic.Message) {
  return {
    text: textOf(content),
    isWhole: stop_reason === 'end_turn',
    outputTokens: usage.output_tokens,
  };
}

async function loop(create: (params: Params) => Promise<Anthropic.Message>, model: string) {
  const called: string[] = [];
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: BOTH }];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { content, stop_reason } = await create({ ...ask, model, messages, tools });
    if (stop_reason !== 'tool_use') return { called, text: textOf(content) };
    const results = callsIn(content).map(({ id, name, input }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: runTool(called, name, input),
    }));
    messages.push({ role: 'assistant', content }, { role: 'user', content: results });
  }
  return assert.fail('the loop does not end');
}

function callsIn(content: readonly Anthropic.ContentBlock[]) {
  return content.filter((block) => block.type === 'tool_use');
}

function textOf(content: readonly Anthropic.ContentBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function textIn(event: Anthropic.RawMessageStreamEvent): string {
  if (event.type !== 'content_block_delta' || event.delta.type !== 'text_delta') return '';
  return event.delta.text;
}

/** The events, held against the order that the dialect lays down. */
async function* inOrder(stream: AsyncIterable<Anthropic.RawMessageStreamEvent>) {
  let open: number | null = null;
  let isFirst = true;
  for await (const event of stream) {
    assert.equal(event.type === 'message_start', isFirst);
    isFirst = false;
    if (event.type === 'content_block_start') assert.equal(open, null, 'one block at a time');
    else if ('index' in event) assert.equal(event.index, open);
    if (event.type === 'content_block_start') open = event.index;
    if (event.type === 'content_block_stop') open = null;
    yield event;
  }
}

function refused(thrown: unknown, status: number, errors: Errors): Refused {
  assert.ok(thrown instanceof errors.APIError, String(thrown));
  assertClass(errors, thrown, status);
  const { error } = thrown.error as Told;
  // An upstream’s own type is kept, also where its status is not.
  if (status !== 503 || error.type !== 'overloaded_error') assert.equal(error.type, TYPES[status]);
  return { status: thrown.status, code: error.details.error_code, message: thrown.message };
}

interface Told {
  readonly error: { readonly type: string; readonly details: { readonly error_code: string } };
}
