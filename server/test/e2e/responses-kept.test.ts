/**
 * Goal: kept responses are their tenant's own, are gone on from whichever provider answers, and
 * are never promised where they are not kept. Method: the whole gateway, with requests as they
 * are on the wire; a database that loses its table stands for one that cannot write.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, test } from 'node:test';
import { ADMIN_KEY, startGateway } from '../support/gateway.ts';
import { openaiSchemas, schemasAbsent } from '../support/openai-schema.ts';
import { BROKEN_STREAMS } from './failures.ts';
import { rowOf, type Surroundings, startSurroundings } from './surroundings.ts';

let around: Surroundings;

before(async () => {
  around = await startSurroundings({
    models: {
      steady: {
        targets: [
          { provider: 'sockets', model: 'mock' },
          { provider: 'mock', model: 'mock' },
        ],
      },
    },
  });
});

after(() => around.close());

beforeEach(() => around.upstream.forget());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // What a test looks into is its own claim.
  readonly body: ReturnType<typeof JSON.parse>;
}

async function ask(body: object, key = ADMIN_KEY, headers = {}): Promise<Answer> {
  const response = await fetch(`${around.baseURL}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'mock', input: 'Say hello.', ...body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && JSON.parse(text),
  };
}

const read = (id: string, key?: string) =>
  around.gateway.api('GET', `/v1/responses/${id}`, undefined, key);

async function keyOf(tenant: string): Promise<string> {
  await around.gateway.api('POST', '/api/v1/tenants', { slug: tenant, name: tenant });
  return (await around.gateway.key({ tenant })).secret;
}

test('another tenant’s response, a deleted one and none at all are told alike', async () => {
  const [acme, globex] = [await keyOf('acme'), await keyOf('globex')];
  const theirs = (await ask({}, acme)).body.id;
  const gone = (await ask({}, globex)).body.id;
  await around.gateway.api('DELETE', `/v1/responses/${gone}`, undefined, globex);
  const told = new Set<string>();
  for (const id of [theirs, gone, 'resp_none']) {
    const answers = [
      await read(id, globex),
      await around.gateway.api('DELETE', `/v1/responses/${id}`, undefined, globex),
      await around.gateway.api('GET', `/v1/responses/${id}/input_items`, undefined, globex),
    ];
    const follow = await ask({ previous_response_id: id }, globex);
    assert.equal(follow.body.error.code, 'previous_response_not_found');
    for (const { status, body } of [...answers, follow]) {
      assert.equal(status, 404);
      const { request_id: _, ...error } = body.error;
      told.add(JSON.stringify(error).replaceAll(id, 'ID'));
    }
  }

  assert.equal(told.size, 2); // one for reading, one for going on
  assert.equal((await read(theirs, acme)).status, 200);
});

test('every key of a tenant reads its responses, and none reads without a key', async () => {
  const acme = await keyOf('acme-two');
  const other = (await around.gateway.key({ tenant: 'acme-two' })).secret;
  const { id } = (await ask({}, acme)).body;

  assert.equal((await read(id, other)).body.id, id);
  assert.equal((await read(id, 'esk_nobody')).status, 401);
  if (schemasAbsent === false) {
    openaiSchemas().assertValid('ErrorResponse', (await read(id, 'esk_nobody')).body);
  }
});

test('a conversation goes on at another provider when the first one is down', async () => {
  const first = await ask({ model: 'steady' });
  assert.equal(first.headers.get('x-esclusa-provider'), 'sockets');
  around.upstream.next('status=503');
  const second = await ask({
    ...{ model: 'steady', input: 'And now?', previous_response_id: first.body.id },
  });

  assert.equal(second.status, 200);
  assert.equal(second.headers.get('x-esclusa-provider'), 'mock');
  assert.match(second.body.output[0].content[0].text, /“And now\?”/);
});

test('a conversation whose beginning was deleted cannot be gone on from', async () => {
  const first = (await ask({})).body.id;
  const second = (await ask({ previous_response_id: first })).body.id;
  await around.gateway.api('DELETE', `/v1/responses/${first}`);
  const third = await ask({ previous_response_id: second });

  assert.equal(third.status, 404);
  assert.equal(third.body.error.param, 'previous_response_id');
  assert.match(third.body.error.message, /not kept any more/);
  assert.equal((await read(second)).status, 200);
});

test('what is not to be kept is not, and goes on from what is', async () => {
  const kept = (await ask({})).body;
  const { body } = await ask({ store: false, previous_response_id: kept.id });

  assert.equal(body.store, false);
  assert.equal(body.previous_response_id, kept.id);
  assert.equal((await read(body.id)).status, 404);
});

test('instructions hold for their own response alone', async () => {
  const first = (await ask({ model: 'sockets/mock', instructions: 'Speak Latin.' })).body.id;
  await ask({ model: 'sockets/mock', instructions: 'Be brief.', previous_response_id: first });
  const sent = JSON.parse(String(around.upstream.calls.at(-1)?.body));

  assert.deepEqual(
    sent.messages.filter(({ role }: { role: string }) => role === 'system'),
    [{ role: 'system', content: 'Be brief.' }],
  );
});

test('answers from the cache have ids and labels of their own, and are kept', async () => {
  const request = { input: 'Repeat.', temperature: 0 };
  const first = await ask({ ...request, metadata: { who: 'one' }, user: 'u1' });
  const second = await ask({ ...request, metadata: { who: 'two' } });

  assert.equal(first.headers.get('x-cache'), 'MISS');
  assert.equal(second.headers.get('x-cache'), 'HIT');
  assert.notEqual(second.body.id, first.body.id);
  assert.deepEqual(second.body.metadata, { who: 'two' });
  assert.equal(second.body.user, undefined);
  assert.deepEqual(second.body.output, first.body.output);
  await around.gateway.api('DELETE', `/v1/responses/${first.body.id}`);
  const { body } = await read(second.body.id);
  assert.deepEqual(body, second.body);
});

test('equal requests at the same time share one call, and each keeps its own', async () => {
  const request = { model: 'sockets/mock:ttft=150ms', input: 'Together.', temperature: 0 };
  const answers = await Promise.all([ask(request), ask(request), ask(request)]);

  assert.equal(around.upstream.calls.length, 1);
  assert.deepEqual(answers.map(({ headers }) => headers.get('x-cache')).sort(), [
    'JOIN',
    'JOIN',
    'MISS',
  ]);
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 3);
  for (const { body } of answers) assert.equal((await read(body.id)).status, 200);
});

test('methods and paths that there are not are told in the dialect', async () => {
  const { id } = (await ask({})).body;
  const posted = await around.gateway.api('POST', `/v1/responses/${id}/cancel`, {});
  const listed = await around.gateway.api('GET', '/v1/responses');
  const paged = await around.gateway.api('GET', `/v1/responses/${id}/input_items?limit=0`);
  const streamed = await around.gateway.api('GET', `/v1/responses/${id}?stream=true`);

  assert.deepEqual(
    [posted.status, listed.status, paged.status, streamed.status],
    [404, 405, 400, 400],
  );
  assert.equal(paged.body.error.param, 'limit');
  for (const { body } of [posted, listed, paged, streamed]) {
    assert.equal(body.error.type.length > 0, true);
  }
});

for (const { name, script } of BROKEN_STREAMS) {
  test(`a stream that ${name} ends in an error event, and nothing is kept of it`, async () => {
    const { text, headers } = await ask({ model: `sockets/mock:${script}`, stream: true });
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    const last = events.at(-1);

    assert.equal(last.type, 'error');
    assert.equal(last.sequence_number, events.length - 1);
    assert.match(text, /event: error\ndata: .*\n\n$/);
    if (schemasAbsent === false) for (const event of events) openaiSchemas().assertEvent(event);
    const row = await rowOf(around.gateway, headers.get('x-request-id'));
    assert.equal(row.outcome, 'failed');
    assert.equal((await read(events[0].response.id)).status, 404);
  });
}

test('an answer that cannot be kept is not given, and is paid for all the same', async (t) => {
  const gateway = await startGateway({
    config: { models: { mock: PRICED }, providers: { mock: { kind: 'mock' } } },
  });
  t.after(() => gateway.close());
  const post = (body: object) =>
    fetch(`${gateway.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'mock', input: 'Say hello.', ...body }),
    });
  assert.equal((await post({})).status, 200);
  const database = new DatabaseSync(join(gateway.folder, 'data', 'esclusa.sqlite'));
  database.exec('drop table responses');
  database.close();
  const plain = await post({});
  const streamed = await post({ stream: true });
  const events = [...(await streamed.text()).matchAll(/^data: (.*)$/gm)];
  const last = JSON.parse(events.at(-1)?.[1] ?? '');

  assert.equal(plain.status, 503);
  assert.equal(((await plain.json()) as Answer['body']).error.code, 'response_not_kept');
  assert.equal(plain.headers.get('x-should-retry'), 'true');
  assert.equal(last.type, 'error');
  assert.equal(last.code, 'response_not_kept');
  assert.equal(last.sequence_number, events.length - 1);
  assert.equal(
    events.some(([line]) => line.includes('"type":"response.completed"')),
    false,
  );
  for (const answer of [plain, streamed]) {
    const row = await rowOf(gateway, answer.headers.get('x-request-id'));
    assert.equal(row.outcome, 'failed');
    assert.equal(row.usage.source, 'provider');
    assert.ok((row.cost_nanousd ?? 0) > 0);
  }
  assert.equal((await post({ store: false })).status, 200);
});

const PRICED = {
  targets: [{ provider: 'mock', model: 'mock' }],
  price: { input_usd_per_million: 1, output_usd_per_million: 2 },
};

test('what is too large to be kept is refused before it costs anything', async (t) => {
  const gateway = await startGateway({
    config: { responses: { max_entry_bytes: 2048 }, models: {} },
  });
  t.after(() => gateway.close());
  const post = (body: object) =>
    gateway.api('POST', '/v1/responses', { model: 'mock', input: 'x', ...body });
  const long = 'x'.repeat(3000);
  const refused = await post({ input: long });
  const late = await post({ input: 'y'.repeat(1500) });

  assert.equal(refused.status, 413);
  assert.equal(refused.body.error.code, 'body_too_large');
  assert.match(refused.body.error.message, /max_entry_bytes.*`store: false`/);
  assert.equal((await rowOf(gateway, refused.headers.get('x-request-id'))).attempts, 0);
  assert.equal(late.status, 503);
  assert.equal(late.headers.get('x-should-retry'), 'false');
  assert.equal((await post({ input: long, store: false })).status, 200);
});
