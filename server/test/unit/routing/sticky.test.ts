/**
 * Sticky targets: the same label finds the same target, shares come out as the weights say, and
 * a change moves no more labels than it must.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Target } from '../../../src/gateway/model/target.ts';
import { inStickyOrder } from '../../../src/gateway/routing/strategies/sticky.ts';
import { factsOf, orderOf, rolling, routeOf, targetOf, weighing } from './fixture.ts';

const LABELS = Array.from({ length: 10_000 }, (_none, at) => `session ${at}`);

function firstOf(targets: readonly Target[], label: string): string {
  return inStickyOrder(targets, 'r', label)[0]?.id ?? '';
}

function shareOf(targets: readonly Target[], id: string): number {
  return LABELS.filter((label) => firstOf(targets, label) === id).length / LABELS.length;
}

describe('a sticky order', () => {
  it('is that of the label, whatever the die and the order of the file', () => {
    const sticky = { kind: 'metadata', name: 'session' } as const;
    const targets = weighing({ a: 1, b: 1, c: 1 });
    const facts = factsOf({ body: { metadata: { session: 's-1' } } });

    const orders = [
      orderOf(routeOf('weighted', targets, sticky), { facts, random: rolling(0) }),
      orderOf(routeOf('weighted', targets, sticky), { facts, random: rolling(0.99) }),
      orderOf(routeOf('weighted', targets.toReversed(), sticky), { facts }),
    ];

    assert.equal(new Set(orders).size, 1);
  });

  it('is the same in every process, also while two releases run side by side', () => {
    const targets = weighing({ a: 1, b: 2, c: 3 });
    const order = (label: string) =>
      inStickyOrder(targets, 'r', label)
        .map(({ id }) => id)
        .join('');

    assert.deepEqual(['x', 'y', 'z', 'session 7'].map(order), PINNED);
  });

  it('draws where the request does not carry the label', () => {
    const route = routeOf('weighted', weighing({ a: 1, b: 1 }), { kind: 'user' });

    assert.equal(orderOf(route, { random: rolling(0.1) }), 'ab');
    assert.equal(orderOf(route, { random: rolling(0.9) }), 'ba');
  });

  it('reads tenant, key, user and header', () => {
    const facts = (label: string) =>
      factsOf({
        body: { user: label },
        headers: ['X-Session-Id', label],
        principal: { tenant: label, keyId: label },
      });
    const targets = weighing({ a: 1, b: 1, c: 1, d: 1 });
    for (const sticky of [
      { kind: 'tenant' },
      { kind: 'key' },
      { kind: 'user' },
      { kind: 'header', name: 'x-session-id' },
    ] as const) {
      for (const label of LABELS.slice(0, 20)) {
        const order = orderOf(routeOf('weighted', targets, sticky), { facts: facts(label) });
        const expected = inStickyOrder(targets, 'r', label).map(({ id }) => id);
        assert.equal(order, expected.join(''), `${sticky.kind} ${label}`);
      }
    }
  });

  it('gives each target its share', () => {
    const targets = weighing({ a: 90, b: 10 });

    const share = shareOf(targets, 'b');

    assert.ok(Math.abs(share - 0.1) < 0.01, `b has ${share}`);
  });

  it('never begins with a weight of zero, and ends with it', () => {
    const targets = weighing({ spare: 0, a: 1, other: 0 });

    for (const label of LABELS.slice(0, 100)) {
      const order = inStickyOrder(targets, 'r', label).map(({ id }) => id);
      assert.deepEqual(order, ['a', 'spare', 'other']);
    }
  });

  it('keeps every label but those of a target that went away', () => {
    const all = weighing({ a: 3, b: 2, c: 1 });
    const rest = all.filter(({ id }) => id !== 'b');

    for (const label of LABELS.slice(0, 2000)) {
      const before = firstOf(all, label);
      if (before !== 'b') assert.equal(firstOf(rest, label), before, label);
    }
  });

  it('moves labels only to a target whose weight rises, as many as the weights say', () => {
    const before = weighing({ a: 50, b: 50 });
    const after = weighing({ a: 50, b: 75 });

    const moved = LABELS.filter((label) => firstOf(before, label) !== firstOf(after, label));

    assert.ok(moved.every((label) => firstOf(after, label) === 'b'));
    assert.ok(Math.abs(moved.length / LABELS.length - 0.1) < 0.01, `${moved.length} moved`);
  });

  it('moves nothing between targets whose weights stay, whatever else changes', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(
        weights,
        fc.nat(),
        fc.integer({ min: 1, max: 9 }),
        fc.string(),
        (ws, at, w, l) => {
          const changed = at % ws.length;
          const make = (all: readonly number[]) =>
            all.map((weight, index) => targetOf(`t${index}`, { weight }));
          const before = firstOf(make(ws), l);
          const after = firstOf(make(ws.with(changed, w)), l);
          assert.ok(before === after || [before, after].includes(`t${changed}`));
        },
      ),
    );
  });
});

/** Found once, and to be found for ever. */
const PINNED = ['cba', 'bca', 'acb', 'cba'];
