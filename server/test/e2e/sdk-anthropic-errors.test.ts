/**
 * Goal: what goes wrong reaches a program written with the official `@anthropic-ai/sdk` package
 * as the exception it expects, with the type and the code it steers by, and no broken stream
 * ends as if it were whole. Method: both lines of the package against the whole gateway;
 * failures of upstreams by scripts in the model's name, over every way to a model.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import type { APIError } from '@anthropic-ai/sdk';
import { ANTHROPIC_KEY } from '../support/scripted-anthropic/index.ts';
import { assertClass, TYPES } from './anthropic-errors.ts';
import {
  type AnthropicSurroundings,
  LINES,
  type SdkLine,
  startAnthropicSurroundings,
  WAYS,
} from './anthropic-surroundings.ts';
import { FAILURE_MODELS, GATEWAY_FAILURES, provoke } from './failures.ts';
import { breakable, rowOf, rowsOf, UPSTREAM_KEY } from './surroundings.ts';

const faults = breakable();
let around: AnthropicSurroundings;

before(async () => {
  around = await startAnthropicSurroundings(FAILURE_MODELS, faults);
});

after(() => around.close());

afterEach(() => {
  around.claude.forget();
  around.sockets.forget();
});

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];

async function failureOf(line: SdkLine, call: Promise<unknown>): Promise<APIError> {
  const thrown = await call.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof line.errors.APIError, String(thrown));
  return thrown;
}

function assertStatus(line: SdkLine, thrown: APIError, status: number): void {
  assert.equal(thrown.status, status, thrown.message);
  assertClass(line.errors, thrown, status);
}

function codeOf(thrown: APIError): string | undefined {
  const { error } = thrown.error as {
    readonly error: { readonly details: { readonly error_code: string } };
  };
  return error.details.error_code;
}

interface Failing {
  readonly script: string;
  readonly status: number;
  readonly code: string;
  readonly shouldRetry: boolean | null;
}

const failing = (
  script: string,
  status: number,
  code: string,
  shouldRetry: boolean | null,
): Failing => ({ script, status, code, shouldRetry });

/** What an upstream's answer becomes, whichever wire it speaks. */
const EVERYWHERE: readonly Failing[] = [
  failing('status=400', 400, 'upstream_rejected', null),
  failing('status=401', 502, 'upstream_credentials', false),
  failing('status=403', 502, 'upstream_credentials', false),
  failing('status=413', 413, 'upstream_too_large', null),
  failing('status=500', 502, 'upstream_failed', true),
  failing('status=503', 503, 'upstream_unavailable', true),
  failing('status=504', 504, 'upstream_timeout', true),
];

/** What Anthropic's own wire says with a status or a code of its own. */
const ON_ITS_WIRE: readonly Failing[] = [
  failing('status=402', 429, 'upstream_quota_exhausted', false),
  failing('status=404', 404, 'upstream_not_found', null),
  failing('status=422', 422, 'upstream_unprocessable', null),
  failing('status=429,retry-after=1', 429, 'upstream_rate_limited', true),
  failing('status=429,retry-after=3600', 429, 'upstream_rate_limited', false),
  failing('status=429,code=insufficient_quota', 429, 'enforced_spend_limit_reached', false),
  failing('status=529', 529, 'upstream_overloaded', true),
  failing('status=529,retry-after-ms=20', 529, 'upstream_overloaded', true),
];

for (const line of LINES) {
  for (const failure of GATEWAY_FAILURES) {
    const { name, status, code, shouldRetry } = failure;

    test(`${line.name}: ${name} is ${status} ${TYPES[status]} ${code}`, async () => {
      const sent = await provoke(failure, around.gateway, () => faults.breakNext());
      const { key, model, content, n, headers } = sent;
      const client = line.connect(around.gateway.url, { apiKey: key });
      sent.prepare();
      const thrown = await failureOf(
        line,
        client.messages.create(
          { model, max_tokens: n === null ? 50 : -1, messages: [{ role: 'user', content }] },
          { headers },
        ),
      );

      assertStatus(line, thrown, status);
      assert.deepEqual([thrown.type, codeOf(thrown)], [TYPES[status], code]);
      const told = thrown.headers?.get('x-should-retry') ?? null;
      assert.equal(told, shouldRetry === null ? null : String(shouldRetry));
      assert.match(thrown.requestID ?? '', /^req_/);
      assert.doesNotMatch(thrown.message, /secret\.ts|esk_/);
    });
  }

  for (const way of WAYS) {
    const failures = way === 'claude' ? [...EVERYWHERE, ...ON_ITS_WIRE] : EVERYWHERE;
    for (const { script, status, code, shouldRetry } of failures) {
      test(`${line.name}, ${way}: an upstream’s ${script} is ${status} ${code}`, async () => {
        const client = line.connect(around.gateway.url);
        for (const stream of [false, true]) {
          const model = `${way}/mock:${script}`;
          const asked = { model, max_tokens: 50, messages: HELLO, stream };
          const thrown = await failureOf(line, client.messages.create(asked));

          assertStatus(line, thrown, status);
          assert.deepEqual([thrown.type, codeOf(thrown)], [TYPES[status], code]);
          const told = thrown.headers?.get('x-should-retry') ?? null;
          assert.equal(told, shouldRetry === null ? null : String(shouldRetry));
          assert.equal(thrown.message.includes(UPSTREAM_KEY), false);
          assert.equal(thrown.message.includes(ANTHROPIC_KEY), false);
          const row = await rowOf(around.gateway, thrown.requestID ?? null);
          assert.deepEqual([row.outcome, row.status, row.attempts], ['failed', status, 1]);
        }
      });
    }

    test(`${line.name}, ${way}: a passing failure is repeated after a pause`, async () => {
      const script = 'status=503,retry-after-ms=20,fail=2';
      const model = `${way}/mock-again-${line.name.slice(4, 5)}:${script}`;
      const client = line.connect(around.gateway.url, { maxRetries: 2 });
      const answer = await client.messages.create({ model, max_tokens: 50, messages: HELLO });

      assert.equal(answer.type, 'message');
      const rows = await rowsOf(around.gateway, model);
      assert.deepEqual(
        rows.map((row) => row.status),
        [200, 503, 503],
      );
    });

    test(`${line.name}, ${way}: a wait of an hour is asked once`, async () => {
      const model = `${way}/mock-once-${line.name.slice(4, 5)}:status=429,retry-after=3600`;
      const client = line.connect(around.gateway.url, { maxRetries: 5 });
      await failureOf(line, client.messages.create({ model, max_tokens: 50, messages: HELLO }));

      assert.equal((await rowsOf(around.gateway, model)).length, 1);
    });
  }

  test(`${line.name}: wrong credentials at the provider are not the caller’s`, async () => {
    const client = line.connect(around.gateway.url);
    const asked = { model: 'claude-locked/mock', max_tokens: 50, messages: HELLO };
    const thrown = await failureOf(line, client.messages.create(asked));

    assertStatus(line, thrown, 502);
    assert.equal(thrown.type, 'api_error');
  });

  test(`${line.name}: counting tokens fails as a message does`, async () => {
    const client = line.connect(around.gateway.url);
    const call = (model: string) => client.messages.countTokens({ model, messages: HELLO });

    assertStatus(line, await failureOf(line, call('nobody')), 404);
    assertStatus(line, await failureOf(line, call('claude/mock:status=529')), 529);
    const empty = client.messages.countTokens({ model: 'mock', messages: [] });
    assertStatus(line, await failureOf(line, empty), 400);
  });
}

test('a request without a key, and one with two, are refused in the dialect', async () => {
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${around.gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'mock', max_tokens: 5, messages: HELLO }),
    });
    return { status: response.status, body: (await response.json()) as Anthropic.ErrorResponse };
  };
  const without = await ask({});
  const two = await ask({ 'x-api-key': 'esk_a', authorization: 'Bearer esk_b' });
  const version = await ask({ 'x-api-key': 'esk_a', 'anthropic-version': 'newest' });

  assert.deepEqual([without.status, without.body.error.type], [401, 'authentication_error']);
  assert.deepEqual([two.status, two.body.error.type], [400, 'invalid_request_error']);
  assert.deepEqual([version.status, version.body.type], [401, 'error']);
});

test('what there is nothing at below a path of the dialect is missed in the dialect', async () => {
  const response = await fetch(`${around.gateway.url}/v1/messages/batches`, { method: 'POST' });
  const body = (await response.json()) as Anthropic.ErrorResponse;

  assert.deepEqual(
    [response.status, body.type, body.error.type],
    [404, 'error', 'not_found_error'],
  );
});
