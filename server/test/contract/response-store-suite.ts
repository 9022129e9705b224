/** What every keeper of responses promises (`gateway/ports/response-store.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { KeptResponse, ResponseStore } from '../../src/gateway/ports/response-store.ts';

const NOON_MS = 1_700_000_000_000;
const LIMITS = { maxResponses: 10, maxBytes: 1_000_000 };

export function responseStoreSuite(
  name: string,
  open: (t: TestContext) => Promise<ResponseStore>,
): void {
  test(`${name}: what was kept is read back, byte for byte`, async (t) => {
    const store = await open(t);
    let number = 0;

    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (input, response) => {
        number += 1;
        const kept = keptAs(`resp_${number}`, { input, response, previousId: 'resp_x' });

        await store.insert(kept);

        assert.deepEqual(await store.get('acme', kept.id), kept);
      }),
      { numRuns: 20 },
    );
  });

  test(`${name}: a response is its tenant's: nobody else reads or deletes it`, async (t) => {
    const store = await open(t);
    await store.insert(keptAs('resp_1'));
    await store.insert(keptAs('resp_2', { tenant: 'globex', previousId: 'resp_1' }));

    assert.equal(await store.get('globex', 'resp_1'), null);
    assert.equal(await store.delete('globex', 'resp_1'), false);
    assert.deepEqual(await store.chain('globex', 'resp_1', LIMITS), []);
    assert.deepEqual(idsOf(await store.chain('globex', 'resp_2', LIMITS)), ['resp_2']);
    assert.notEqual(await store.get('acme', 'resp_1'), null);
  });

  test(`${name}: an id that is there already keeps what it has`, async (t) => {
    const store = await open(t);
    const first = keptAs('resp_1');
    await store.insert(first);

    await store.insert(keptAs('resp_1', { tenant: 'globex', input: new Uint8Array([9]) }));

    assert.deepEqual(await store.get('acme', 'resp_1'), first);
    assert.equal(await store.get('globex', 'resp_1'), null);
  });

  test(`${name}: a chain goes back to its beginning, newest first`, async (t) => {
    const store = await open(t);
    await keepChain(store, 4);

    const chain = await store.chain('acme', 'resp_4', LIMITS);

    assert.deepEqual(idsOf(chain), ['resp_4', 'resp_3', 'resp_2', 'resp_1']);
  });

  test(`${name}: a chain ends where one is missing, and at its limits`, async (t) => {
    const store = await open(t);
    await keepChain(store, 6);
    assert.equal(await store.delete('acme', 'resp_2'), true);
    assert.equal(await store.delete('acme', 'resp_2'), false);

    const broken = await store.chain('acme', 'resp_6', LIMITS);
    const short = await store.chain('acme', 'resp_6', { ...LIMITS, maxResponses: 2 });
    // Each has five bytes: the third passes ten, and is the last.
    const small = await store.chain('acme', 'resp_6', { ...LIMITS, maxBytes: 10 });

    assert.deepEqual(idsOf(broken), ['resp_6', 'resp_5', 'resp_4', 'resp_3']);
    assert.deepEqual(idsOf(short), ['resp_6', 'resp_5']);
    assert.deepEqual(idsOf(small), ['resp_6', 'resp_5', 'resp_4']);
  });

  test(`${name}: erasing takes the oldest first, every tenant's, so many at a time`, async (t) => {
    const store = await open(t);
    for (const [id, tenant, ageMs] of [
      ['resp_5', 'acme', 5],
      ['resp_4', 'globex', 4],
      ['resp_3', 'acme', 3],
      ['resp_0', 'acme', 0],
    ] as const) {
      await store.insert(keptAs(id, { tenant, createdAtMs: NOON_MS - ageMs }));
    }

    assert.equal(await store.eraseBefore(NOON_MS, 2), 2);
    assert.equal(await store.get('acme', 'resp_5'), null);
    assert.equal(await store.get('globex', 'resp_4'), null);
    assert.notEqual(await store.get('acme', 'resp_3'), null);
    assert.equal(await store.eraseBefore(NOON_MS, 2), 1);
    assert.equal(await store.eraseBefore(NOON_MS, 2), 0);
    assert.notEqual(await store.get('acme', 'resp_0'), null);
  });
}

async function keepChain(store: ResponseStore, length: number): Promise<void> {
  for (let at = 1; at <= length; at += 1) {
    const previousId = at === 1 ? null : `resp_${at - 1}`;
    await store.insert(keptAs(`resp_${at}`, { previousId }));
  }
}

function idsOf(chain: readonly KeptResponse[]): string[] {
  return chain.map(({ id }) => id);
}

function keptAs(id: string, changes: Partial<KeptResponse> = {}): KeptResponse {
  return {
    id,
    tenant: 'acme',
    keyId: 'key_1',
    createdAtMs: NOON_MS,
    previousId: null,
    input: new Uint8Array([1, 2]),
    response: new Uint8Array([3, 4, 5]),
    ...changes,
  };
}
