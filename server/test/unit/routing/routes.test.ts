/**
 * Names to routes: aliases, direct names, and what names a set of targets.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route } from '../../../src/gateway/model/route.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { createRoutes, type RouteTable } from '../../../src/gateway/routing/routes.ts';
import { NO_CACHE, TARGET } from '../pipeline/fakes.ts';

const CACHE = { ...NO_CACHE, enabled: true, ttlSeconds: 60, maxEntryBytes: 1000 };

function target(provider: string, model: string): Target {
  return { ...TARGET, id: `${provider}/${model}`, provider, model };
}

function setUp(changes: Partial<RouteTable> = {}) {
  const asked: string[] = [];
  const table: RouteTable = {
    generation: 7,
    aliases: [
      {
        name: 'fast',
        strategy: 'weighted',
        targets: [target('a', 'x'), target('b', 'y')],
        cache: CACHE,
      },
    ],
    names: new Map(),
    direct(provider, model) {
      asked.push(`${provider} ${model}`);
      return provider === 'a' || provider === 'b' ? target(provider, model) : undefined;
    },
    short: (name) => (name.startsWith('a:') ? target('a', name) : undefined),
    directCache: { ...CACHE, ttlSeconds: 5 },
    providerIdentity: (provider) => `kind of ${provider}`,
    listings: [{ name: 'fast', createdSeconds: 1, ownedBy: 'esclusa', operations: ['chat'] }],
    ...changes,
  };
  return { asked, table, routes: createRoutes(table) };
}

function alias(targets: readonly Target[]) {
  return [{ name: 'fast', strategy: 'fallback' as const, targets, cache: CACHE }];
}

function setOf(targets: readonly Target[], changes: Partial<RouteTable> = {}): string {
  return setUp({ aliases: alias(targets), ...changes }).routes.resolve('fast')?.targetSet ?? '';
}

test('an alias resolves to its targets in their order, with its policy', () => {
  const { routes } = setUp();

  const fast = routes.resolve('fast');

  assert.equal(fast?.name, 'fast');
  assert.equal(fast?.strategy, 'weighted');
  assert.deepEqual(
    fast?.targets.map((one) => one.id),
    ['a/x', 'b/y'],
  );
  assert.equal(fast?.cache.ttlSeconds, 60);
  assert.equal(routes.generation, 7);
});

test('a direct name resolves to one target, split at the first slash', () => {
  const { routes, asked } = setUp();

  const direct = routes.resolve('a/meta/llama');

  assert.deepEqual(asked, ['a meta/llama']);
  assert.equal(direct?.name, 'a/meta/llama');
  assert.deepEqual(
    direct?.targets.map((one) => one.id),
    ['a/meta/llama'],
  );
  assert.equal(direct?.cache.ttlSeconds, 5);
});

test('a name that is neither is unknown, and asks for nothing it cannot be', () => {
  const { routes, asked } = setUp();

  for (const name of ['slow', '', '/x', 'toString', '__proto__']) {
    assert.equal(routes.resolve(name), undefined);
  }
  assert.deepEqual(asked, []);
  assert.equal(routes.resolve('nobody/x'), undefined);
  assert.deepEqual(asked, ['nobody x']);
});

test('a name that is short for one resolves to its target, once and under its own name', () => {
  const { routes, asked } = setUp();

  const short = routes.resolve('a:quick');

  assert.equal(short?.name, 'a:quick');
  assert.deepEqual(
    short?.targets.map((one) => one.id),
    ['a/a:quick'],
  );
  assert.equal(routes.resolve('a:quick'), short);
  assert.equal(routes.resolve('b:quick'), undefined);
  assert.deepEqual(asked, []);
});

test('an alias wins over a direct name', () => {
  const aliases = [{ ...alias([target('b', 'y')])[0], name: 'a/x' }] as RouteTable['aliases'];
  const { routes, asked } = setUp({ aliases });

  assert.equal(routes.resolve('a/x')?.targets[0]?.id, 'b/y');
  assert.deepEqual(asked, []);
});

test('another name leads to what it stands for, an alias or a model', () => {
  const names = new Map([
    ['role/router', 'fast'],
    ['role/logic', 'b/y'],
    ['gpt-of-old', 'fast'],
    ['a/of-old', 'b/y'],
  ]);
  const { routes } = setUp({ names });

  assert.equal(routes.resolve('role/router'), routes.resolve('fast'));
  assert.equal(routes.resolve('gpt-of-old'), routes.resolve('fast'));
  assert.equal(routes.resolve('role/logic'), routes.resolve('b/y'));
  assert.equal(routes.resolve('a/of-old')?.name, 'b/y');
  assert.equal(routes.resolve('role/nobody'), undefined);
});

test('an alias wins over another name, and names do not lead to names', () => {
  const names = new Map([
    ['fast', 'b/y'],
    ['one', 'two'],
    ['two', 'fast'],
  ]);
  const { routes } = setUp({ names });

  assert.equal(routes.resolve('fast')?.targets.length, 2);
  assert.equal(routes.resolve('one'), undefined);
});

test('a route with some of its targets is another set, made once; with all it is itself', () => {
  const { routes } = setUp();
  const fast = routes.resolve('fast') as Route;

  const some = routes.narrow(fast, fast.targets.slice(1));

  assert.equal(routes.narrow(fast, [...fast.targets]), fast);
  assert.equal(routes.narrow(fast, fast.targets.slice(1)), some);
  assert.deepEqual(
    [some.name, some.strategy, some.targets],
    ['fast', 'weighted', [fast.targets[1]]],
  );
  assert.notEqual(some.targetSet, fast.targetSet);
  assert.equal(some.targetSet, setOf([target('b', 'y')]));
});

test('a direct route is made once, an unknown name is asked for again', () => {
  const { routes, asked } = setUp();

  assert.equal(routes.resolve('a/x'), routes.resolve('a/x'));
  routes.resolve('nobody/x');
  routes.resolve('nobody/x');

  assert.deepEqual(asked, ['a x', 'nobody x', 'nobody x']);
});

test('direct routes are remembered in bounded number, the oldest is forgotten', () => {
  const { routes, asked } = setUp();
  for (let i = 0; i < 1024; i += 1) routes.resolve(`a/${i}`);
  routes.resolve('a/0');
  assert.equal(asked.length, 1024);

  routes.resolve('a/one-more');
  routes.resolve('a/1');
  assert.equal(asked.length, 1025);
  routes.resolve('a/0');

  assert.equal(asked.length, 1026);
});

test('a set of targets is named alike in any order and however often one is listed', () => {
  const [x, y] = [target('a', 'x'), target('b', 'y')];

  assert.equal(setOf([x, y]), setOf([y, x]));
  assert.equal(setOf([x, y]), setOf([x, y, x]));
});

test('other targets, and other upstreams behind a name, are another set', () => {
  const [x, y] = [target('a', 'x'), target('b', 'y')];
  const moved = { providerIdentity: (provider: string) => `elsewhere ${provider}` };

  const sets = [
    setOf([x]),
    setOf([y]),
    setOf([x, y]),
    setOf([target('a', 'y')]),
    setOf([x], moved),
    setOf([]),
  ];

  assert.equal(new Set(sets).size, sets.length);
});

test('names that run together when joined are different sets', () => {
  const sets = [
    setOf([target('a', 'b/c')]),
    setOf([target('a/b', 'c')]),
    setOf([target('a', 'b'), target('c', 'd')]),
    setOf([target('a', 'b"],["c","d')]),
  ];

  assert.equal(new Set(sets).size, sets.length);
});

test('a direct name and an alias of the same single target share one set', () => {
  const { routes } = setUp({ aliases: alias([target('a', 'x')]) });

  assert.equal(routes.resolve('fast')?.targetSet, routes.resolve('a/x')?.targetSet);
});

test('the list is the one of the table', () => {
  const { table, routes } = setUp();

  assert.equal(routes.list(), table.listings);
});

test('the arms of an experiment share no set, also where their targets are the same', () => {
  const [fast] = alias([target('a', 'x')]);
  assert.ok(fast !== undefined);
  const experiment = { flag: 'rollout', candidate: 'other' };
  const { routes } = setUp({
    aliases: [
      { ...fast, experiment },
      { ...fast, name: 'other' },
    ],
  });
  const route = routes.resolve('fast');

  const sets = [route, route?.experiment?.control, route?.experiment?.candidate].map(
    (one) => one?.targetSet,
  );

  assert.ok(sets.every((set) => typeof set === 'string'));
  assert.equal(new Set(sets).size, 3);
});
