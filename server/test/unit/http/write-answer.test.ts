/**
 * How long a client may take with an answer: as long as it likes while it takes anything of it,
 * and no longer than `stalledReaderMs` when it takes nothing.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { openaiWriter } from '../../../src/http/openai/writer.ts';
import { pumpStream, writePlain } from '../../../src/http/write-answer.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { chatRequest, exchangeOf, frame, LAST_FRAME, plainAnswer } from '../pipeline/fakes.ts';

const STALLED_MS = 1000;
const LONG = Buffer.alloc(1_000_000, 'x');

/** A response whose client takes what it was given when the test says so. */
class SlowResponse extends EventEmitter {
  headersSent = false;
  destroyed = false;
  writableEnded = false;
  taken = 0;
  text = '';
  #given = 0;

  get asOne(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  writeHead(): void {
    this.headersSent = true;
  }

  write(bytes: Buffer): boolean {
    this.text += bytes.toString('latin1', 0, 1000);
    this.#given += bytes.length;
    return false;
  }

  end(bytes: Buffer = Buffer.alloc(0)): void {
    this.text += bytes.toString('latin1', 0, 1000);
    this.#given += bytes.length;
    this.writableEnded = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  take(): void {
    this.taken = this.#given;
    this.emit('drain');
  }
}

async function* framesOf(...frames: readonly StreamFrame[]): AsyncGenerator<StreamFrame> {
  yield* frames;
}

function fixture() {
  const clock = createManualClock();
  const response = new SlowResponse();
  const exchange = exchangeOf(chatRequest());
  const facts = { worker: 'w', degraded: () => '' };
  return { clock, response, exchange, deps: { clock, stalledReaderMs: STALLED_MS, facts } };
}

function writing(kind: 'plain' | 'stream') {
  const { clock, response, exchange, deps } = fixture();
  const to = response.asOne;
  const stream = framesOf(frame({ bytes: LONG }), LAST_FRAME);
  const done =
    kind === 'plain'
      ? writePlain(deps, to, exchange, openaiWriter, plainAnswer({ bytes: LONG }))
      : pumpStream(deps, to, exchange, openaiWriter, {
          ...{ kind: 'stream', dialect: 'openai', frames: stream },
        });
  return { clock, response, exchange, done };
}

for (const kind of ['plain', 'stream'] as const) {
  test(`${kind}: a client that takes a little at a time is given all of it`, async () => {
    const { clock, response, done } = writing(kind);
    let takes = 0;
    for (; !response.writableEnded; takes += 1) {
      await setImmediate();
      clock.advance(STALLED_MS - 1);
      response.take();
      await setImmediate();
    }

    await done;
    assert.equal(response.destroyed, false);
    assert.ok(takes > 10 && response.taken >= LONG.length, `${takes} ${response.taken}`);
    assert.equal(clock.pendingTimers(), 0);
  });

  test(`${kind}: a client that takes nothing is cut`, async () => {
    const { clock, response, exchange, done } = writing(kind);
    await setImmediate();
    response.take();
    await setImmediate();

    clock.advance(STALLED_MS);

    await done;
    assert.equal(response.destroyed, true);
    assert.ok(response.taken < LONG.length / 10, `${response.taken}`);
    assert.equal(exchange.abort.signal.reason.code, 'client_closed');
  });
}

test('a client that is ended while others read on is told so, and never of an end', async () => {
  const account = { bytes: Buffer.alloc(0), unread: true } as const;
  const last = Promise.withResolvers<void>();
  async function* frames(): AsyncGenerator<StreamFrame> {
    yield frame({ bytes: Buffer.from('data: one\n\n') });
    exchange.abort.abort(new GatewayError('credentials_invalid'));
    yield frame(account);
    await last.promise;
    yield { ...LAST_FRAME, ...account };
  }
  const { response, exchange, deps } = fixture();
  const answer = { kind: 'stream', dialect: 'openai', frames: frames() } as const;
  const done = pumpStream(deps, response.asOne, exchange, openaiWriter, answer);
  await setImmediate();
  response.take();
  await setImmediate();

  assert.equal(response.writableEnded, true);
  assert.match(response.text, /"code":"credentials_invalid"/);
  last.resolve();
  await done;
  assert.doesNotMatch(response.text, /DONE/);
});

test('a short plain answer is written at once', () => {
  const { response, exchange, deps } = fixture();
  assert.equal(writePlain(deps, response.asOne, exchange, openaiWriter, plainAnswer()), null);
});
