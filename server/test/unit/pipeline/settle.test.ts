/**
 * Goal: an exchange is booked exactly once, whatever ends it, before the answer's end leaves.
 * Method: the settle stage alone, with recording ports; the handler behind it plays provider.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Answer, StreamFrame } from '../../../src/gateway/model/answer.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import { settle } from '../../../src/gateway/pipeline/settle.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
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

function settling(answer: () => Promise<Answer>, ledger = recordingLedger()) {
  const budgets = recordingBudgets();
  const stage = settle({ ledger, budgets, clock: systemClock });
  const handler = stage.wrap((exchange: Exchange) => {
    dispatched(exchange);
    return answer();
  });
  return { handler, ledger, budgets };
}

async function framesOf(answer: Answer): Promise<StreamFrame[]> {
  assert.equal(answer.kind, 'stream');
  const frames: StreamFrame[] = [];
  if (answer.kind === 'stream') for await (const each of answer.frames) frames.push(each);
  return frames;
}

test('a plain answer is booked with the usage its provider told', async () => {
  const { handler, ledger } = settling(async () => plainAnswer());

  await handler(exchangeOf());

  assert.equal(ledger.entries.length, 1);
  assert.equal(ledger.entries[0]?.costNanousd, 20); // 10 × 1 + 5 × 2
  assert.equal(ledger.entries[0]?.outcome, 'completed');
  assert.equal(ledger.entries[0]?.priceId, 'price_1');
});

test('a plain answer does not leave before its entry is journalled', async () => {
  const written = Promise.withResolvers<void>();
  const { handler } = settling(
    async () => plainAnswer(),
    recordingLedger({ append: () => written.promise }),
  );
  let left = false;

  const answer = handler(exchangeOf()).then(() => {
    left = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(left, false);
  written.resolve();
  await answer;

  assert.equal(left, true);
});

test('an answer whose entry cannot be journalled is refused', async () => {
  const refused = new GatewayError('ledger_unavailable');
  const { handler } = settling(
    async () => plainAnswer(),
    recordingLedger({ append: () => Promise.reject(refused) }),
  );

  await assert.rejects(handler(exchangeOf()), { code: 'ledger_unavailable' });
});

test('nothing is dispatched while the journal does not accept entries', async () => {
  let called = 0;
  const { handler } = settling(
    async () => {
      called += 1;
      return plainAnswer();
    },
    recordingLedger({ accepting: () => false }),
  );

  await assert.rejects(handler(exchangeOf()), { code: 'ledger_unavailable' });
  assert.equal(called, 0);
});

test('the end marker of a stream is held until the entry is journalled', async () => {
  const written = Promise.withResolvers<void>();
  const { handler } = settling(
    async () => streamOf([frame(), LAST_FRAME]),
    recordingLedger({ append: () => written.promise }),
  );
  const answer = await handler(exchangeOf());
  assert.equal(answer.kind, 'stream');
  if (answer.kind !== 'stream') return;
  const frames = answer.frames[Symbol.asyncIterator]();

  const first = await frames.next();
  let ended = false;
  const last = frames.next().then((step) => {
    ended = true;
    return step;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false);
  written.resolve();

  assert.equal(first.value?.terminal, null);
  assert.notEqual((await last).value?.terminal, null);
});

test('a stream that its reader leaves is charged for what was produced until then', async () => {
  const { handler, ledger } = settling(async () => streamOf([frame(), frame(), LAST_FRAME]));
  const answer = await handler(exchangeOf());

  if (answer.kind === 'stream') for await (const _frame of answer.frames) break;

  assert.equal(ledger.entries.length, 1);
  assert.equal(ledger.entries[0]?.outcome, 'aborted');
  assert.equal(ledger.entries[0]?.usage.source, 'estimated');
  assert.equal(ledger.entries[0]?.usage.outputTokens, 1); // 4 characters
});

test('a stream that ends without its end marker is a failure, never a silent end', async () => {
  const { handler, ledger } = settling(async () => streamOf([frame()]));

  await assert.rejects(async () => framesOf(await handler(exchangeOf())), {
    code: 'upstream_truncated',
  });

  assert.equal(ledger.entries[0]?.outcome, 'failed');
  assert.equal(ledger.entries[0]?.errorCode, 'upstream_truncated');
});

test('every end of every stream settles exactly once and gives back what is held', async () => {
  const ends = fc.constantFrom('complete', 'error', 'left', 'silent');
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 5 }), ends, fc.nat({ max: 6 }), async (count, end, readTo) => {
      async function* frames(): AsyncGenerator<StreamFrame> {
        for (let i = 0; i < count; i += 1) yield frame();
        if (end === 'error') throw new GatewayError('upstream_unreachable');
        if (end === 'complete') yield LAST_FRAME;
      }
      const { handler, ledger } = settling(async () => streamOf(frames()));
      let settled = 0;
      let released = 0;
      const exchange = exchangeOf();
      exchange.reservation = {
        amountNanousd: 1000,
        settle: () => {
          settled += 1;
        },
        release: () => assert.fail('settled, not released'),
      };
      exchange.lease = {
        correctTokens: () => undefined,
        release: () => {
          released += 1;
          exchange.lease = null;
        },
      };

      const answer = await handler(exchange);
      let read = 0;
      try {
        if (answer.kind === 'stream') {
          for await (const _frame of answer.frames) {
            read += 1;
            if (end === 'left' && read > readTo) break;
          }
        }
      } catch (error) {
        assert.ok(error instanceof GatewayError);
      }

      assert.deepEqual([ledger.entries.length, settled, released], [1, 1, 1]);
    }),
  );
});
