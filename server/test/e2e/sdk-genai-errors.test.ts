/**
 * Goal: what goes wrong reaches a program written with the official `@google/genai` package as
 * its `ApiError` with the true status, and a broken stream never looks like a short answer.
 * Method: the package itself, in both lines, against the whole gateway; failures of the
 * upstream by scripts in the model's name.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError, type GoogleGenAI } from '@google/genai';
import { ApiError as ApiError2 } from 'genai-2';
import { ADMIN_KEY } from '../support/gateway.ts';
import { GEMINI_KEY } from '../support/scripted-gemini/index.ts';
import { FAILURE_MODELS, GATEWAY_FAILURES, provoke, UPSTREAM_FAILURES } from './failures.ts';
import {
  GENAI_WAYS,
  type GenaiSurroundings,
  LINES,
  type Line,
  NATIVE_WAYS,
  startGenaiSurroundings,
} from './genai-surroundings.ts';
import { breakable, rowOf, rowsOf } from './surroundings.ts';

const HELLO = 'Say hello.';

/** Ways over OpenAI's wire, whose codes stand in these failures. Other vendors have tests apart. */
const CODED_WAYS: ReadonlySet<string> = new Set(['mock', 'sockets']);

const faults = breakable();
let around: GenaiSurroundings;

before(async () => {
  around = await startGenaiSurroundings({ faults, models: FAILURE_MODELS });
});

after(() => around.close());

interface Told {
  readonly code: number;
  readonly message: string;
  readonly status: string;
  readonly details: readonly {
    readonly '@type': string;
    readonly reason?: string;
    readonly requestId?: string;
    readonly retryDelay?: string;
    readonly metadata?: { readonly code: string };
  }[];
}

interface Failed {
  readonly status: number;
  readonly told: Told;
}

/** The package puts the body of an error into its message. */
async function failureOf(line: Line, call: Promise<unknown>): Promise<Failed> {
  const thrown = await call.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  );
  const Expected = line === '3.1.0' ? ApiError : ApiError2;
  assert.ok(thrown instanceof Expected, String(thrown));
  const { error } = JSON.parse(thrown.message.replace(/^got status: \w+\. /, ''));
  assert.equal(error.code, thrown.status);
  return { status: thrown.status, told: error };
}

function isNative(way: string): boolean {
  return (NATIVE_WAYS as readonly string[]).includes(way);
}

function detail(told: Told, type: string) {
  return told.details.find(({ '@type': name }) => name.endsWith(type));
}

function ask(ai: GoogleGenAI, model: string, stream: boolean, contents = HELLO) {
  if (!stream) return ai.models.generateContent({ model, contents });
  return ai.models.generateContentStream({ model, contents });
}

for (const line of LINES) {
  for (const failure of GATEWAY_FAILURES) {
    const { name, status, code } = failure;

    test(`${line}: ${name} is ApiError ${status} ${code}`, async () => {
      const sent = await provoke(failure, around.gateway, () => faults.breakNext());
      const { key, model, content, n, headers } = sent;
      sent.prepare();
      const config = n === null ? {} : { config: { candidateCount: n } };
      const thrown = await failureOf(
        line,
        around.client(line, key, headers).models.generateContent({
          ...{ model, contents: content },
          ...config,
        }),
      );

      assert.equal(thrown.status, status);
      assert.equal(detail(thrown.told, 'ErrorInfo')?.metadata?.code, code);
      assert.equal(detail(thrown.told, 'ErrorInfo')?.reason, code.toUpperCase());
      assert.match(detail(thrown.told, 'RequestInfo')?.requestId ?? '', /^req_/);
      assert.doesNotMatch(thrown.told.message, /secret\.ts|esk_/);
    });
  }

  for (const way of GENAI_WAYS) {
    const failures = CODED_WAYS.has(way) || isNative(way) ? UPSTREAM_FAILURES : [];

    for (const { name, script, status, code } of failures) {
      for (const stream of [false, true]) {
        const how = stream ? 'streamed' : 'plain';

        test(`${line} over ${way}: ${name} is ApiError ${status}, ${how}`, async () => {
          const model = `${way}/mock-${how}:${script}`;
          const ai = around.client(line, ADMIN_KEY);
          const thrown = await failureOf(line, ask(ai, model, stream));

          assert.equal(thrown.status, status);
          const { reason } = detail(thrown.told, 'ErrorInfo') ?? {};
          if (CODED_WAYS.has(way)) assert.equal(reason, code.toUpperCase());
          if (script.includes('retry-after=1')) {
            assert.equal(detail(thrown.told, 'RetryInfo')?.retryDelay, '1s');
          }
          assert.equal(thrown.told.message.includes(GEMINI_KEY), false);
          const id = detail(thrown.told, 'RequestInfo')?.requestId ?? null;
          const row = await rowOf(around.gateway, id);
          assert.deepEqual([row.outcome, row.status, row.attempts], ['failed', status, 1]);
        });
      }
    }

    test(`${line} over ${way}: a chat whose stream broke forgets the broken answer`, async () => {
      const chat = around.client(line, ADMIN_KEY).chats.create({ model: `${way}/mock:cut=3` });
      const stream = await chat.sendMessageStream({ message: HELLO });

      await failureOf(
        line,
        (async () => {
          for await (const chunk of stream) assert.ok(chunk);
        })(),
      );
      assert.deepEqual(chat.getHistory(true), []);
    });
  }

  test(`${line}: a failure before a stream’s first piece has its own status`, async () => {
    const model = `google/mock-${line}:status=503`;
    const ai = around.client(line, ADMIN_KEY);
    const thrown = await failureOf(line, ask(ai, model, true));

    assert.equal(thrown.status, 503);
    assert.equal((await rowsOf(around.gateway, model)).length, 1);
  });

  test(`${line}: a bad key of the gateway is not shown as one of the caller`, async () => {
    const ai = around.client(line, ADMIN_KEY);
    const thrown = await failureOf(line, ask(ai, 'locked/mock', false));

    assert.equal(thrown.status, 502);
    assert.equal(detail(thrown.told, 'ErrorInfo')?.reason, 'UPSTREAM_CREDENTIALS');
    assert.equal(thrown.told.message.includes('AIzaWrong'), false);
  });
}
