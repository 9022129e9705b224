/**
 * Goal: what clients get is what OpenAI's own API document says they get: every plain answer,
 * every chunk of a stream, every error, the list of models. Method: the whole gateway; the
 * document beside the repository judges. Where it is absent these tests say so and pass over.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { openaiSchemas, type SchemaName, schemasAbsent } from '../support/openai-schema.ts';
import { eventsOf } from './asking.ts';
import { BROKEN_STREAMS, UPSTREAM_FAILURES } from './failures.ts';
import { type Surroundings, startSurroundings, WAYS } from './surroundings.ts';

let around: Surroundings;
let gateway: TestGateway;

before(async () => {
  around = await startSurroundings();
  gateway = around.gateway;
});

after(() => around.close());

const skip = schemasAbsent;

interface Ask {
  readonly name: string;
  readonly path: '/chat/completions' | '/completions' | '/embeddings';
  readonly body: Readonly<Record<string, unknown>>;
}

const messages = [{ role: 'user', content: 'weather and population in Madrid' }];
const tools = ['get_weather', 'get_population'].map((name) => ({
  type: 'function',
  function: {
    name,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}));
const response_format = {
  type: 'json_schema',
  json_schema: {
    name: 'event',
    strict: true,
    schema: {
      type: 'object',
      properties: { title: { type: 'string' }, seats: { type: 'integer' } },
      required: ['title', 'seats'],
      additionalProperties: false,
    },
  },
};
const usage = { include_usage: true };

const GENERATED: readonly Ask[] = [
  { name: 'a chat', path: '/chat/completions', body: { messages } },
  { name: 'a chat cut by its limit', path: '/chat/completions', body: { messages, max_tokens: 3 } },
  { name: 'three choices', path: '/chat/completions', body: { messages, n: 3 } },
  { name: 'two tool calls', path: '/chat/completions', body: { messages, tools } },
  { name: 'an object', path: '/chat/completions', body: { messages, response_format } },
  { name: 'a completion', path: '/completions', body: { prompt: ['one', 'two'] } },
];

const EMBEDDED: readonly Ask[] = [
  { name: 'vectors of floats', path: '/embeddings', body: { input: ['one', 'two'] } },
];

const SCHEMA: Readonly<Record<Ask['path'], SchemaName>> = {
  '/chat/completions': 'CreateChatCompletionResponse',
  '/completions': 'CreateCompletionResponse',
  '/embeddings': 'CreateEmbeddingResponse',
};

function send(path: string, body: unknown): Promise<Response> {
  return fetch(`${around.baseURL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

interface Chunk {
  readonly choices: readonly { readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

/** The document has no chunk of legacy streams: there, what is not known yet is null. */
function asAnswer({ usage, choices, ...rest }: Chunk): object {
  const ended = choices.map((choice) => ({
    ...choice,
    finish_reason: choice.finish_reason ?? 'stop',
  }));
  return { ...rest, choices: ended, ...(usage === null ? {} : { usage }) };
}

function assertStream(path: Ask['path'], text: string, expectUsage: boolean): void {
  const events = eventsOf(text);
  assert.equal(events.pop(), '[DONE]');
  assert.ok(events.length > 2);
  const chunks = events.map((data) => JSON.parse(data) as Chunk);
  for (const chunk of chunks) {
    if (path === '/completions') openaiSchemas().assertValid(SCHEMA[path], asAnswer(chunk));
    else openaiSchemas().assertValid('CreateChatCompletionStreamResponse', chunk);
  }
  const withoutChoices = chunks.filter((chunk) => chunk.choices.length === 0);
  assert.equal(withoutChoices.length, expectUsage ? 1 : 0);
  assert.equal(chunks.filter((chunk) => chunk.usage != null).length, expectUsage ? 1 : 0);
}

for (const way of WAYS) {
  const model = `${way}/mock`;

  for (const { name, path, body } of [...GENERATED, ...EMBEDDED]) {
    test(`${way}: ${name} is valid ${SCHEMA[path]}`, { skip }, async () => {
      const response = await send(path, { model, ...body });
      const answer: unknown = await response.json();

      assert.equal(response.status, 200);
      openaiSchemas().assertValid(SCHEMA[path], answer);
    });
  }

  for (const { name, path, body } of GENERATED) {
    test(`${way}: every chunk of ${name} is valid, and no usage unasked`, { skip }, async () => {
      const response = await send(path, { model, ...body, stream: true });

      assertStream(path, await response.text(), false);
    });

    test(`${way}: every chunk of ${name} is valid with its usage`, { skip }, async () => {
      const response = await send(path, { model, ...body, stream: true, stream_options: usage });

      assertStream(path, await response.text(), true);
    });
  }

  test(`${way}: errors of the upstream are valid ErrorResponse`, { skip }, async () => {
    for (const { script, status } of UPSTREAM_FAILURES) {
      for (const stream of [false, true]) {
        const body = { model: `${way}/mock-schema-${stream}:${script}`, messages, stream };
        const response = await send('/chat/completions', body);

        assert.equal(response.status, status);
        assert.equal(response.headers.get('content-type'), 'application/json');
        openaiSchemas().assertValid('ErrorResponse', await response.json());
      }
    }
  });

  test(`${way}: a broken stream is valid chunks, then one valid error`, { skip }, async () => {
    for (const { script } of BROKEN_STREAMS) {
      const body = { model: `${way}/mock:${script}`, messages, stream: true };
      const text = await (await send('/chat/completions', body)).text();
      const chunks = eventsOf(text).map((data) => JSON.parse(data) as object);
      const error = chunks.pop();

      assert.ok(chunks.length >= 2, text);
      for (const chunk of chunks) {
        openaiSchemas().assertValid('CreateChatCompletionStreamResponse', chunk);
      }
      openaiSchemas().assertValid('ErrorResponse', error);
      assert.ok(text.endsWith('\n\n'));
    }
  });
}

test('refusals of the gateway are valid ErrorResponse', { skip }, async () => {
  const refused: readonly [number, string, unknown][] = [
    [400, '/chat/completions', { model: 'mock' }],
    [400, '/chat/completions', []],
    [400, '/embeddings', { model: 'mock', input: 3 }],
    [400, '/completions', { model: 'mock', prompt: {} }],
    [404, '/chat/completions', { model: 'nobody', messages }],
    [404, '/responses/compact', {}],
  ];
  for (const [status, path, body] of refused) {
    const response = await send(path, body);

    assert.equal(response.status, status, path);
    openaiSchemas().assertValid('ErrorResponse', await response.json());
  }
  const nobody = await fetch(`${around.baseURL}/chat/completions`, { method: 'POST' });
  assert.equal(nobody.status, 401);
  openaiSchemas().assertValid('ErrorResponse', await nobody.json());
});

test('the list of models and each of its members are valid', { skip }, async () => {
  const list = await gateway.api('GET', '/v1/models');
  const one = await gateway.api('GET', '/v1/models/priced');
  const none = await gateway.api('GET', '/v1/models/nobody');

  openaiSchemas().assertValid('ListModelsResponse', list.body);
  for (const model of list.body.data) openaiSchemas().assertValid('Model', model);
  openaiSchemas().assertValid('Model', one.body);
  assert.equal(none.status, 404);
  openaiSchemas().assertValid('ErrorResponse', none.body);
});
