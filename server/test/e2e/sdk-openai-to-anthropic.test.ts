/**
 * Goal: programs written with the official `openai` package reach Anthropic's models unchanged.
 * Method: the package, the whole gateway, and a server of Anthropic's wire over real sockets
 * that refuses what the real one refuses.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ADMIN_KEY } from '../support/gateway.ts';
import {
  type AnthropicSurroundings,
  startAnthropicSurroundings,
} from './anthropic-surroundings.ts';
import { cityTools } from './openai-sdk.ts';
import { rowOf } from './surroundings.ts';

let around: AnthropicSurroundings;
let client: OpenAI;

before(async () => {
  around = await startAnthropicSurroundings();
  const baseURL = `${around.gateway.url}/v1`;
  client = new OpenAI({ baseURL, apiKey: ADMIN_KEY, maxRetries: 0 });
});

after(() => around.close());

afterEach(() => around.claude.forget());

const model = 'claude/mock';
const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQKJcOkw7zDtsOfCg==';

function lastBody() {
  return JSON.parse(String(around.claude.calls.at(-1)?.body));
}

test('a chat gives text, usage with cached input, and its row in the ledger', async () => {
  const answer = await client.chat.completions.create({ model, messages: HELLO });

  assert.match(answer.choices[0]?.message.content ?? '', /^You wrote: “Say hello\.”/);
  assert.equal(answer.choices[0]?.finish_reason, 'stop');
  assert.equal(answer.usage?.prompt_tokens_details?.cached_tokens, 2);
  assert.ok(Math.abs(answer.created - Date.now() / 1000) < 60);
  assert.equal('esclusa' in answer, false);
  const row = await rowOf(around.gateway, answer._request_id ?? null);
  assert.deepEqual([row.provider, row.usage.source], ['claude', 'provider']);
  assert.equal(row.usage.input_tokens, answer.usage?.prompt_tokens);
  assert.equal(lastBody().max_tokens, 4096);
});

test('a stream gives the plain answer’s text, its end and, where asked, its usage', async () => {
  const plain = await client.chat.completions.create({ model, messages: HELLO });
  const stream = client.chat.completions.stream({
    ...{ model, messages: HELLO },
    stream_options: { include_usage: true },
  });
  const final = await stream.finalChatCompletion();

  assert.equal(final.choices[0]?.message.content, plain.choices[0]?.message.content);
  assert.equal(final.choices[0]?.finish_reason, 'stop');
  assert.equal(final.usage?.completion_tokens, plain.usage?.completion_tokens);
});

for (const stream of [false, true]) {
  test(`runTools calls two tools at once, ${stream ? 'streamed' : 'plain'}`, async () => {
    const called: string[] = [];
    const runner = client.chat.completions.runTools({
      ...{ model, stream: stream as true },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What are the weather and the population in Madrid?' },
      ],
      tools: cityTools(called),
    });
    const content = await runner.finalContent();

    assert.deepEqual(called.sort(), ['get_population Madrid', 'get_weather Madrid']);
    assert.match(content ?? '', /get_weather answered: sunny/);
    assert.equal(lastBody().system, 'Be brief.');
    const ids = lastBody().messages[2].content.map((b: { tool_use_id: string }) => b.tool_use_id);
    assert.ok(ids.every((id: string) => id.startsWith('toolu_')));
  });
}

for (const way of ['claude', 'claude-older']) {
  test(`${way}: parse with a zod schema gives a checked object, plain and streamed`, async () => {
    const Trip = z.object({ title: z.string(), seats: z.int().min(1).max(20) });
    const ask = {
      ...{ model: `${way}/mock`, messages: HELLO },
      response_format: zodResponseFormat(Trip, 'trip'),
    };
    const plain = await client.chat.completions.parse(ask);
    const streamed = await client.chat.completions.stream(ask).finalChatCompletion();

    assert.ok(Trip.safeParse(plain.choices[0]?.message.parsed).success);
    assert.deepEqual(streamed.choices[0]?.message.parsed, plain.choices[0]?.message.parsed);
    assert.equal(plain.choices[0]?.finish_reason, 'stop');
    assert.equal('tools' in lastBody(), way === 'claude-older');
  });
}

test('JSON mode gives JSON, by a tool whose call is forced', async () => {
  const answer = await client.chat.completions.create({
    ...{ model, messages: HELLO },
    response_format: { type: 'json_object' },
  });

  assert.equal(typeof JSON.parse(answer.choices[0]?.message.content ?? ''), 'object');
  assert.equal(lastBody().tool_choice.type, 'tool');
});

test('images and documents arrive as the wire has them', async () => {
  await client.chat.completions.create({
    model,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: PNG } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { file_data: PDF, filename: 'a.pdf' } },
          { type: 'text', text: 'What is it?' },
        ],
      },
    ],
  });

  const kinds = lastBody().messages[0].content.map(
    ({ type, source }: { type: string; source?: { type: string } }) => [type, source?.type],
  );
  assert.deepEqual(kinds, [
    ['image', 'base64'],
    ['image', 'url'],
    ['document', 'base64'],
    ['text', undefined],
  ]);
});

test('settings have their counterparts, and what has none is named', async () => {
  const { response } = await client.chat.completions
    .create({
      ...{ model, messages: HELLO, max_completion_tokens: 100, temperature: 0.5, seed: 1 },
      ...{ stop: 'END', user: 'u-1', reasoning_effort: 'low', parallel_tool_calls: false },
    })
    .withResponse();

  const { messages: _, ...sent } = lastBody();
  assert.deepEqual(sent, {
    ...{ model: 'mock', max_tokens: 100, temperature: 0.5, stop_sequences: ['END'] },
    ...{ metadata: { user_id: 'u-1' }, output_config: { effort: 'low' } },
  });
  assert.equal(response.headers.get('x-esclusa-dropped'), 'seed');
});

test('effort is a budget where models are older, and thoughts come as reasoning', async () => {
  const answer = await client.chat.completions.create({
    ...{ model: 'claude-older/mock', messages: HELLO, reasoning_effort: 'low' },
  });

  assert.deepEqual(lastBody().thinking, { type: 'enabled', budget_tokens: 2048 });
  const { message } = answer.choices[0] as unknown as { message: Record<string, string> };
  assert.match(message.reasoning_content ?? '', /^Let me think/);
  assert.equal(answer.usage?.completion_tokens_details?.reasoning_tokens, 1);
});

test('what the wire cannot say is refused before anything is sent', async () => {
  const call = client.chat.completions.create({ model, messages: HELLO, n: 2 });

  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof OpenAI.UnprocessableEntityError);
    assert.deepEqual([error.code, error.param], ['field_not_supported', 'n']);
    return true;
  });
  assert.equal(around.claude.calls.length, 0);
});
