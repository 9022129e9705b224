/**
 * Goal: what goes wrong reaches a program written with the official `openai` package as the
 * exception it expects, with the code it steers by, and the package repeats a call exactly when
 * that can help. Method: the package itself against the whole gateway; failures of the upstream
 * by scripts in the model's name, through the mock in the process and over real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { APIError } from 'openai';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import {
  BROKEN_STREAMS,
  FAILURE_MODELS,
  GATEWAY_FAILURES,
  provoke,
  UPSTREAM_FAILURES,
} from './failures.ts';
import {
  breakable,
  MAX_BODY_BYTES,
  rowOf,
  rowsOf,
  type Surroundings,
  startSurroundings,
  UPSTREAM_KEY,
  WAYS,
} from './surroundings.ts';

const faults = breakable();
let around: Surroundings;
let gateway: TestGateway;
let client: OpenAI;

before(async () => {
  around = await startSurroundings({ models: FAILURE_MODELS }, { faults });
  gateway = around.gateway;
  client = new OpenAI({ baseURL: around.baseURL, apiKey: ADMIN_KEY });
});

after(() => around.close());

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];

type ErrorClass = new (...args: never[]) => APIError;

const CLASSES: Readonly<Record<number, ErrorClass>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
};

function classFor(status: number): ErrorClass {
  return CLASSES[status] ?? (status >= 500 ? OpenAI.InternalServerError : APIError);
}

/** The exception a call throws, looked at from every side a program looks from. */
async function failureOf(call: Promise<unknown>): Promise<APIError> {
  const thrown = await call.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof APIError, String(thrown));
  return thrown;
}

for (const failure of GATEWAY_FAILURES) {
  const { name, status, code, shouldRetry } = failure;

  test(`${name} is ${classFor(status).name} ${status} ${code}`, async () => {
    const sent = await provoke(failure, gateway, () => faults.breakNext());
    const { key, model, content, n, headers } = sent;
    sent.prepare();
    const thrown = await failureOf(
      new OpenAI({ baseURL: around.baseURL, apiKey: key, maxRetries: 0 }).chat.completions.create(
        { model, messages: [{ role: 'user', content }], ...(n === null ? {} : { n }) },
        { headers },
      ),
    );

    assert.equal(thrown.constructor, classFor(status));
    assert.deepEqual([thrown.status, thrown.code], [status, code]);
    const told = thrown.headers?.get('x-should-retry') ?? null;
    assert.equal(told, shouldRetry === null ? null : String(shouldRetry));
    assert.match(thrown.requestID ?? '', /^req_/);
    assert.doesNotMatch(thrown.message, /secret\.ts|esk_/);
  });
}

for (const way of WAYS) {
  for (const { name, script, status, code, shouldRetry } of UPSTREAM_FAILURES) {
    for (const stream of [false, true]) {
      const how = stream ? 'streamed' : 'plain';

      test(`${way}: ${name} is ${classFor(status).name} ${status} ${code}, ${how}`, async () => {
        const model = `${way}/mock-${how}:${script}`;
        const thrown = await failureOf(
          client.chat.completions.create({ model, messages: HELLO, stream }, { maxRetries: 0 }),
        );

        assert.equal(thrown.constructor, classFor(status));
        assert.deepEqual([thrown.status, thrown.code], [status, code]);
        const told = thrown.headers?.get('x-should-retry') ?? null;
        assert.equal(told, shouldRetry === null ? null : String(shouldRetry));
        assert.equal(thrown.message.includes(UPSTREAM_KEY), false);
        const row = await rowOf(gateway, thrown.requestID ?? null);
        assert.deepEqual([row.outcome, row.status, row.attempts], ['failed', status, 1]);
      });
    }
  }

  for (const { name, script } of BROKEN_STREAMS) {
    test(`${way}: a stream that ${name} throws in a loop and in .stream()`, async () => {
      const ask = { model: `${way}/mock:${script}`, messages: HELLO };
      let text = '';
      const loop = async (): Promise<void> => {
        const stream = await client.chat.completions.create({ ...ask, stream: true });
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };

      const [thrown] = await Promise.all([
        failureOf(loop()),
        assert.rejects(client.chat.completions.stream(ask).finalChatCompletion()),
      ]);
      assert.match(text, /^You/);
      assert.match(thrown.code ?? '', /^upstream_/);
    });
  }

  test(`${way}: a stream that lacks only its end marker ends well`, async () => {
    const ask = { model: `${way}/mock:done=off`, messages: HELLO };
    const answer = await client.chat.completions.stream(ask).finalChatCompletion();

    assert.equal(answer.choices[0]?.finish_reason, 'stop');
  });

  test(`${way}: a passing failure is repeated after the pause the upstream asked for`, async () => {
    const model = `${way}/mock-again-${way}:status=503,retry-after-ms=20,fail=2`;
    const answer = await client.chat.completions.create({ model, messages: HELLO });

    assert.match(answer.choices[0]?.message.content ?? '', /^You wrote/);
    const rows = await rowsOf(gateway, model);
    assert.deepEqual(
      rows.map((row) => row.status),
      [200, 503, 503],
    );
  });

  test(`${way}: a passing failure before a stream's first byte is repeated too`, async () => {
    const model = `${way}/mock-again-stream-${way}:status=429,retry-after-ms=20,fail=1`;
    const answer = await client.chat.completions
      .stream({ model, messages: HELLO })
      .finalChatCompletion();

    assert.match(answer.choices[0]?.message.content ?? '', /^You wrote/);
    assert.equal((await rowsOf(gateway, model)).length, 2);
  });

  for (const script of [
    'status=400',
    'status=401',
    'status=404',
    'status=422',
    'status=429,code=insufficient_quota',
    'status=429,retry-after=3600',
    'status=503,retry-after=61',
  ]) {
    test(`${way}: ${script} is asked once, however many retries the client has`, async () => {
      const model = `${way}/mock-once:${script}`;
      await failureOf(
        client.chat.completions.create({ model, messages: HELLO }, { maxRetries: 5 }),
      );

      assert.equal((await rowsOf(gateway, model)).length, 1);
    });
  }

  test(`${way}: a stream that breaks behind its first byte is never repeated`, async () => {
    const model = `${way}/mock-torn:reset=2`;
    const loop = async (): Promise<void> => {
      const stream = await client.chat.completions.create({ model, messages: HELLO, stream: true });
      for await (const chunk of stream) assert.ok(chunk);
    };

    await failureOf(loop());
    assert.equal((await rowsOf(gateway, model)).length, 1);
  });
}

test('a refused upload ends its own connection and no other call', async () => {
  const content = 'x'.repeat(2 * MAX_BODY_BYTES);
  const upload = client.chat.completions.create({
    ...{ model: 'mock', messages: [{ role: 'user', content }] },
  });
  const thrown = await failureOf(upload);
  const model = 'sockets/mock:tokens=60,tps=80'; // longer than a refused connection lives on
  const answer = await client.chat.completions
    .stream({ model, messages: HELLO })
    .finalChatCompletion();

  assert.equal(thrown.headers?.get('connection'), 'close');
  assert.equal(answer.choices[0]?.finish_reason, 'stop');
});

test('a path that does not exist is NotFoundError in OpenAI’s shape', async () => {
  const thrown = await failureOf(client.post('/nothing/here', { body: {}, maxRetries: 0 }));

  assert.equal(thrown.constructor, OpenAI.NotFoundError);
  assert.equal(thrown.code, 'not_found');
});

test('no key at all is AuthenticationError', async () => {
  const nobody = client.withOptions({ defaultHeaders: { authorization: null } });
  const thrown = await failureOf(
    nobody.chat.completions.create({ model: 'mock', messages: HELLO }),
  );

  assert.equal(thrown.constructor, OpenAI.AuthenticationError);
  assert.equal(thrown.code, 'credentials_missing');
});
