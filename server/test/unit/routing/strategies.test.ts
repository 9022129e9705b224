/**
 * The strategies that look at figures, with the figures in hand: who comes first, who follows,
 * and what becomes of those nothing is known of.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { orderOf, rolling, routeOf, weighing } from './fixture.ts';

const AB = weighing({ a: 1, b: 1 });
const ABC = weighing({ a: 1, b: 1, c: 1 });

describe('by latency', () => {
  const two = routeOf('latency', AB);
  const three = routeOf('latency', ABC);

  it('the quicker of two comes first', () => {
    assert.equal(orderOf(two, { ms: { a: 300, b: 20 } }), 'ba');
    assert.equal(orderOf(two, { ms: { a: 20, b: 300 } }), 'ab');
  });

  it('of three the slowest is never first, and the others follow by speed', () => {
    const ms = { a: 30, b: 10, c: 20 };
    const first = (...rolls: number[]) => orderOf(three, { ms, random: rolling(...rolls) });

    // By speed they stand b, c, a; the rolls draw two of these places.
    assert.equal(first(0, 0), 'bca');
    assert.equal(first(0, 0.9), 'bca');
    assert.equal(first(0.4, 0.9), 'cba');
    assert.equal(first(0.9, 0.9), 'cba');
    fc.assert(
      fc.property(fc.double({ max: 0.999, min: 0 }), fc.double({ max: 0.999, min: 0 }), (i, j) => {
        assert.notEqual(first(i, j)[0], 'a');
      }),
    );
  });

  it('calls that wait make a target slower than one with none', () => {
    const ms = { a: 20, b: 50 };

    assert.equal(orderOf(two, { ms, waiting: { a: 1 } }), 'ab');
    assert.equal(orderOf(two, { ms, waiting: { a: 2 } }), 'ba');
  });

  it('one that was never called is tried by one call at a time', () => {
    const ms = { a: 20 };

    assert.equal(orderOf(two, { ms }), 'ba');
    assert.equal(orderOf(two, { ms, waiting: { b: 1 } }), 'ab');
  });

  it('where nothing is known, those with fewest calls come first, else the file’s order', () => {
    assert.equal(orderOf(two), 'ab');
    assert.equal(orderOf(two, { waiting: { a: 1, b: 1 } }), 'ab');
    assert.equal(orderOf(two, { waiting: { a: 2, b: 1 } }), 'ba');
  });
});

describe('by cost', () => {
  const route = routeOf('cost', ABC);

  it('the cheapest comes first and the dearer follow', () => {
    assert.equal(orderOf(route, { nanousd: { a: 30, b: 10, c: 20 } }), 'bca');
  });

  it('those without a price come last, in the order of the file', () => {
    assert.equal(orderOf(route, { nanousd: { c: 20 } }), 'cab');
    assert.equal(orderOf(route), 'abc');
  });

  it('what costs nothing is cheaper than what has no price', () => {
    assert.equal(orderOf(route, { nanousd: { b: 0 } }), 'bac');
  });
});

describe('by room', () => {
  const route = routeOf('least-busy', ABC);

  it('the one with the smallest share of its places taken comes first', () => {
    assert.equal(orderOf(route, { load: { a: 0.5, b: 0.1, c: 0.2 } }), 'bca');
  });

  it('equals take turns by chance', () => {
    assert.equal(orderOf(route, { random: rolling(0) }), 'abc');
    assert.equal(orderOf(route, { random: rolling(0.34) }), 'bca');
    assert.equal(orderOf(route, { random: rolling(0.99) }), 'cab');
  });

  it('chance decides between equals only', () => {
    const load = { a: 0.5 };

    assert.equal(orderOf(route, { load, random: rolling(0) }), 'bca');
    assert.equal(orderOf(route, { load, random: rolling(0.99) }), 'cba');
  });
});
