/**
 * The cache behind the checks of answers: what they refuse or change is never kept, neither
 * here nor for other processes, and who joins or is given a kept answer is checked anew.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { type Guardrail, guard } from '../../../src/gateway/pipeline/guard.ts';
import { settle } from '../../../src/gateway/pipeline/settle.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { createFleet, type MadeCall, read } from './cache-fleet.ts';
import {
  dispatched,
  exchangeOf,
  frame,
  LAST_FRAME,
  plainAnswer,
  recordingBudgets,
  recordingLedger,
  streamOf,
} from './fakes.ts';

const STREAM = { stream: true } as const;
const SECRET = 'the secret';

function text(said: string, changes: Partial<StreamFrame> = {}): StreamFrame {
  return frame({ bytes: Buffer.from(said), producedCharacters: said.length, ...changes });
}

function answer(call: MadeCall, said: string): void {
  const finishReasons = ['stop'] as const;
  if (call.exchange.request.stream) call.feed(text(said, { finishReasons }), LAST_FRAME);
  else call.answer(plainAnswer({ bytes: Buffer.from(said), finishReasons }));
}

function mapped(answer: Answer, one: (bytes: Buffer) => Buffer): Answer {
  if (answer.kind === 'plain') {
    const bytes = one(answer.bytes);
    return bytes === answer.bytes ? answer : { ...answer, bytes };
  }
  async function* frames(all: AsyncIterable<StreamFrame>): AsyncGenerator<StreamFrame> {
    for await (const frame of all) {
      const bytes = one(frame.bytes);
      yield bytes === frame.bytes ? frame : { ...frame, bytes };
    }
  }
  return { ...answer, frames: frames(answer.frames) };
}

function guardrail(one: (bytes: Buffer) => Buffer): Guardrail {
  return {
    name: 'test',
    checkRequest: async () => undefined,
    checkAnswer: async (_exchange, answer) => mapped(answer, one),
  };
}

const REFUSES = guardrail((bytes) => {
  if (bytes.includes(SECRET)) throw new GatewayError('content_blocked');
  return bytes;
});

const CHANGES = guardrail((bytes) =>
  bytes.includes(SECRET) ? Buffer.from(bytes.toString().replace(SECRET, '***')) : bytes,
);

/** Holds frames back until it has seen all, and gives them as they came. */
const WITHHOLDS: Guardrail = {
  name: 'withholds',
  checkRequest: async () => undefined,
  async checkAnswer(_exchange, answer) {
    if (answer.kind === 'plain') return answer;
    const { frames } = answer;
    async function* later(): AsyncGenerator<StreamFrame> {
      yield* await Array.fromAsync(frames);
    }
    return { ...answer, frames: later() };
  },
};

for (const request of [{}, STREAM]) {
  const what = 'stream' in request ? 'a stream' : 'a plain answer';

  test(`${what} that a check refuses is kept nowhere`, async () => {
    const { start, call, whole } = createFleet();
    const { ask } = start({ guardrails: [REFUSES] });
    const { ask: askElsewhere } = start();
    const first = ask(request);
    answer(await call(1), `says ${SECRET}`);
    assert.equal((await read(first)).error?.code, 'content_blocked');

    const second = ask(request);
    answer(await call(2), `says ${SECRET} again`);

    assert.equal((await read(second)).error?.code, 'content_blocked');
    assert.equal(whole.stats(null).entries, 0);
    askElsewhere(request);
    assert.equal((await call(3)).exchange.cache.status, 'MISS');
  });

  test(`${what} that a check changes is kept neither as it came nor as it was given`, async () => {
    const { start, call, whole } = createFleet();
    const { ask } = start({ guardrails: [CHANGES] });
    const first = ask(request);
    answer(await call(1), `says ${SECRET}`);
    assert.equal((await read(first)).text, 'says ***');

    ask(request);

    assert.equal((await call(2)).exchange.cache.status, 'MISS');
    assert.equal(whole.stats(null).entries, 0);
  });

  test(`${what} that passes all checks is kept, and checked again when it is given`, async () => {
    const { start, call, calls, whole } = createFleet();
    const checked: string[] = [];
    const records: Guardrail = {
      name: 'records',
      checkRequest: async () => undefined,
      async checkAnswer(exchange, answer) {
        checked.push(exchange.id);
        return answer;
      },
    };
    const { ask } = start({ guardrails: [REFUSES, WITHHOLDS, records] });
    const first = ask(request);
    answer(await call(1), 'harmless');
    assert.equal((await read(first)).text, 'harmless');
    await until('it is kept', () => whole.stats(null).entries === 1);

    const second = ask(request);

    assert.equal((await read(second)).text, 'harmless');
    assert.equal(second.exchange.cache.status, 'HIT');
    assert.equal(calls.length, 1);
    assert.deepEqual(checked, [first.exchange.id, second.exchange.id]);
  });

  test(`${what} is joined until it was checked, and then found`, async () => {
    const { start, call, calls, whole } = createFleet();
    const gate = Promise.withResolvers<void>();
    const slow: Guardrail = {
      ...WITHHOLDS,
      async checkAnswer(exchange, answer) {
        const given = await WITHHOLDS.checkAnswer(exchange, answer);
        if (exchange.id === 'req_1') await gate.promise;
        return given;
      },
    };
    const { ask } = start({ guardrails: [slow] });
    const first = ask(request);
    answer(await call(1), 'said');
    const second = ask(request);
    assert.equal((await read(second)).text, 'said');
    assert.equal(second.exchange.cache.status, 'JOIN');
    const third = ask(request);
    assert.equal((await read(third)).text, 'said');
    assert.equal(whole.stats(null).entries, 0);

    gate.resolve();

    assert.equal((await read(first)).text, 'said');
    await until('it is kept', () => whole.stats(null).entries === 1);
    const fourth = ask(request);
    await read(fourth);
    assert.equal(fourth.exchange.cache.status, 'HIT');
    assert.equal(calls.length, 1);
  });

  test(`${what} whose leader is refused is checked by itself for each who joined`, async () => {
    const { start, call } = createFleet();
    const onlyFirst: Guardrail = {
      ...REFUSES,
      checkAnswer: async (exchange, answer) =>
        exchange.id === 'req_1' ? REFUSES.checkAnswer(exchange, answer) : answer,
    };
    const { ask } = start({ guardrails: [onlyFirst] });
    const first = ask(request);
    const second = ask(request);
    answer(await call(1), `says ${SECRET}`);

    const [refused, given] = await Promise.all([read(first), read(second)]);

    assert.equal(refused.error?.code, 'content_blocked');
    assert.equal(given.text, `says ${SECRET}`);
  });

  test(`${what} that is renewed behind a stale one is checked too`, async () => {
    const { start, call, clock, renewals } = createFleet({ staleWhileRevalidateSeconds: 100 });
    const { ask } = start({ guardrails: [REFUSES], alone: true });
    const first = ask(request);
    answer(await call(1), 'harmless');
    await read(first);
    clock.advance(101_000);
    const second = ask(request);
    assert.equal((await read(second)).text, 'harmless');

    answer(await call(2), `says ${SECRET}`);

    await until('it was checked', () => (renewals[0]?.asItCame ?? null) !== null);
    assert.equal(await renewals[0]?.asItCame, false);
    const third = ask(request);
    assert.equal((await read(third)).text, 'harmless');
  });
}

test('a stream whose first reader leaves while others read is not kept unchecked', async () => {
  const { start, call, whole } = createFleet();
  const { ask } = start({ guardrails: [WITHHOLDS] });
  const first = ask(STREAM);
  const second = ask(STREAM);
  const made = await call(1);
  made.feed(text('one '));
  await first.answer;
  first.leave();

  made.feed(text('two', { finishReasons: ['stop'] }), LAST_FRAME);

  assert.equal((await read(second)).text, 'one two');
  assert.equal(await first.exchange.asItCame, false);
  assert.equal(whole.stats(null).entries, 0);
});

test('a stream that a check ends early, repeats or reorders is not kept', async () => {
  const tricks: ((frames: StreamFrame[]) => StreamFrame[])[] = [
    ([, ...rest]) => rest,
    ([first, ...rest]) => [first as StreamFrame, first as StreamFrame, ...rest],
    ([first, second, ...rest]) => [second as StreamFrame, first as StreamFrame, ...rest],
    (frames) => [...frames.slice(0, 1), LAST_FRAME],
  ];
  for (const trick of tricks) {
    const { start, call, whole } = createFleet();
    const tricky: Guardrail = {
      ...WITHHOLDS,
      async checkAnswer(_exchange, answer) {
        assert.ok(answer.kind === 'stream');
        return streamOf(trick(await Array.fromAsync(answer.frames)));
      },
    };
    const { ask } = start({ guardrails: [tricky] });
    const asked = ask(STREAM);
    (await call(1)).feed(text('a'), text('b', { finishReasons: ['stop'] }), LAST_FRAME);

    await read(asked);

    assert.equal(await asked.exchange.asItCame, false);
    assert.equal(whole.stats(null).entries, 0);
  }
});

test('without checks nothing is held, and nothing is said of them', async () => {
  const next = async () => plainAnswer();

  assert.equal(guard([]).wrap(next), next);
  assert.equal(guard([]).wrapAnswers(next), next);
});

test('what a refused answer cost is booked as its provider told it', async () => {
  const usage = plainAnswer().usage;
  const answers = [
    async () => plainAnswer({ bytes: Buffer.from(SECRET) }),
    async () => streamOf([text('a'), text(SECRET, { usage }), LAST_FRAME]),
  ];
  for (const next of answers) {
    const ledger = recordingLedger();
    const stage = settle({ ledger, budgets: recordingBudgets(), clock: createManualClock() });
    const handler = stage.wrap(guard([WITHHOLDS, REFUSES]).wrap(next));

    await assert.rejects(
      async () => {
        const answer = await handler(dispatched(exchangeOf()));
        if (answer.kind === 'stream') for await (const _ of answer.frames);
      },
      { code: 'content_blocked' },
    );

    assert.deepEqual(ledger.entries[0]?.usage, usage);
  }
});
