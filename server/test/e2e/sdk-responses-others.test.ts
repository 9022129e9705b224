/**
 * Goal: clients of the Responses API reach the models of vendors that have nothing like it, with
 * tools, reasoning and kept conversations. Method: OpenAI's package, the whole gateway, and
 * servers of the vendors' own wires over real sockets, which refuse what the real ones refuse:
 * Anthropic's wants its signed thoughts back unchanged.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import type {
  Response as ModelResponse,
  ResponseCreateParamsNonStreaming,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { ADMIN_KEY } from '../support/gateway.ts';
import { openaiSchemas, schemasAbsent } from '../support/openai-schema.ts';
import { type GenaiSurroundings, startGenaiSurroundings } from './genai-surroundings.ts';

const THINKING_WAYS = ['google', 'claude'] as const;

let around: GenaiSurroundings;
let client: OpenAI;

before(async () => {
  around = await startGenaiSurroundings();
  client = new OpenAI({
    ...{ baseURL: `${around.gateway.url}/v1`, apiKey: ADMIN_KEY, maxRetries: 0 },
  });
});

after(() => around.close());

const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather of a city.',
  strict: false,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
  },
} as const;

type Request = ResponseCreateParamsNonStreaming;

async function streamed(request: Request): Promise<ModelResponse> {
  const stream = await client.responses.create({ ...request, stream: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    if (schemasAbsent === false) openaiSchemas().assertEvent(event);
    assert.equal(event.sequence_number, events.length);
    events.push(event);
  }
  const last = events.at(-1);
  assert.ok(last?.type === 'response.completed', `ends with ${last?.type}`);
  return last.response;
}

const FORMS = {
  plain: (request: Request) => client.responses.create(request),
  streamed,
} as const;

function callOf({ output }: ModelResponse) {
  const call = output.find((item) => item.type === 'function_call');
  assert.ok(call?.type === 'function_call', JSON.stringify(output));
  return call;
}

function textOf({ output }: ModelResponse): string {
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
}

for (const way of THINKING_WAYS) {
  for (const [form, ask] of Object.entries(FORMS)) {
    test(`${way}, ${form}: what a model thought goes back to it with the result`, async () => {
      const reasoning = { summary: 'auto' as const };
      const tools = [WEATHER];
      const model = `${way}/mock`;
      const asked = await ask({ model, tools, reasoning, input: 'The weather in Madrid?' });
      const [thought] = asked.output;
      const call = callOf(asked);
      const answered = await ask({
        ...{ model, tools, reasoning, previous_response_id: asked.id },
        input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
      });

      assert.ok(thought?.type === 'reasoning');
      assert.ok((thought.summary[0]?.text.length ?? 0) > 5);
      if (way === 'google') {
        const sent = String(around.google.calls.at(-1)?.body);
        assert.match(sent, /"thoughtSignature":"(?!skip_)/); // the call's own, not a stand-in
      } else {
        assert.match(thought.encrypted_content ?? '', /^esclusa\.1\./);
      }
      assert.match(textOf(answered), /get_weather answered: .*sunny/);
    });
  }
}
