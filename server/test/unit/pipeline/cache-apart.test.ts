/**
 * Random requests of several tenants, to several sets of targets, in several dialects, through
 * the stage of two processes with both tiers, a few at a time: nobody is ever given what was
 * said to another, and what may be shared is asked for once. fast-check prints the seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Exchange } from '../../../src/gateway/model/exchange.ts';
import { NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import type { Dialect } from '../../../src/gateway/model/target.ts';
import { type Asked, createFleet, read } from './cache-fleet.ts';
import { frame, LAST_FRAME, plainAnswer } from './fakes.ts';

interface Wish {
  readonly process: 0 | 1;
  readonly tenant: string;
  readonly targetSet: string;
  readonly dialect: Dialect;
  readonly stream: boolean;
  readonly content: string;
  readonly namespace: string;
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  process: fc.constantFrom<0 | 1>(0, 1),
  // Names that would meet if parts of a key were merely strung together.
  tenant: fc.constantFrom('a', 'ab', 'a","b', ''),
  targetSet: fc.constantFrom('b', '', 'b","c', 'up/m'),
  dialect: fc.constantFrom<Dialect>('openai', 'anthropic', 'gemini', 'responses'),
  stream: fc.boolean(),
  content: fc.constantFrom('hola', 'adiós'),
  namespace: fc.constantFrom('', 'b'),
});

/** Everything that keeps answers apart; it is also what the provider answers. */
function labelOf(exchange: Exchange): string {
  const { principal, route, request } = exchange;
  const { dialect, stream, body, cacheControl } = request;
  const scope = [principal?.tenant, route?.targetSet, cacheControl.namespace];
  return JSON.stringify([...scope, dialect, stream, body]);
}

test('nobody is given what was said to another, and each answer is asked for once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(wishes, { maxLength: 8 }), { maxLength: 6 }),
      async (all) => {
        const fleet = createFleet();
        const processes = [fleet.start(), fleet.start()] as const;
        let answered = 0;
        const answerNew = (): void => {
          for (; answered < fleet.calls.length; answered += 1) {
            const call = fleet.calls[answered] ?? assert.fail();
            const bytes = Buffer.from(labelOf(call.exchange));
            if (!call.exchange.request.stream) call.answer(plainAnswer({ bytes }));
            else call.feed(frame({ bytes, finishReasons: ['stop'] }), LAST_FRAME);
          }
        };
        const labels = new Set<string>();

        for (const some of all) {
          const batch = some.map((wish) => ask(processes[wish.process], wish));
          let isOver = false;
          const reading = Promise.all(batch.map(read)).finally(() => {
            isOver = true;
          });
          while (!isOver) {
            answerNew();
            await turn();
          }
          for (const [index, { text, error }] of (await reading).entries()) {
            const { exchange } = batch[index] ?? assert.fail();
            assert.equal(error, null);
            assert.equal(text, labelOf(exchange));
            labels.add(text);
          }
        }

        assert.equal(fleet.calls.length, labels.size);
      },
    ),
    { numRuns: 200 },
  );
});

function ask(process: ReturnType<ReturnType<typeof createFleet>['start']>, wish: Wish): Asked {
  const { tenant, targetSet, dialect, stream, content, namespace } = wish;
  const cacheControl = { ...NO_CACHE_CONTROL, namespace };
  const body = { messages: [{ role: 'user', content }] };
  return process.ask({ dialect, stream, body, cacheControl }, tenant, { targetSet });
}
