/**
 * Goal: programs written with the official `@anthropic-ai/sdk` package, of either line in use,
 * run unchanged against every kind of provider. Method: the packages themselves, the whole
 * gateway, and scripted providers over real sockets; the one of Anthropic's own wire is as
 * strict as the real one.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { ADMIN_KEY } from '../support/gateway.ts';
import { COUNTED_TOKENS } from '../support/scripted-anthropic/index.ts';
import { until } from '../support/until.ts';
import {
  type AnthropicSurroundings,
  LINES,
  type SdkLine,
  startAnthropicSurroundings,
  WAYS,
} from './anthropic-surroundings.ts';
import { rowOf, rowsOf } from './surroundings.ts';

let around: AnthropicSurroundings;

before(async () => {
  around = await startAnthropicSurroundings();
});

after(() => around.close());

afterEach(() => {
  around.claude.forget();
  around.sockets.forget();
});

type Params = Anthropic.MessageCreateParamsNonStreaming;
type Event = Anthropic.RawMessageStreamEvent;

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
const PDF = 'JVBERi0xLjQKJcOkw7zDtsOfCg==';

function connect(line: SdkLine): Anthropic {
  return line.connect(around.gateway.url);
}

/** The events of a stream, held against the order that the dialect lays down. */
async function collect(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  let open: number | null = null;
  for await (const event of stream) {
    if (event.type === 'content_block_start') {
      assert.equal(open, null, 'one block is open at a time');
      open = event.index;
    } else if (event.type === 'content_block_delta') {
      assert.equal(event.index, open);
    } else if (event.type === 'content_block_stop') {
      assert.equal(event.index, open);
      open = null;
    }
    events.push(event);
  }
  assert.equal(open, null, 'every block is closed');
  const types = events.map(({ type }) => type);
  assert.equal(types.indexOf('message_start'), 0);
  assert.deepEqual(types.slice(-2), ['message_delta', 'message_stop']);
  return events;
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function cityTool(name: string): Anthropic.Tool {
  return {
    name,
    description: `${name} of a city`,
    input_schema: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    },
  };
}

const CITY_TOOLS = [cityTool('get_weather'), cityTool('get_population')];
const RESULTS: Readonly<Record<string, string>> = {
  get_weather: 'sunny',
  get_population: '3400000',
};

/** Goes on as long as tools are called; answers what was called, and every message. */
async function toolLoop(
  params: Params,
  call: (params: Params) => Promise<Anthropic.Message>,
): Promise<{ called: string[]; last: Anthropic.Message; steps: number }> {
  const called: string[] = [];
  const messages = [...params.messages];
  for (let steps = 1; ; steps += 1) {
    const answer = await call({ ...params, messages });
    if (answer.stop_reason !== 'tool_use') return { called, last: answer, steps };
    const calls = answer.content.filter((block) => block.type === 'tool_use');
    for (const { name, input } of calls) {
      called.push(`${name} ${(input as { readonly city: string }).city}`);
    }
    messages.push({ role: 'assistant', content: answer.content });
    messages.push({
      role: 'user',
      content: calls.map(({ id, name }) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: RESULTS[name] ?? '',
      })),
    });
  }
}

for (const line of LINES) {
  for (const way of WAYS) {
    const model = `${way}/mock`;
    const title = `${line.name}, ${way}`;
    const ask = { model, max_tokens: 500, messages: HELLO };

    test(`${title}: a message gives text, usage, and the id of its row in the ledger`, async () => {
      const answer = await connect(line).messages.create(ask);

      assert.match(textOf(answer), /^You wrote: “Say hello\.”/);
      assert.deepEqual([answer.type, answer.role], ['message', 'assistant']);
      assert.equal(answer.stop_reason, 'end_turn');
      const row = await rowOf(around.gateway, answer._request_id ?? null);
      const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = answer.usage;
      assert.deepEqual([row.outcome, row.provider], ['completed', way]);
      assert.equal(row.usage.source, 'provider');
      assert.equal(
        row.usage.input_tokens,
        input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0),
      );
      assert.equal(row.usage.output_tokens, answer.usage.output_tokens);
    });

    test(`${title}: a stream is a legal sequence with the plain answer’s text`, async () => {
      const client = connect(line);
      const plain = await client.messages.create(ask);
      const { data, request_id } = await client.messages
        .create({ ...ask, stream: true })
        .withResponse();
      const events = await collect(data);

      const text = events.map((event) =>
        event.type === 'content_block_delta' && event.delta.type === 'text_delta'
          ? event.delta.text
          : '',
      );
      assert.equal(text.join(''), textOf(plain));
      const last = events.find((event) => event.type === 'message_delta');
      assert.equal(last?.delta.stop_reason, 'end_turn');
      assert.equal(last?.usage.output_tokens, plain.usage.output_tokens);
      const row = await rowOf(around.gateway, request_id ?? null);
      assert.equal(row.usage.source, 'provider');
      assert.equal(row.usage.output_tokens, plain.usage.output_tokens);
    });

    test(`${title}: the .stream() helper puts the plain answer together`, async () => {
      const client = connect(line);
      const deltas: string[] = [];
      const plain = await client.messages.create(ask);
      const stream = client.messages.stream(ask).on('text', (delta) => deltas.push(delta));
      const final = await stream.finalMessage();

      assert.equal(deltas.join(''), textOf(plain));
      assert.equal(textOf(final), textOf(plain));
      assert.deepEqual(
        [final.stop_reason, final.usage.input_tokens, final.usage.output_tokens],
        [plain.stop_reason, plain.usage.input_tokens, plain.usage.output_tokens],
      );
    });

    test(`${title}: a loop calls two tools at once and answers with their results`, async () => {
      const client = connect(line);
      const content = 'What are the weather and the population in Madrid?';
      const asked = { ...ask, tools: CITY_TOOLS, messages: [{ role: 'user' as const, content }] };
      const ways = {
        plain: (params: Params) => client.messages.create(params),
        streamed: (params: Params) => client.messages.stream(params).finalMessage(),
      };
      for (const [name, call] of Object.entries(ways)) {
        const { called, last, steps } = await toolLoop(asked, call);

        assert.deepEqual(called, ['get_weather Madrid', 'get_population Madrid'], name);
        assert.match(textOf(last), /get_weather answered: sunny/);
        assert.match(textOf(last), /get_population answered: 3400000/);
        assert.equal(steps, 2);
      }
    });

    test(`${title}: streamed arguments come in pieces that join to the input`, async () => {
      const content = 'What is the weather in Villanueva Serena?';
      const stream = await connect(line).messages.create({
        ...{ ...ask, tools: CITY_TOOLS, stream: true },
        messages: [{ role: 'user', content }],
      });
      const pieces: string[] = [];
      for (const event of await collect(stream)) {
        if (event.type !== 'content_block_delta' || event.delta.type !== 'input_json_delta')
          continue;
        pieces.push(event.delta.partial_json);
      }

      assert.ok(pieces.filter((piece) => piece !== '').length > 1, pieces.join('|'));
      assert.deepEqual(JSON.parse(pieces.join('')), { city: 'Villanueva Serena' });
    });

    test(`${title}: tool_choice and disable_parallel_tool_use are heard`, async () => {
      const client = connect(line);
      const both = {
        ...ask,
        messages: [{ role: 'user' as const, content: 'weather, population' }],
      };
      const namesOf = async (more: Partial<Params>): Promise<string[]> => {
        const answer = await client.messages.create({ ...both, tools: CITY_TOOLS, ...more });
        return answer.content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []));
      };

      assert.deepEqual(await namesOf({}), ['get_weather', 'get_population']);
      const serial = { type: 'auto' as const, disable_parallel_tool_use: true };
      assert.deepEqual(await namesOf({ tool_choice: serial }), ['get_weather']);
      assert.deepEqual(await namesOf({ tool_choice: { type: 'tool', name: 'get_population' } }), [
        'get_population',
      ]);
      const any = { tool_choice: { type: 'any' as const }, messages: HELLO };
      assert.deepEqual(await namesOf(any), ['get_weather']);
      assert.deepEqual(await namesOf({ tool_choice: { type: 'none' } }), []);
    });

    test(`${title}: images beside the text reach the model`, async () => {
      const answer = await connect(line).messages.create({
        ...ask,
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
              { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
              { type: 'text', text: 'What is in the pictures?' },
            ],
          },
        ],
      });

      assert.match(textOf(answer), /(two|2) images/);
    });

    test(`${title}: parse with a zod schema gives a checked object`, async () => {
      const Trip = z.object({
        title: z.string(),
        day: z.enum(['monday', 'friday']),
        guests: z.array(z.object({ name: z.string(), vegan: z.boolean() })),
      });
      const answer = await connect(line).messages.parse({
        ...ask,
        output_config: { format: zodOutputFormat(Trip) },
      });

      assert.ok(Trip.safeParse(answer.parsed_output).success, textOf(answer));
    });

    test(`${title}: leaving a stream half-way is booked as aborted`, async () => {
      const slow = `${way}/mock-left-${line.name.slice(4, 5)}:tps=20`;
      const stream = await connect(line).messages.create({ ...ask, model: slow, stream: true });
      for await (const event of stream) {
        if (event.type === 'content_block_delta') break;
      }

      const row = await until('a row', async () => (await rowsOf(around.gateway, slow))[0]);
      assert.equal(row.outcome, 'aborted');
    });

    test(`${title}: an aborted call throws the package’s own error`, async () => {
      const slow = `${way}/mock-abort-${line.name.slice(4, 5)}:ttft=30s`;
      const abort = new AbortController();
      const call = connect(line).messages.create(
        { ...ask, model: slow, stream: true },
        { signal: abort.signal },
      );
      const thrown = call.then(
        () => assert.fail('nothing was thrown'),
        (error: unknown) => error,
      );
      await until('a running exchange', async () => (await inFlight()) > 0);
      abort.abort();

      assert.ok((await thrown) instanceof line.errors.APIUserAbortError);
      const row = await until('a row', async () => (await rowsOf(around.gateway, slow))[0]);
      assert.equal(row.outcome, 'aborted');
    });

    test(`${title}: counting tokens costs nothing and says when it is an estimate`, async () => {
      const { data, response, request_id } = await connect(line)
        .messages.countTokens({ model, messages: HELLO, system: 'Be brief.' })
        .withResponse();

      const isCounted = way === 'claude';
      assert.equal(data.input_tokens === COUNTED_TOKENS, isCounted);
      assert.ok(data.input_tokens > 5);
      const mark = response.headers.get('x-esclusa-estimated');
      assert.equal(mark, isCounted ? null : 'input_tokens');
      const row = await rowOf(around.gateway, request_id ?? null);
      assert.deepEqual([row.outcome, row.cost_nanousd, row.cache], ['completed', 0, 'BYPASS']);
    });
  }

  for (const way of ['sockets', 'claude'] as const) {
    test(`${line.name}, ${way}: the tool runner takes several steps`, async () => {
      const upstream = around[way];
      const keepsThreads = way === 'claude' && line.name.startsWith('sdk 1');
      if (keepsThreads) upstream.next({}); // asks for a thread first, which is refused
      upstream.next({ body: callBody(way, 'get_weather') });
      upstream.next({ body: callBody(way, 'get_population') });
      const called: string[] = [];
      const runner = connect(line).beta.messages.toolRunner({
        ...{ model: `${way}/mock`, max_tokens: 300, messages: HELLO },
        tools: CITY_TOOLS.map(({ name, description, input_schema }) => ({
          ...{ type: 'custom' as const, name, description: description ?? '', input_schema },
          parse: (input: unknown) => input as { readonly city: string },
          run: ({ city }: { readonly city: string }) => {
            called.push(`${name} ${city}`);
            return RESULTS[name] ?? '';
          },
        })),
      });
      const last = await runner.runUntilDone();

      assert.deepEqual(called, ['get_weather Lima', 'get_population Lima']);
      assert.equal(upstream.calls.length, keepsThreads ? 4 : 3);
      const said = last.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      assert.match(said, /get_population answered: 3400000/);
    });
  }

  test(`${line.name}: thoughts arrive signed and hidden, and go back unchanged`, async () => {
    const client = connect(line);
    const asked: Params = {
      ...{ model: 'claude/mock', max_tokens: 4000, tools: CITY_TOOLS },
      thinking: { type: 'adaptive' },
      messages: [{ role: 'user', content: 'What is the weather in Madrid?' }],
    };
    const plain = await client.messages.create(asked);
    const streamed = await client.messages.stream(asked).finalMessage();
    const { steps, last } = await toolLoop(asked, (params) =>
      client.messages.stream(params).finalMessage(),
    );

    const kinds = plain.content.map(({ type }) => type);
    assert.deepEqual(kinds, ['thinking', 'redacted_thinking', 'tool_use']);
    assert.deepEqual(streamed.content.slice(0, 2), plain.content.slice(0, 2));
    assert.equal(steps, 2); // the provider checks the signatures that come back
    assert.match(textOf(last), /get_weather answered: sunny/);
  });

  test(`${line.name}: a provider’s reasoning without signatures is told as thinking`, async () => {
    const reasoning = { role: 'assistant', reasoning_content: 'Hm, ' };
    const chunks = [
      { delta: reasoning },
      { delta: { reasoning_content: 'hello.' } },
      { delta: { content: 'Hello' } },
      { delta: {}, finish_reason: 'stop' },
    ].map((choice) => ({ id: 'c', model: 'm', choices: [{ index: 0, ...choice }] }));
    const events = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    const body = `${events.join('')}data: [DONE]\n\n`;
    around.sockets.next({ body, headers: { 'content-type': 'text/event-stream' } });

    const stream = connect(line).messages.stream({
      ...{ model: 'sockets/mock', max_tokens: 50, messages: HELLO },
    });
    const { content, stop_reason } = await stream.finalMessage();

    const told = content.map((block) => (block.type === 'thinking' ? block.thinking : block.type));
    assert.deepEqual([...told, stop_reason], ['Hm, hello.', 'text', 'end_turn']);
  });

  test(`${line.name}: a provider of the same wire gets the client’s own bytes`, async () => {
    const client = connect(line);
    const asked: Params = {
      ...{ model: 'priced', max_tokens: 300, messages: HELLO },
      stop_sequences: ['\n\nHuman:'],
      metadata: { user_id: 'u-1' },
      service_tier: 'auto',
    };
    await client.messages.create(asked, { headers: { 'anthropic-beta': 'context-1m-2025-08-07' } });

    const [call] = around.claude.calls;
    const version = line.name.startsWith('sdk 1') ? '2026-10-21' : '2023-06-01';
    assert.equal(call?.body.toString(), JSON.stringify({ ...asked, model: 'mock' }));
    assert.equal(call?.headers['anthropic-version'], version);
    assert.equal(call?.headers['anthropic-beta'], 'context-1m-2025-08-07');
    assert.equal(call?.headers.authorization, undefined);
    assert.equal(JSON.stringify(call?.headers).includes(ADMIN_KEY), false);
  });

  test(`${line.name}: a document goes to a provider that takes it`, async () => {
    await connect(line).messages.create({
      ...{ model: 'claude/mock', max_tokens: 50 },
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: PDF },
              citations: { enabled: true },
            },
            { type: 'text', text: 'Sum it up.' },
          ],
        },
      ],
    });

    assert.match(String(around.claude.calls[0]?.body), /"citations":\{"enabled":true\}/);
  });

  test(`${line.name}: a tool that the vendor runs is refused by any other provider`, async () => {
    const call = connect(line).messages.create({
      ...{ model: 'sockets/mock', max_tokens: 50, messages: HELLO },
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    });

    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof line.errors.UnprocessableEntityError);
      assert.match(error.message, /field_not_supported.*tools\[0\]/);
      return true;
    });
    assert.equal(around.sockets.calls.length, 0);
  });

  test(`${line.name}: what another provider cannot be told is named in a header`, async () => {
    const { response } = await connect(line)
      .messages.create({
        ...{ model: 'sockets/mock', max_tokens: 50, stop_sequences: ['x'] },
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'document',
                source: { type: 'text', media_type: 'text/plain', data: 'Hello.' },
                citations: { enabled: true },
              },
              { type: 'text', text: 'Sum it up.' },
            ],
          },
        ],
      })
      .withResponse();

    const dropped = response.headers.get('x-esclusa-dropped') ?? '';
    assert.match(dropped, /messages\[0\]\.content\[0\]\.citations/);
  });

  test(`${line.name}: models are listed page by page, and found by name`, async () => {
    const client = connect(line);
    const names: string[] = [];
    for await (const model of client.models.list({ limit: 1 })) names.push(model.id);
    const one = await client.models.retrieve('priced');

    assert.deepEqual([...names].sort(), [...new Set(names)].sort());
    assert.ok(names.includes('mock') && names.includes('priced'));
    assert.deepEqual([one.type, one.id, one.display_name], ['model', 'priced', 'priced']);
    await assert.rejects(client.models.retrieve('nobody'), line.errors.NotFoundError);
  });
}

test('the answer of a stored message is given again, in the dialect it was asked in', async () => {
  const [line] = LINES;
  assert.ok(line !== undefined);
  const ask = () =>
    fetch(`${around.gateway.url}/v1/messages`, {
      method: 'POST',
      headers: {
        'x-api-key': ADMIN_KEY,
        'anthropic-version': '2023-06-01',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ model: 'mock', max_tokens: 500, temperature: 0, messages: HELLO }),
    });
  const first = await ask();
  const second = await ask();

  assert.deepEqual([first.headers.get('x-cache'), second.headers.get('x-cache')], ['MISS', 'HIT']);
  assert.equal(await second.text(), await first.text());
});

/** An answer that calls one tool for Lima, in the words of either upstream. */
function callBody(way: 'sockets' | 'claude', name: string): string {
  if (way === 'claude') {
    return JSON.stringify({
      ...{ id: `msg_${name}`, type: 'message', role: 'assistant', model: 'mock' },
      content: [{ type: 'tool_use', id: `toolu_${name}`, name, input: { city: 'Lima' } }],
      ...{ stop_reason: 'tool_use', stop_sequence: null },
      usage: { input_tokens: 5, output_tokens: 5 },
    });
  }
  const called = { name, arguments: '{"city":"Lima"}' };
  const tool_calls = [{ id: `call_${name}`, type: 'function', function: called }];
  const message = { role: 'assistant', content: null, tool_calls };
  return JSON.stringify({
    ...{ id: name, object: 'chat.completion', created: 1, model: 'mock' },
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
  });
}

async function inFlight(): Promise<number> {
  const { body } = await around.gateway.api('GET', '/metrics');
  return Number(/^esclusa_requests_in_flight (\d+)/m.exec(body)?.[1]);
}
