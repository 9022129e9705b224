/**
 * The order in which targets are tried, with a die and the targets' availability in hand: what
 * holds for every strategy, and the two that need no figures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteStrategy } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { soonestRetryMs } from '../../../src/gateway/routing/order.ts';
import { factsOf, orderOf, planOf, rolling, routeOf, weighing } from './fixture.ts';

const idsOf = (targets: readonly Target[]) => targets.map(({ id }) => id);

const STRATEGIES: readonly RouteStrategy[] = [
  'fallback',
  'weighted',
  'latency',
  'cost',
  'least-busy',
];

test('fallback keeps the order of the configuration, whatever the weights', () => {
  const route = routeOf('fallback', weighing({ b: 1, a: 9, c: 5 }));

  assert.equal(orderOf(route, { random: rolling(0.99) }), 'bac');
});

test('the die picks by weight, and the heaviest follow', () => {
  const weighted = routeOf('weighted', weighing({ a: 10, b: 60, c: 30 }));
  const order = (roll: number) => orderOf(weighted, { random: rolling(roll) });

  assert.deepEqual([0, 0.599].map(order), ['bca', 'bca']);
  assert.deepEqual([0.6, 0.899].map(order), ['cba', 'cba']);
  assert.deepEqual([0.9, 0.999].map(order), ['abc', 'abc']);
});

test('ten thousand draws come close to the weights', () => {
  const weighted = routeOf('weighted', weighing({ a: 90, b: 10 }));
  let first = 0;

  for (let i = 0; i < 10_000; i += 1) {
    if (orderOf(weighted, { random: rolling(i / 10_000) }) === 'ab') first += 1;
  }

  assert.equal(first, 9000);
});

test('a weight of zero is never drawn, and stands in when the others fail', () => {
  const weighted = routeOf('weighted', weighing({ spare: 0, main: 1 }));

  assert.equal(orderOf(weighted, { random: rolling(0) }), 'mainspare');
  assert.equal(orderOf(weighted, { random: rolling(0.999) }), 'mainspare');
});

test('without any weight the order is that of the configuration', () => {
  const weighted = routeOf('weighted', weighing({ b: 0, a: 0, c: 0 }));

  assert.equal(orderOf(weighted, { random: rolling(0.5) }), 'bac');
});

test('targets that cannot be called are left out, each with its reason and time', () => {
  const route = routeOf('fallback', weighing({ a: 1, b: 1, c: 1 }));

  const { targets, rejected } = planOf(route, { down: { a: 500, c: 20 } });

  assert.deepEqual(
    targets.map(({ id }) => id),
    ['b'],
  );
  assert.deepEqual(
    rejected.map((one) => [one.target.id, one.reason, one.retryAfterMs]),
    [
      ['a', 'breaker_open', 500],
      ['c', 'breaker_open', 20],
    ],
  );
});

test('the weight of a target left out goes over to the others', () => {
  const weighted = routeOf('weighted', weighing({ a: 90, b: 5, c: 5 }));

  assert.equal(orderOf(weighted, { random: rolling(0.4), down: { a: 1 } }), 'bc');
  assert.equal(orderOf(weighted, { random: rolling(0.6), down: { a: 1 } }), 'cb');
});

test('the soonest of those left out is told, and none without any', () => {
  const all = planOf(routeOf('fallback', weighing({ a: 1, b: 1 })), { down: { a: 500, b: 20 } });

  assert.deepEqual(all.targets, []);
  assert.equal(soonestRetryMs(all.rejected), 20);
  assert.equal(soonestRetryMs([]), null);
});

test('a client that declines fallback gets the first target of the order alone', () => {
  const route = routeOf('cost', weighing({ a: 1, b: 1, c: 1 }));
  const nanousd = { a: 3, b: 1, c: 2 };
  const order = (value: string) =>
    orderOf(route, { nanousd, facts: factsOf({ headers: ['X-No-Fallback', value] }) });

  assert.deepEqual(['true', '1', 'YES'].map(order), ['b', 'b', 'b']);
  assert.deepEqual(['false', '0', ''].map(order), ['bca', 'bca', 'bca']);
});

test('a client that declines fallback gets no other while the first is left out', () => {
  const facts = factsOf({ headers: ['x-no-fallback', 'true'] });
  const plan = (how: RouteStrategy, down: Record<string, number>) =>
    planOf(routeOf(how, weighing({ a: 1, b: 1 })), { facts, down });

  assert.deepEqual(plan('fallback', { a: 500 }).targets, []);
  assert.equal(soonestRetryMs(plan('fallback', { a: 500, b: 5 }).rejected), 500);
  assert.deepEqual(idsOf(plan('fallback', { b: 500 }).targets), ['a']);
  assert.deepEqual(idsOf(plan('weighted', { a: 500 }).targets), ['b']);
});

test('every target of a route is in exactly one of the two lists, under every strategy', () => {
  const weights = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat(10), { maxKeys: 6 });
  const roll = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  const figures = fc.record({
    ms: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat()),
    waiting: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat(3)),
  });
  const strategy = fc.constantFrom(...STRATEGIES);
  fc.assert(
    fc.property(
      ...([weights, roll, strategy, fc.array(fc.boolean()), figures] as const),
      (given, rolls, how, isDown, { ms, waiting }) => {
        const route = routeOf(how, weighing(given));
        const before = [...route.targets];
        const off = route.targets.filter((_target, at) => isDown[at] ?? false);
        const down = Object.fromEntries(off.map(({ id }) => [id, 1]));
        const seen = Object.fromEntries(Object.keys(given).map((id, at) => [id, ms[id] ?? at]));

        const made = planOf(route, {
          ...{ random: rolling(...rolls), down, waiting, ms: seen, load: waiting, nanousd: ms },
        });

        const up = route.targets.filter((target) => !off.includes(target));
        assert.deepEqual(new Set(made.targets), new Set(up));
        assert.equal(made.targets.length, up.length);
        assert.deepEqual(
          made.rejected.map((one) => one.target),
          off,
        );
        assert.deepEqual(route.targets, before);
      },
    ),
    { numRuns: 500 },
  );
});

test('where every target is out, the soonest that is only to be avoided is the last resort', () => {
  const route = routeOf('fallback', weighing({ a: 1, b: 1, c: 1 }));

  const { targets, rejected } = planOf(route, {
    down: { a: 9000, b: 10, c: 5000 },
    reasons: { a: 'resting', b: 'breaker_open', c: 'breaker_slow' },
  });

  assert.deepEqual(
    [targets, rejected.map(({ target }) => target)].map((ones) => ones.map(({ id }) => id)),
    [['c'], ['a', 'b']],
  );
});

test('a target to be avoided is left out while another one is available', () => {
  const route = routeOf('fallback', weighing({ a: 1, b: 1 }));

  assert.equal(orderOf(route, { down: { a: 10 }, reasons: { a: 'resting' } }), 'b');
});
