/** What every keeper of prompts and answers promises (`gateway/ports/body-store.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { BodyStore, KeptBodies } from '../../src/gateway/ports/body-store.ts';

const NOON_MS = 1_700_000_000_000;

export function bodyStoreSuite(name: string, open: (t: TestContext) => Promise<BodyStore>): void {
  test(`${name}: what was kept is read at once, byte for byte, whatever the bytes`, async (t) => {
    const store = await open(t);
    let number = 0;

    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), fc.boolean(), async (a, b, cut) => {
        number += 1;
        const bodies = exchange(`req_${number}`, {
          request: { bytes: a, truncated: cut },
          response: { bytes: b, truncated: !cut },
        });

        store.keep(bodies);

        assert.deepEqual(await store.get(`req_${number}`, 'acme'), bodies);
      }),
      { numRuns: 30, examples: [[new Uint8Array([0, 0xff, 0xed, 0xa0, 0x80]), NOTHING, true]] },
    );
  });

  test(`${name}: a body that is missing is told from an empty one`, async (t) => {
    const store = await open(t);
    const half = exchange('req_1', { request: null, response: { ...EMPTY } });

    store.keep(half);

    assert.deepEqual(await store.get('req_1', 'acme'), half);
  });

  test(`${name}: bodies are found by the tenant that they are of, and by no other`, async (t) => {
    const store = await open(t);
    store.keep(exchange('req_1'));

    assert.equal(await store.get('req_1', 'globex'), null);
    assert.equal(await store.get('req_1', 'default'), null);
    assert.equal(await store.get('req_2', 'acme'), null);
    assert.equal(await store.get(`' or 1=1 --`, 'acme'), null);
  });

  test(`${name}: an id that is there already keeps its bodies`, async (t) => {
    const store = await open(t);
    const first = exchange('req_1');
    store.keep(first);
    await store.get('req_1', 'acme');

    store.keep(exchange('req_1', { request: null }));
    store.keep(exchange('req_2'));

    assert.notEqual(await store.get('req_2', 'acme'), null);
    assert.deepEqual(await store.get('req_1', 'acme'), first);
  });

  test(`${name}: erasing takes the oldest first, every tenant's, so many at a time`, async (t) => {
    const store = await open(t);
    for (const [id, tenant, ageMs] of [
      ['req_5', 'acme', 5],
      ['req_4', 'globex', 4],
      ['req_3', 'acme', 3],
      ['req_0', 'acme', 0],
    ] as const) {
      store.keep(exchange(id, { tenant, createdAtMs: NOON_MS - ageMs }));
    }
    const left = async () =>
      (
        await Promise.all([
          store.get('req_5', 'acme'),
          store.get('req_4', 'globex'),
          store.get('req_3', 'acme'),
          store.get('req_0', 'acme'),
        ])
      ).map((bodies) => bodies?.requestId);
    assert.deepEqual(await left(), ['req_5', 'req_4', 'req_3', 'req_0']);

    assert.equal(await store.eraseBefore(NOON_MS, 2), 2);
    assert.deepEqual(await left(), [undefined, undefined, 'req_3', 'req_0']);

    assert.equal(await store.eraseBefore(NOON_MS, 2), 1);
    assert.equal(await store.eraseBefore(NOON_MS, 2), 0);
    assert.deepEqual(await left(), [undefined, undefined, undefined, 'req_0']);
  });
}

const NOTHING = new Uint8Array(0);
const EMPTY = { bytes: NOTHING, truncated: false };

function exchange(requestId: string, changes: Partial<KeptBodies> = {}): KeptBodies {
  return {
    requestId,
    tenant: 'acme',
    createdAtMs: NOON_MS,
    request: { bytes: new Uint8Array([1]), truncated: false },
    response: { bytes: new Uint8Array([2]), truncated: true },
    ...changes,
  };
}
