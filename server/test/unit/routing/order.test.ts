/**
 * The order in which targets are tried, with a die and the targets' availability in hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Availability } from '../../../src/gateway/model/availability.ts';
import type { Route, RouteStrategy } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { planRoute, soonestRetryMs } from '../../../src/gateway/routing/order.ts';
import { TARGET } from '../pipeline/fakes.ts';

function route(strategy: RouteStrategy, weights: Readonly<Record<string, number>>): Route {
  const targets = Object.entries(weights).map(
    ([id, weight]): Target => ({ ...TARGET, id, weight }),
  );
  const cache = { enabled: false, ttlSeconds: 0, staleIfErrorSeconds: 0, maxEntryBytes: 0 };
  return { name: 'r', strategy, targets, targetSet: '', cache };
}

function rolling(value: number) {
  return { float: () => value, bytes: (length: number) => new Uint8Array(length) };
}

function plan(of: Route, roll: number, down: Readonly<Record<string, number>> = {}) {
  const made = planRoute(of, rolling(roll), (target): Availability => {
    const retryAfterMs = down[target.id];
    return retryAfterMs === undefined
      ? { kind: 'available' }
      : { kind: 'unavailable', reason: 'breaker_open', retryAfterMs };
  });
  return { order: made.targets.map((target) => target.id).join(''), rejected: made.rejected };
}

test('fallback keeps the order of the configuration, whatever the weights', () => {
  assert.equal(plan(route('fallback', { b: 1, a: 9, c: 5 }), 0.99).order, 'bac');
});

test('the die picks by weight, and the heaviest follow', () => {
  const weighted = route('weighted', { a: 10, b: 60, c: 30 });
  const order = (roll: number) => plan(weighted, roll).order;

  assert.deepEqual([0, 0.599].map(order), ['bca', 'bca']);
  assert.deepEqual([0.6, 0.899].map(order), ['cba', 'cba']);
  assert.deepEqual([0.9, 0.999].map(order), ['abc', 'abc']);
});

test('ten thousand draws come close to the weights', () => {
  const weighted = route('weighted', { a: 90, b: 10 });
  let first = 0;

  for (let i = 0; i < 10_000; i += 1) {
    if (plan(weighted, i / 10_000).order === 'ab') first += 1;
  }

  assert.equal(first, 9000);
});

test('a weight of zero is never drawn, and stands in when the others fail', () => {
  const weighted = route('weighted', { spare: 0, main: 1 });

  assert.equal(plan(weighted, 0).order, 'mainspare');
  assert.equal(plan(weighted, 0.999).order, 'mainspare');
});

test('without any weight the order is that of the configuration', () => {
  assert.equal(plan(route('weighted', { b: 0, a: 0, c: 0 }), 0.5).order, 'bac');
});

test('targets that cannot be called are left out, each with its reason and time', () => {
  const { order, rejected } = plan(route('fallback', { a: 1, b: 1, c: 1 }), 0, { a: 500, c: 20 });

  assert.equal(order, 'b');
  assert.deepEqual(
    rejected.map((one) => [one.target.id, one.reason, one.retryAfterMs]),
    [
      ['a', 'breaker_open', 500],
      ['c', 'breaker_open', 20],
    ],
  );
});

test('the weight of a target left out goes over to the others', () => {
  const weighted = route('weighted', { a: 90, b: 5, c: 5 });

  assert.equal(plan(weighted, 0.4, { a: 1 }).order, 'bc');
  assert.equal(plan(weighted, 0.6, { a: 1 }).order, 'cb');
});

test('the soonest of those left out is told, and none without any', () => {
  const all = plan(route('fallback', { a: 1, b: 1 }), 0, { a: 500, b: 20 });

  assert.equal(all.order, '');
  assert.equal(soonestRetryMs(all.rejected), 20);
  assert.equal(soonestRetryMs([]), null);
});

test('planning leaves the route as it was', () => {
  const weighted = route('weighted', { a: 1, b: 9 });

  plan(weighted, 0.95);

  assert.deepEqual(
    weighted.targets.map((target) => target.id),
    ['a', 'b'],
  );
});

test('every target of a route is in exactly one of the two lists', () => {
  const weights = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat(10), { maxKeys: 6 });
  const roll = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const strategy = fc.constantFrom<RouteStrategy>('fallback', 'weighted');
  fc.assert(
    fc.property(weights, roll, strategy, fc.array(fc.boolean()), (given, rolled, how, down) => {
      const of = route(how, given);
      const isDown = (target: Target) => down[of.targets.indexOf(target)] ?? false;
      const made = planRoute(of, rolling(rolled), (target) =>
        isDown(target)
          ? { kind: 'unavailable', reason: 'bulkhead_full', retryAfterMs: 1 }
          : { kind: 'available' },
      );
      const up = of.targets.filter((target) => !isDown(target));
      assert.deepEqual(new Set(made.targets), new Set(up));
      assert.equal(made.targets.length, up.length);
      assert.deepEqual(
        made.rejected.map((one) => one.target),
        of.targets.filter(isDown),
      );
    }),
    { numRuns: 500 },
  );
});
