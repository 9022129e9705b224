/**
 * Several keys of one provider: who is called with which, for how long a refused one rests, and
 * what is thrown when all are refused. The clock is moved by hand, refusals are written out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, GatewayError } from '../../../src/gateway/model/errors.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import type { ProviderAdapter, ProviderKey } from '../../../src/gateway/ports/provider.ts';
import { createKeyRotation } from '../../../src/gateway/resilience/key-rotation.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { TARGET } from '../pipeline/fakes.ts';

const NO_ADAPTER = {} as ProviderAdapter;

function keysOf(count: number): readonly ProviderKey[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `up fingerprint-${index + 1}`,
    name: String(index + 1),
    adapter: NO_ADAPTER,
  }));
}

function error(code: ErrorCode, retryAfterMs?: number): GatewayError {
  return new GatewayError(code, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** What each key's calls come to, by its place; a key that is not named works. */
type Script = Readonly<Record<string, unknown>>;

function setUp(count = 3) {
  const clock = createManualClock();
  const told: string[] = [];
  const rotation = createKeyRotation(clock, {
    refused: (provider, key, reason, restMs, began) =>
      told.push(`${provider} ${key}: ${reason} ${restMs}${began ? '' : ' again'}`),
  });
  const keys = keysOf(count);
  /** The places of the keys that were called, run together, and how it ended. */
  async function call(script: Script = {}, target: Target = TARGET) {
    let called = '';
    const { signal } = new AbortController();
    const end = await rotation
      .turn(keys, target, signal, async ({ name }) => {
        called += name;
        if (script[name] !== undefined) throw script[name];
        return 'answer';
      })
      .catch((thrown: unknown) => thrown);
    return { called, end };
  }
  return { clock, told, rotation, keys, call };
}

test('keys take turns', async () => {
  const { call } = setUp();

  const called: string[] = [];
  for (let i = 0; i < 7; i += 1) called.push((await call()).called);

  assert.equal(called.join(''), '1231231');
});

for (const [code, reason, restMs] of [
  ['upstream_credentials', 'credentials', 600_000],
  ['upstream_quota_exhausted', 'quota', 300_000],
  ['upstream_rate_limited', 'rate_limit', 1000],
] as const) {
  test(`a key that is refused with ${code} rests ${restMs} ms; the next one answers`, async () => {
    const { clock, told, call } = setUp();

    assert.deepEqual(await call({ 1: error(code) }), { called: '12', end: 'answer' });
    assert.deepEqual(told, [`up 1: ${reason} ${restMs}`]);
    clock.advance(restMs - 1);
    for (let i = 0; i < 6; i += 1) assert.doesNotMatch((await call()).called, /1/);
    clock.advance(1);

    let called = '';
    for (let i = 0; i < 3; i += 1) called += (await call()).called;
    assert.match(called, /1/);
  });
}

test('a rest that the provider names is kept, a longer one also for a refused key', async () => {
  const { told, call } = setUp();

  await call({
    1: error('upstream_rate_limited', 7000),
    2: error('upstream_credentials', 5),
    3: error('upstream_quota_exhausted', 1e12),
  });

  assert.deepEqual(told, [
    'up 1: rate_limit 7000',
    'up 2: credentials 600000',
    'up 3: quota 86400000',
  ]);
});

test('a rate limit is that of a model, bad credentials are those of every model', async () => {
  const { keys, rotation, call } = setUp(2);
  const other: Target = { ...TARGET, id: 'up/other', model: 'other' };
  const [first, second] = keys;
  assert.ok(first !== undefined && second !== undefined);

  await call({ 1: error('upstream_rate_limited', 9000), 2: error('upstream_credentials') });

  assert.deepEqual([rotation.rests(first, TARGET), rotation.rests(first, other)], [true, false]);
  assert.deepEqual([rotation.rests(second, TARGET), rotation.rests(second, other)], [true, true]);
});

test('what is not about the key is thrown at once, and no other key is called', async () => {
  const { told, call } = setUp();
  const failed = error('upstream_failed');

  assert.deepEqual(await call({ 1: failed }), { called: '1', end: failed });
  assert.deepEqual(told, []);
});

test('when every key is refused, what is over first is thrown', async () => {
  const bad = error('upstream_credentials');
  const soon = error('upstream_rate_limited', 2000);
  const late = error('upstream_rate_limited', 9000);

  assert.equal((await setUp().call({ 1: late, 2: soon, 3: bad })).end, soon);
  assert.equal((await setUp().call({ 1: bad, 2: late, 3: soon })).end, soon);
  assert.equal((await setUp().call({ 1: bad, 2: bad, 3: bad })).end, bad);
});

test('while all rest, only the one whose rest ends first is called', async () => {
  const { call, clock, told } = setUp();
  await call({
    1: error('upstream_rate_limited', 9000),
    2: error('upstream_rate_limited', 3000),
    3: error('upstream_credentials'),
  });

  assert.deepEqual(await call(), { called: '2', end: 'answer' });
  const refused = error('upstream_rate_limited', 1000);
  assert.deepEqual(await call({ 2: refused }), { called: '2', end: refused });
  assert.equal(told.at(-1), 'up 2: rate_limit 1000 again');
  clock.advance(3000);

  assert.equal((await call()).called, '2');
});

test('bad keys are called about as often as a lone bad key would be', async () => {
  const { call } = setUp(2);
  const bad = error('upstream_credentials');

  let called = 0;
  for (let i = 0; i < 40; i += 1) called += (await call({ 1: bad, 2: bad })).called.length;

  assert.equal(called, 41, 'the first call tries both, each later one the sooner');
});

test('a caller that left tries no further key, and no key is blamed', async () => {
  const { keys, rotation, told } = setUp();
  const abort = new AbortController();
  let calls = 0;

  const turn = rotation.turn(keys, TARGET, abort.signal, async () => {
    calls += 1;
    abort.abort(error('client_closed'));
    throw error('upstream_credentials');
  });

  await assert.rejects(turn);
  assert.equal(calls, 1);
  assert.deepEqual(told, []);
});

test('no key is tried twice in an attempt, and one that works is found', async () => {
  const outcomes = fc.constantFrom<ErrorCode | null>(
    null,
    'upstream_credentials',
    'upstream_rate_limited',
    'upstream_quota_exhausted',
  );
  const history = fc.array(
    fc.tuple(fc.array(outcomes, { minLength: 4, maxLength: 4 }), fc.nat(700_000)),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const { clock, keys, rotation, call } = setUp(4);
      for (const [codes, waitMs] of steps) {
        clock.advance(waitMs);
        const awake = keys.filter((key) => !rotation.rests(key, TARGET)).map(({ name }) => name);
        const script = Object.fromEntries(
          codes.map((code, i) => [i + 1, code === null ? undefined : error(code)]),
        );

        const { called, end } = await call(script);

        assert.equal(new Set(called).size, called.length, 'none twice');
        if (awake.length === 0) assert.equal(called.length, 1);
        else assert.ok([...called].every((name) => awake.includes(name)));
        const works = awake.some((name) => codes[Number(name) - 1] === null);
        if (works) assert.equal(end, 'answer');
      }
    }),
    { numRuns: 1000 },
  );
});
