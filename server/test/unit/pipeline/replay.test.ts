/** The replay stage where the store of kept answers fails while a request waits for its twin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../../src/gateway/model/answer.ts';
import { replay } from '../../../src/gateway/pipeline/replay.ts';
import type { ReplayFinding, ReplayStore } from '../../../src/gateway/ports/replay-store.ts';
import { againFrom, keptPlain } from '../../../src/gateway/replay/kept-answer.ts';
import { createReplaySeals } from '../../../src/gateway/replay/seal.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createSeededRandom } from '../../support/seeded-random.ts';
import {
  chatRequest,
  exchangeOf,
  frame,
  LAST_FRAME,
  PRINCIPAL,
  plainAnswer,
  streamOf,
} from './fakes.ts';

/** Answers with these in turn, then fails. */
function storeOf(findings: readonly ReplayFinding[]): ReplayStore {
  const left = [...findings];
  return {
    async claim() {
      const next = left.shift();
      if (next === undefined) throw new Error('the store is gone');
      return next;
    },
    ended: async () => undefined,
    forget: async () => undefined,
  };
}

function ask(
  findingOf: (fingerprint: string) => readonly ReplayFinding[],
  run: () => Promise<Answer> = () => assert.fail('it is not run'),
) {
  const clock = createManualClock();
  const seals = createReplaySeals(Buffer.alloc(32, 1), createSeededRandom(1));
  const exchange = Object.assign(exchangeOf(chatRequest()), { idempotencyKey: 'order-1' });
  exchange.principal = PRINCIPAL;
  const store = storeOf(findingOf(seals.fingerprintOf(exchange.request)));
  const settings = () => ({ enabled: true, maxEntryBytes: 1000, joinMs: 60_000 });
  const stage = replay({ store, seals, clock, settings });
  return stage.wrap(run)(exchange);
}

test('what the target could not be told is kept with its answer', () => {
  const exchange = Object.assign(exchangeOf(chatRequest()), { dropped: ['messages[0].name'] });

  const again = againFrom(keptPlain(exchange, plainAnswer()));

  assert.deepEqual(again.dropped, ['messages[0].name']);
});

test('who waited for a twin is told to ask again when nobody can tell of it', async () => {
  const refused = ask((fingerprint) => [{ kind: 'running', fingerprint }]);
  await assert.rejects(refused, { code: 'idempotency_in_flight', retryAfterMs: 2000 });
});

test('an answer of which its client was given the beginning alone is not kept', async () => {
  const kept: Buffer[] = [];
  let isFree = false;
  const claim = {
    async keep(answer: Buffer) {
      kept.push(answer);
      return true;
    },
    release() {
      isFree = true;
    },
  };
  const frames = (unread: object) => [
    frame({ bytes: Buffer.from('one') }),
    frame(unread),
    { ...LAST_FRAME, ...unread },
  ];

  for (const unread of [{}, { unread: true }]) {
    isFree = false;
    const answer = await ask(
      () => [{ kind: 'claimed', claim }],
      async () => streamOf(frames(unread)),
    );
    assert.ok(answer.kind === 'stream');
    for await (const _ of answer.frames);
  }

  assert.equal(kept.length, 1);
  assert.equal(isFree, true);
});

test('a store that fails the first question fails the request', async () => {
  await assert.rejects(
    ask(() => []),
    { message: 'the store is gone' },
  );
});
