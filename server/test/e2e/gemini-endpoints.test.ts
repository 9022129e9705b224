/**
 * Goal: paths that hold a model select, authorise and run that very model, and nothing else; the
 * two framings of a stream, lists of models and refusals are as Google's clients read them.
 * Method: raw HTTP against the whole gateway, with the mock and a scripted server of Gemini.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GenaiSurroundings, startGenaiSurroundings } from './genai-surroundings.ts';
import { rowOf } from './surroundings.ts';

let around: GenaiSurroundings;

before(async () => {
  around = await startGenaiSurroundings({
    models: { 'odd:name': { targets: [{ provider: 'mock', model: 'mock' }] } },
  });
});

after(() => around.close());

afterEach(() => around.forget());

const HELLO = { contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }] };

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whatever was answered; tests look into it. */
  readonly json: ReturnType<typeof JSON.parse>;
}

async function call(
  path: string,
  body: unknown = HELLO,
  headers: Readonly<Record<string, string>> = { 'x-goog-api-key': ADMIN_KEY },
  method = 'POST',
): Promise<Answer> {
  const response = await fetch(`${around.gateway.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

function get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer> {
  return call(path, null, headers, 'GET');
}

const NAMES = [
  'mock',
  'mock/mock',
  'mock%2Fmock',
  'odd:name',
  'odd%3Aname',
  'mock/mock:tps=1000',
  'mock/mock%3Atps%3D1000',
];

for (const prefix of ['/v1beta', '/v1']) {
  for (const name of NAMES) {
    test(`${prefix}/models/${name}:generateContent runs the model of this name`, async () => {
      const answer = await call(`${prefix}/models/${name}:generateContent`);

      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.json.candidates[0].content.parts[0].text, /^You wrote/);
      const row = await rowOf(around.gateway, answer.headers.get('x-request-id'));
      assert.equal(row.model, decodeURIComponent(name));
    });
  }

  test(`${prefix}: the model of the path is the one that a key must be allowed`, async () => {
    const { secret } = await around.gateway.key({ models: ['mock'] });
    const headers = { 'x-goog-api-key': secret };
    const allowed = await call(`${prefix}/models/mock:generateContent`, HELLO, headers);
    const body = { ...HELLO, model: 'models/mock' };
    const other = await call(`${prefix}/models/mock%2Fmock:generateContent`, body, headers);

    assert.equal(allowed.status, 200);
    assert.equal(other.status, 403);
    assert.equal(other.json.error.status, 'PERMISSION_DENIED');
  });

  test(`${prefix}: what is no name of a model is refused as one`, async () => {
    for (const name of ['', '%', '%E0%A4%A', 'a%00b', '%20'.repeat(300)]) {
      const answer = await call(`${prefix}/models/${name}:generateContent`);

      assert.equal(answer.status, 400, name);
      assert.equal(answer.json.error.status, 'INVALID_ARGUMENT');
      assert.match(answer.json.error.message, /`model`/);
    }
  });

  test(`${prefix}: what only resembles an endpoint is not found, in Google’s shape`, async () => {
    for (const path of ['x:predict', 'x:constructor', 'x:', 'x:generateContent:', ':']) {
      const answer = await call(`${prefix}/models/${path}`);

      assert.equal(answer.status, 404, path);
      assert.equal(answer.json.error.code, 404);
      assert.equal(answer.json.error.status, 'NOT_FOUND');
    }
  });

  test(`${prefix}: a GET never runs a model`, async () => {
    const answer = await get(`${prefix}/models/mock:generateContent`);

    assert.equal(answer.status, 404);
    assert.match(answer.json.error.message, /is called "mock:generateContent"/);
  });
}

test('a key is taken from either header, and never from the address', async () => {
  const path = '/v1beta/models/mock:generateContent';
  const bearer = await call(path, HELLO, { authorization: `Bearer ${ADMIN_KEY}` });
  const inQuery = await call(`${path}?key=${ADMIN_KEY}`, HELLO, {});
  const none = await call(path, HELLO, {});

  assert.equal(bearer.status, 200);
  assert.equal(inQuery.status, 400);
  assert.match(inQuery.json.error.message, /in a header: .*x-goog-api-key/);
  assert.equal(inQuery.text.includes(ADMIN_KEY), false);
  assert.deepEqual([none.status, none.json.error.status], [401, 'UNAUTHENTICATED']);
});

for (const way of ['mock', 'sockets', 'google']) {
  test(`${way}: without alt=sse a stream is one JSON list of the same events`, async () => {
    const path = `/v1beta/models/${way}/mock:streamGenerateContent`;
    const list = await call(path);
    const events = await call(`${path}?alt=sse`);

    assert.match(list.headers.get('content-type') ?? '', /^application\/json/);
    assert.match(events.headers.get('content-type') ?? '', /^text\/event-stream/);
    const said = (
      answers: readonly { candidates: { content: { parts: { text: string }[] } }[] }[],
    ) => answers.map(({ candidates }) => candidates[0]?.content.parts[0]?.text ?? '');
    const data = events.text
      .split(/\r?\n\r?\n/)
      .filter((event) => event.startsWith('data: '))
      .map((event) => JSON.parse(event.slice('data: '.length)));
    assert.ok(list.json.length > 3);
    assert.deepEqual(said(list.json.filter((item: object) => 'candidates' in item)), said(data));
    assert.equal(list.json.at(-1).candidates[0].finishReason, 'STOP');
    assert.match(events.text, /\n: esclusa \{/);
  });

  test(`${way}: a broken list ends with its error as the last item`, async () => {
    for (const script of ['cut=1', 'cut=3', 'error=2', 'reset=4']) {
      const answer = await call(`/v1beta/models/${way}/mock:${script}:streamGenerateContent`);

      const last = answer.json.at?.(-1) ?? answer.json;
      assert.ok(last.error.code >= 500, script);
    }
  });
}

test('a client of Gemini over Gemini has its bytes passed through, both ways', async () => {
  const body =
    '{ "contents": [{"parts":[{"text":"Hi \\u00e9"}], "role":"user"}],\n' +
    ' "generationConfig": {"temperature": 0.10, "seed": 12345678901234567890},' +
    '"safetySettings":[] }';
  const answer = await call('/v1beta/models/google/mock:generateContent', body);
  const named = await call(
    '/v1beta/models/google/mock:generateContent',
    `{"model":"models/google/mock",${body.slice(1)}`,
  );

  assert.equal(String(around.google.calls[0]?.body), body);
  assert.equal(around.google.calls[0]?.path, '/v1beta/models/mock:generateContent');
  assert.match(answer.text, /^\{\n {2}"candidates"/, 'as Google prints it');
  assert.equal(named.status, 200);
  assert.equal(String(around.google.calls[1]?.body), `{"model":"models/mock",${body.slice(1)}`);
  assert.equal(around.google.calls[0]?.headers['x-goog-api-key']?.includes('AIza'), true);
});

test('the names of models in batches and counts become those of the provider', async () => {
  const request = { model: 'models/google/mock', content: { parts: [{ text: 'a' }] } };
  const batch = await call('/v1beta/models/google/mock:batchEmbedContents', {
    requests: [request, { ...request, outputDimensionality: 4 }],
  });
  const one = await call('/v1beta/models/google/mock:embedContent', request);
  const count = await call('/v1beta/models/google/mock:countTokens', {
    generateContentRequest: { model: 'models/google/mock', ...HELLO },
  });

  assert.deepEqual([batch.status, one.status, count.status], [200, 200, 200]);
  assert.equal(batch.json.embeddings.length, 2);
  assert.ok(one.json.embedding.values.length > 4);
  assert.equal(typeof count.json.totalTokens, 'number');
});

test('what only Google has is refused elsewhere, what may be left out is reported', async () => {
  const search = { ...HELLO, tools: [{ googleSearch: {} }] };
  const settings = { ...HELLO, safetySettings: [], labels: { a: 'b' } };
  const refused = await call('/v1beta/models/mock:generateContent', search);
  const kept = await call('/v1beta/models/google/mock:generateContent', search);
  const reported = await call('/v1beta/models/mock:generateContent', settings);

  assert.equal(refused.status, 422);
  assert.match(refused.json.error.message, /tools\[0\]/);
  assert.equal(kept.status, 200, kept.text);
  assert.equal(reported.headers.get('x-esclusa-dropped'), 'safetySettings, (others)');
});

test('fields may be written in snake case, as the API takes them', async () => {
  const answer = await call('/v1beta/models/mock:generateContent', {
    ...HELLO,
    system_instruction: { parts: [{ text: 'Be brief.' }] },
    generation_config: { response_mime_type: 'application/json', max_output_tokens: 900 },
  });

  assert.equal(answer.status, 200, answer.text);
  assert.equal(typeof JSON.parse(answer.json.candidates[0].content.parts[0].text), 'object');
});

test('a body that cannot be read is refused with the field at fault', async () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /`contents`/],
    [{ contents: [] }, /`contents`/],
    [{ contents: [7] }, /`contents\[0\]`/],
    [{ contents: [{ parts: [{ text: 5 }] }] }, /`contents\[0\]\.parts\[0\]\.text`/],
    [{ ...HELLO, generationConfig: { candidateCount: 0 } }, /`generationConfig\.candidateCount`/],
    [{ ...HELLO, generation_config: { temperature: 'hot' } }, /`generation_config\.temperature`/],
    [{ ...HELLO, tools: {} }, /`tools`/],
    ['{', /not valid JSON/],
  ];
  for (const [body, message] of bad) {
    const answer = await call('/v1/models/mock:generateContent', body);

    assert.equal(answer.status, 400);
    assert.match(answer.json.error.message, message);
  }
});

test('models are listed in the shape of who asks, on both prefixes', async () => {
  const google = { 'x-goog-api-key': ADMIN_KEY };
  const bearer = { authorization: `Bearer ${ADMIN_KEY}` };
  const beta = await get('/v1beta/models?pageSize=2', bearer);
  const next = await get(`/v1beta/models?pageSize=2&pageToken=${beta.json.nextPageToken}`, bearer);
  const stable = await get('/v1/models', google);
  const openai = await get('/v1/models', bearer);
  const one = await get('/v1/models/priced', google);
  const betaOne = await get('/v1beta/models/priced', bearer);
  const nobody = await get('/v1beta/models/nobody', bearer);

  assert.equal(beta.json.models.length, 2);
  assert.notEqual(next.json.models[0].name, beta.json.models[1].name);
  const names = stable.json.models.map(({ name }: { name: string }) => name);
  assert.ok(names.includes('models/mock') && names.includes('models/priced'));
  assert.equal(openai.json.object, 'list');
  assert.equal(one.json.name, 'models/priced');
  assert.deepEqual(one.json, betaOne.json);
  assert.ok(one.json.supportedGenerationMethods.includes('generateContent'));
  assert.deepEqual([nobody.status, nobody.json.error.status], [404, 'NOT_FOUND']);
});

test('the official package lists and finds models', async () => {
  for (const line of ['3.1.0', '2.32.0'] as const) {
    const ai = around.client(line, ADMIN_KEY);
    const names: (string | undefined)[] = [];
    for await (const model of await ai.models.list({ config: { pageSize: 2 } })) {
      names.push(model.name);
    }
    const one = await ai.models.get({ model: 'priced' });

    assert.ok(names.includes('models/priced'), String(names));
    assert.equal(new Set(names).size, names.length);
    assert.equal(one.name, 'models/priced');
    assert.ok(one.supportedActions?.includes('embedContent'));
  }
});

test('an answer of the same request comes from the cache, in the same bytes', async () => {
  const body = { ...HELLO, generationConfig: { temperature: 0 } };
  for (const way of ['mock', 'google']) {
    const path = `/v1beta/models/${way}/mock:generateContent`;
    const first = await call(path, body);
    const second = await call(path, body);
    const other = await call(path, { ...body, safetySettings: [{ category: 'X' }] });

    assert.deepEqual(
      [first, second, other].map(({ headers }) => headers.get('x-cache')),
      ['MISS', 'HIT', 'MISS'],
    );
    assert.equal(second.text, first.text);
  }
});
