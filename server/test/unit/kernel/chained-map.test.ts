/** A map for what comes and goes. Method: random histories beside a `Map`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChainedMap } from '../../../src/kernel/chained-map.ts';

/** Few keys, so that they meet; `Aa…` and numbers share buckets. */
const key = fc.oneof(
  fc.nat(60).map((n) => `${n}`),
  fc.string({ maxLength: 3 }),
);

describe('a chained map', () => {
  it('does what a Map would, in any history', () => {
    const step = fc.tuple(fc.constantFrom('set', 'set', 'delete', 'get'), key, fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new ChainedMap<number>();
        const model = new Map<string, number>();
        for (const [action, name, value] of steps) {
          if (action === 'delete') assert.equal(map.delete(name), model.delete(name));
          if (action === 'get') assert.equal(map.get(name), model.get(name));
          if (action === 'set') {
            map.set(name, value);
            model.set(name, value);
          }
          assert.equal(map.size, model.size);
        }
        const inOrder = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
        assert.deepEqual(inOrder(map.values()), inOrder(model.values()));
      }),
    );
  });

  it('keeps every entry while it grows', () => {
    const map = new ChainedMap<number>();
    for (let at = 0; at < 5000; at += 1) map.set(`key ${at}`, at);

    for (let at = 0; at < 5000; at += 1) assert.equal(map.get(`key ${at}`), at);
    assert.equal(map.size, 5000);
  });
});
