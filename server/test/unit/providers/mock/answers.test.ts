/**
 * Goal: the mock answers as a provider would, the same way each time. Method: the real adapter
 * reads what it sends; bodies and events are held against OpenAI's API document.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlainAnswer } from '../../../../src/gateway/index.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { rejectionOf } from '../../../support/gateway-error.ts';
import { openaiSchemas, schemasAbsent } from '../../../support/openai-schema.ts';
import { at, chat, createMock, texts } from './fixture.ts';

const WEATHER_TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const CLOCK_TOOL = { type: 'function', function: { name: 'currentClock' } };

test('the same messages give the same words, and other messages give others', async () => {
  const mock = createMock();

  const [first, again, other] = await Promise.all([
    mock.plain('chat', chat('Tell me about canals')),
    mock.plain('chat', chat('Tell me about canals')),
    mock.plain('chat', chat('Tell me about locks')),
  ]);

  assert.deepEqual(texts(first), texts(again));
  assert.notDeepEqual(texts(first), texts(other));
  assert.ok(texts(first)[0]?.startsWith('You wrote: “Tell me about canals”.'));
  assert.notEqual(at(first.body, 'id'), at(again.body, 'id'), 'each call has an id of its own');
});

test('it answers in the language of the last thing the user said', async () => {
  const mock = createMock();
  const spanish = ['Hola, ¿qué tal?', 'dime que es una esclusa', 'Explica la fotosíntesis'];
  const english = ['Hello there', 'What is a canal lock?', '42', 'print(x)'];

  for (const text of spanish) {
    assert.ok(
      texts(await mock.plain('chat', chat(text)))[0]?.startsWith('Usted ha escrito:'),
      text,
    );
  }
  for (const text of english) {
    assert.ok(texts(await mock.plain('chat', chat(text)))[0]?.startsWith('You wrote:'), text);
  }
});

test('usage counts four characters as a token, and the adapter reads it', async () => {
  const answer = await createMock().plain('chat', chat('12345678'));

  const text = texts(answer)[0] ?? '';
  assert.equal(answer.usage?.inputTokens, 3 + 2);
  assert.equal(answer.usage?.outputTokens, Math.ceil(text.length / 4));
  assert.equal(answer.usage?.cachedInputTokens, 0);
  assert.deepEqual(answer.finishReasons, ['stop']);
});

test('a stream gives the same text as a plain answer, in words, and ends in order', async () => {
  const mock = createMock();
  const plain = await mock.plain('chat', chat('Hi there'));

  const chunks = await mock.chunks('chat', chat('Hi there'));

  const deltas = chunks.map((chunk) => at(chunk, 'choices', 0, 'delta'));
  assert.deepEqual(deltas[0], { role: 'assistant', content: '', refusal: null });
  assert.equal(deltas.map((delta) => at(delta, 'content') ?? '').join(''), texts(plain)[0]);
  assert.ok(chunks.length > 20);
  assert.equal(at(chunks.at(-2), 'choices', 0, 'finish_reason'), 'stop');
  assert.deepEqual(at(chunks.at(-1), 'choices'), []);
  assert.deepEqual(at(chunks.at(-1), 'usage'), at(plain.body, 'usage'));
  assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
});

test('through the adapter, a stream ends with usage, finish and the marker', async () => {
  const frames = await createMock().stream('chat', chat('Hi there'));

  assert.equal(frames.at(-1)?.terminal?.toString(), 'data: [DONE]\n\n');
  assert.equal(frames.filter((frame) => frame.usage !== null).length, 1);
  assert.deepEqual(
    frames.flatMap((frame) => frame.finishReasons),
    ['stop'],
  );
  const bytes = Buffer.concat(frames.map((frame) => frame.bytes)).toString();
  assert.ok(!bytes.includes('"choices":[]'), 'usage was not asked for');
});

test('a tool that the text names is called with valid arguments', async () => {
  const body = chat('What is the weather in Paris?', { tools: [WEATHER_TOOL, CLOCK_TOOL] });

  const answer = await createMock().plain('chat', body);

  const message = at(answer.body, 'choices', 0, 'message');
  assert.equal(at(message, 'content'), null);
  assert.equal(at(message, 'tool_calls', 'length'), 1);
  assert.equal(at(message, 'tool_calls', 0, 'function', 'name'), 'get_weather');
  assert.deepEqual(JSON.parse(String(at(message, 'tool_calls', 0, 'function', 'arguments'))), {
    city: 'Paris',
    unit: 'celsius',
  });
  assert.deepEqual(answer.finishReasons, ['tool_calls']);
});

test('several tools are called together, or one where parallel calls are off', async () => {
  const mock = createMock();
  const tools = [WEATHER_TOOL, CLOCK_TOOL];
  const count = async (more: object): Promise<unknown> => {
    const answer = await mock.plain('chat', chat('weather and clock', { tools, ...more }));
    return at(answer.body, 'choices', 0, 'message', 'tool_calls', 'length');
  };

  assert.equal(await count({}), 2);
  assert.equal(await count({ parallel_tool_calls: false }), 1);
});

test('tool_choice decides before the text does', async () => {
  const mock = createMock();
  const tools = [WEATHER_TOOL, CLOCK_TOOL];
  const called = async (text: string, choice: string | object): Promise<unknown[]> => {
    const body = chat(text, { tools, tool_choice: choice as string });
    const answer = await mock.plain('chat', body);
    const calls = (at(answer.body, 'choices', 0, 'message', 'tool_calls') ?? []) as unknown[];
    return calls.map((call) => at(call, 'function', 'name'));
  };
  const clock = { type: 'function', function: { name: 'currentClock' } };
  const allowed = (mode: string) => ({
    type: 'allowed_tools',
    allowed_tools: { mode, tools: [clock] },
  });

  assert.deepEqual(await called('hello', 'auto'), []);
  assert.deepEqual(await called('the weather', 'none'), []);
  assert.deepEqual(await called('hello', 'required'), ['get_weather']);
  assert.deepEqual(await called('the clock', 'required'), ['currentClock']);
  assert.deepEqual(await called('the weather', clock), ['currentClock']);
  assert.deepEqual(await called('the weather', allowed('required')), ['currentClock']);
  assert.deepEqual(await called('the weather', allowed('auto')), []);
});

test('streamed arguments join to the plain ones', async () => {
  const body = chat('weather in Sevilla and clock', { tools: [WEATHER_TOOL, CLOCK_TOOL] });

  const chunks = await createMock().chunks('chat', body);

  const parts = chunks.flatMap(
    (chunk) => (at(chunk, 'choices', 0, 'delta', 'tool_calls') ?? []) as unknown[],
  );
  const join = (index: number): string =>
    parts
      .filter((part) => at(part, 'index') === index)
      .map((part) => at(part, 'function', 'arguments'))
      .join('');
  assert.deepEqual(JSON.parse(join(0)), { city: 'Sevilla', unit: 'celsius' });
  assert.equal(join(1), '{}');
  assert.ok(parts.length > 4, 'the arguments come in several pieces');
  assert.equal(at(chunks.at(-2), 'choices', 0, 'finish_reason'), 'tool_calls');
});

test('results of tools are answered in words that use them', async () => {
  const call = {
    id: 'call_1',
    type: 'function',
    function: { name: 'get_weather', arguments: '{}' },
  };
  const messages = [
    { role: 'user', content: '¿Qué tiempo hace? get_weather' },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: '21 grados' },
  ];

  const answer = await createMock().plain('chat', {
    model: 'mock',
    messages,
    tools: [WEATHER_TOOL],
  });

  assert.deepEqual(texts(answer), ['La herramienta get_weather ha respondido: 21 grados.']);
  assert.deepEqual(answer.finishReasons, ['stop']);
});

test('calls that are serial come one at a time, until every named tool was called', async () => {
  const called = (id: string, name: string) => [
    {
      role: 'assistant',
      tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: `${name} done` },
  ];
  const question = [{ role: 'user', content: 'The weather and the clock, please.' }];
  const first = called('a', 'get_weather');
  const both = [...first, ...called('b', 'currentClock')];
  const ask = (results: JsonObject[]) =>
    createMock().plain('chat', {
      ...{ model: 'mock:calls=serial', tools: [WEATHER_TOOL, CLOCK_TOOL] },
      messages: [...question, ...results],
    });
  const nameOf = (answer: PlainAnswer) =>
    at(answer.body, 'choices', 0, 'message', 'tool_calls', 0, 'function', 'name');

  assert.equal(nameOf(await ask([])), 'get_weather');
  assert.equal(nameOf(await ask(first)), 'currentClock');
  assert.match(texts(await ask(both))[0] ?? '', /get_weather done.*currentClock done/);
});

test('structured output is JSON, of the schema where one is given', async () => {
  const mock = createMock();
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 18 } },
    required: ['name', 'age'],
  };
  const format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } };

  const free = await mock.plain('chat', chat('Hi', { response_format: { type: 'json_object' } }));
  const strict = await mock.plain('chat', chat('Hi', { response_format: format }));

  assert.equal(typeof at(JSON.parse(texts(free)[0] ?? ''), 'answer'), 'string');
  assert.deepEqual(JSON.parse(texts(strict)[0] ?? ''), { name: 'name', age: 18 });
});

test('n gives that many different answers, also when streamed', async () => {
  const mock = createMock();

  const answer = await mock.plain('chat', chat('Hi', { n: 3 }));
  const chunks = await mock.chunks('chat', chat('Hi', { n: 3 }));

  assert.equal(new Set(texts(answer)).size, 3);
  const streamed = [0, 1, 2].map((index) =>
    chunks
      .flatMap((chunk) => at(chunk, 'choices') as unknown[])
      .filter((choice) => at(choice, 'index') === index)
      .map((choice) => at(choice, 'delta', 'content') ?? '')
      .join(''),
  );
  assert.deepEqual(streamed, texts(answer));
});

test('max_tokens cuts the text and the reason says so', async () => {
  const mock = createMock();

  const cut = await mock.plain('chat', chat('Hi', { max_tokens: 5 }));
  const uncut = await mock.plain('chat', chat('Hi', { max_completion_tokens: 5_000 }));

  assert.equal(texts(cut)[0]?.length, 20);
  assert.deepEqual(cut.finishReasons, ['length']);
  assert.equal(cut.usage?.outputTokens, 5);
  assert.deepEqual(uncut.finishReasons, ['stop']);
});

test('a stop sequence ends the text before itself', async () => {
  const mock = createMock();

  for (const stop of ['wrote', ['zzz', 'wrote']]) {
    const answer = await mock.plain('chat', chat('Hi', { stop }));
    assert.deepEqual(texts(answer), ['You ']);
    assert.deepEqual(answer.finishReasons, ['stop']);
  }
});

test('tokens in the model’s name give a text of exactly that length', async () => {
  const answer = await createMock().plain('chat', chat('Hi', { model: 'mock:tokens=500' }));

  assert.equal(texts(answer)[0]?.length, 2_000);
  assert.equal(answer.usage?.outputTokens, 500);
});

test('images are acknowledged and counted', async () => {
  const mock = createMock();
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };

  const answer = await mock.plain('chat', chat([{ type: 'text', text: 'What is it?' }, image]));

  assert.ok(texts(answer)[0]?.includes('I received one image.'));
  assert.equal(answer.usage?.inputTokens, 3 + 3 + 85);
});

test('a reasoner thinks aloud first, and its thoughts are counted apart', async () => {
  const mock = createMock();
  const body = chat('Hi', { model: 'mock-reasoner' });

  const answer = await mock.plain('chat', body);
  const chunks = await mock.chunks('chat', body);

  const reasoning = String(at(answer.body, 'choices', 0, 'message', 'reasoning_content'));
  assert.equal(answer.usage?.reasoningTokens, Math.ceil(reasoning.length / 4));
  assert.ok((answer.usage?.outputTokens ?? 0) > (answer.usage?.reasoningTokens ?? 0));
  const streamed = chunks.map(
    (chunk) => at(chunk, 'choices', 0, 'delta', 'reasoning_content') ?? '',
  );
  assert.equal(streamed.join(''), reasoning);
});

test('legacy completions answer each prompt, with echo, n and streams', async () => {
  const mock = createMock();
  const body = { model: 'mock', prompt: ['Once', 'Érase una vez'], n: 2, echo: true };

  const answer = await mock.plain('completion', body);
  const chunks = await mock.chunks('completion', { model: 'mock', prompt: 'Once' });

  assert.equal(texts(answer).length, 4);
  assert.ok(texts(answer)[0]?.startsWith('OnceYou wrote:'));
  assert.ok(texts(answer)[3]?.startsWith('Érase una vezUsted ha escrito:'));
  const streamed = chunks.map((chunk) => at(chunk, 'choices', 0, 'text') ?? '').join('');
  assert.ok(streamed.startsWith('You wrote: “Once”.'));
});

test('a request it cannot read is refused as a provider would refuse it', async () => {
  const { upstream } = createMock();
  const post = (path: string, body: string) =>
    upstream.send(
      { method: 'POST', path, headers: {}, body: Buffer.from(body) },
      { firstByteMs: 1_000, idleMs: 1_000 },
      new AbortController().signal,
    );

  assert.equal((await post('/chat/completions', 'nonsense')).status, 400);
  assert.equal((await post('/chat/completions', '{"model":"m"}')).status, 400);
  assert.equal((await post('/embeddings', '{"model":"m","input":"a","dimensions":0}')).status, 400);
  assert.equal((await post('/images', '{}')).status, 404);
  const many = '{"model":"m:tokens=100000","n":128,"messages":[{"role":"user"}]}';
  assert.equal((await post('/chat/completions', many)).status, 400);
});

test('answers, chunks and errors are valid against OpenAI’s document', {
  skip: schemasAbsent,
}, async () => {
  const mock = createMock();
  const { assertValid } = openaiSchemas();
  const tools = { tools: [WEATHER_TOOL, CLOCK_TOOL] };
  const bodies = [
    chat('Hi', { n: 2 }),
    chat('the weather and the clock', tools),
    chat('Hi', { model: 'mock-reasoner', max_tokens: 3 }),
    chat('Hi', { model: 'mock:finish=content_filter' }),
  ];

  for (const body of bodies) {
    assertValid('CreateChatCompletionResponse', (await mock.plain('chat', body)).body);
    for (const chunk of await mock.chunks('chat', body)) {
      assertValid('CreateChatCompletionStreamResponse', chunk);
    }
  }
  const completion = await mock.plain('completion', { model: 'mock', prompt: ['a', 'b'] });
  assertValid('CreateCompletionResponse', completion.body);
  const embedding = await mock.plain('embedding', { model: 'mock', input: ['a', 'b'] });
  assertValid('CreateEmbeddingResponse', embedding.body);
  for (const status of [400, 401, 403, 404, 429, 500, 503, 529]) {
    const response = await mock.send('chat', chat('Hi', { model: `mock:status=${status}` }));
    assert.equal(response.status, status);
    assertValid('ErrorResponse', JSON.parse(String(await response.body.collect(10_000))));
  }
  const refused = await rejectionOf(mock.plain('chat', chat('Hi', { model: 'mock:wrong=1' })));
  assert.equal(refused.field, 'model');
});
