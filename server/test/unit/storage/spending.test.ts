/**
 * The sum of what was spent is exact at the moment of the question, whatever is appended
 * around it: everything before, nothing after. Checked against a sum kept by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { ledgerEntry, openTestStorage } from '../../support/storage.ts';

type Step =
  | { readonly kind: 'append'; readonly key: string; readonly cost: number | null }
  | { readonly kind: 'ask'; readonly key: string }
  | { readonly kind: 'turn' }
  | { readonly kind: 'wait' };

const keys = fc.constantFrom('key_1', 'key_2');
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      key: keys,
      cost: fc.option(fc.nat(1_000_000)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);

test('history and what is appended after it add up to the truth, whatever the order', async (t) => {
  const storage = await openTestStorage(t, { limits: { segmentMaxBytes: 3000 } });
  let run = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (plan) => {
      run += 1;
      const truth = new Map<string, number>();
      const pending: Promise<unknown>[] = [];
      const answers: Promise<{ known: number; expected: number }>[] = [];
      for (const step of plan) {
        const keyId = 'key' in step ? `${step.key}_run_${run}` : '';
        if (step.kind === 'append') {
          const entry = ledgerEntry({ keyId, costNanousd: step.cost });
          pending.push(storage.ledger.append(entry));
          truth.set(keyId, (truth.get(keyId) ?? 0) + (step.cost ?? 0));
        } else if (step.kind === 'ask') {
          const expected = truth.get(keyId) ?? 0;
          const answer = storage.history.spentNanousd(`key:${keyId}`, 0);
          answers.push(answer.then((known) => ({ known, expected })));
        } else if (step.kind === 'turn') await nextTurn();
        else await pending.at(-1);
      }
      for (const { known, expected } of await Promise.all(answers)) assert.equal(known, expected);
      await Promise.all(pending);
    }),
    { numRuns: 60 },
  );
});

test('under load from many turns each answer is the sum at its question', async (t) => {
  const storage = await openTestStorage(t, { fsync: 'always' });
  let appended = 0;
  const answers: Promise<[number, number]>[] = [];

  for (let turn = 0; turn < 300; turn += 1) {
    for (let i = 0; i < 5; i += 1) {
      void storage.ledger.append(ledgerEntry({ costNanousd: 1 }));
      appended += 1;
      if (i !== 2 || turn % 10 !== 0) continue;
      const expected = appended;
      const answer = storage.history.spentNanousd('tenant:default', 0);
      answers.push(answer.then((known) => [known, expected]));
    }
    await nextTurn();
  }

  assert.equal(answers.length, 30);
  for (const [known, expected] of await Promise.all(answers)) assert.equal(known, expected);
});

test('only what was spent since the point in time counts, and only in the scope', async (t) => {
  const storage = await openTestStorage(t);
  const at = (createdAtMs: number) => ({ createdAtMs, keyId: 'key_1', costNanousd: 100 });
  for (const overrides of [
    at(999),
    at(1000),
    at(1001),
    { ...at(1001), costNanousd: null },
    { ...at(1001), keyId: 'key_2', costNanousd: 7 },
    { ...at(1001), keyId: 'key_3', tenant: 'acme', costNanousd: 11 },
  ]) {
    void storage.ledger.append(ledgerEntry(overrides));
  }

  const spent = (scopeId: string, sinceMs: number) =>
    storage.history.spentNanousd(scopeId, sinceMs);
  assert.equal(await spent('key:key_1', 0), 300);
  assert.equal(await spent('key:key_1', 1000), 200);
  assert.equal(await spent('key:key_1', 1002), 0);
  assert.equal(await spent('tenant:default', 0), 307);
  assert.equal(await spent('tenant:acme', 0), 11);
  assert.equal(await spent('key:never seen', 0), 0);
  await assert.rejects(spent('galaxy:everything', 0), { code: 'budget_unavailable' });
});
