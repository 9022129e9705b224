/**
 * What may be looked up, given and stored, case by case.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ageSeconds,
  type CachePlan,
  entryOf,
  freshness,
  planCache,
  type Storable,
} from '../../../src/gateway/caching/policy.ts';
import type { FinishReason } from '../../../src/gateway/model/answer.ts';
import type { CacheUse } from '../../../src/gateway/model/principal.ts';
import {
  type CacheControl,
  type InferenceRequest,
  NO_CACHE_CONTROL,
} from '../../../src/gateway/model/request.ts';
import type { RouteCachePolicy } from '../../../src/gateway/model/route.ts';
import type { Operation } from '../../../src/gateway/model/target.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { CACHE, chatRequest } from '../pipeline/fakes.ts';

const NOW_MS = 1_700_000_000_000;
const FROM = {
  ...{ provider: 'up', providerModel: 'm', generation: 'g', policy: CACHE },
  ttlSeconds: null,
};

function control(changes: Partial<CacheControl>): Partial<InferenceRequest> {
  return { cacheControl: { ...NO_CACHE_CONTROL, ...changes } };
}

function plan(
  changes: Partial<InferenceRequest>,
  policy = CACHE,
  use: CacheUse = 'default',
): CachePlan {
  return planCache(chatRequest({ temperature: 0, ...changes }), policy, use);
}

function usable(changes: Partial<InferenceRequest> = {}, policy = CACHE) {
  const made = plan(changes, policy);
  assert.equal(made.kind, 'use', JSON.stringify(made));
  return made as Extract<CachePlan, { kind: 'use' }>;
}

function answer(finishReasons: readonly FinishReason[], bytes = 100): Storable {
  return {
    dialect: 'openai',
    contentType: 'application/json',
    bytes: Buffer.alloc(bytes, 'a'),
    terminal: null,
    usage: null,
    finishReasons,
  };
}

function rolling(value: number) {
  return { float: () => value, bytes: (length: number) => new Uint8Array(length) };
}

function stored(
  finishReasons: readonly FinishReason[],
  options: { bytes?: number; operation?: Operation; roll?: number } = {},
) {
  const { bytes = 100, operation = 'chat', roll = 0 } = options;
  return entryOf(answer(finishReasons, bytes), { ...FROM, operation }, NOW_MS, rolling(roll));
}

const BYPASSED: readonly [claim: string, changes: Partial<InferenceRequest>, detail: string][] = [
  ['a count of tokens passes', { operation: 'count_tokens' }, 'token-count'],
  ['no-store passes', control({ noStore: true }), 'no-store'],
  [
    'no-store wins over asking for an age',
    control({ noStore: true, maxAgeSeconds: 5 }),
    'no-store',
  ],
  ['a temperature above zero passes', { temperature: 0.7 }, 'not-deterministic'],
  ['an unstated temperature passes', { temperature: null }, 'not-deterministic'],
  ['no-cache is no opt-in', { temperature: 1, ...control({ noCache: true }) }, 'not-deterministic'],
];

for (const [claim, changes, detail] of BYPASSED) {
  test(claim, () => {
    assert.deepEqual(plan(changes), { kind: 'bypass', detail });
  });
}

test('a route without a cache passes, whatever the client asks', () => {
  const off = { ...CACHE, enabled: false };

  assert.deepEqual(plan(control({ maxAgeSeconds: 9 }), off), {
    kind: 'bypass',
    detail: 'disabled',
  });
});

test('temperature zero, an embedding, an age and only-if-cached are looked up', () => {
  const one = { temperature: 1 };

  assert.ok(usable({ temperature: 0 }).lookup);
  assert.ok(usable({ temperature: null, operation: 'embedding' }).lookup);
  assert.ok(usable({ ...one, ...control({ maxAgeSeconds: 60 }) }).lookup);
  assert.ok(usable({ ...one, ...control({ maxAgeSeconds: 0 }) }).lookup);
  assert.ok(usable({ ...one, ...control({ onlyIfCached: true }) }).lookup);
});

test('a stream is looked up and stored like other answers', () => {
  assert.ok(usable({ stream: true }).lookup);
  assert.equal(plan({ stream: true, temperature: 1 }).kind, 'bypass');
});

test('no-cache stores without looking up', () => {
  assert.equal(usable(control({ noCache: true })).lookup, false);
});

test('numbers that parsing makes equal to their neighbours pass, others do not', () => {
  const body = (text: string) => ({ body: JSON.parse(text) as JsonObject });

  for (const text of [
    '{"seed":9007199254740993}',
    '{"tools":[{"schema":{"maximum":-9223372036854775807}}]}',
    '{"a":[[1,[1e400]]]}',
  ]) {
    assert.deepEqual(plan(body(text)), { kind: 'bypass', detail: 'inexact-number' });
  }
  const foreign = { body: { seed: 2 ** 60 }, headers: {}, needed: [], dropped: [] };
  assert.deepEqual(plan({ foreign }), { kind: 'bypass', detail: 'inexact-number' });
  for (const text of [
    '{"seed":9007199254740991,"top_p":0.1}',
    '{"a":[null,true,"9007199254740993",-1,{"b":{}}]}',
  ]) {
    usable(body(text));
  }
});

test('an entry is fresh until its time is over, then stale, then as if absent', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const at = (ms: number) => freshness(usable(), entry, NOW_MS + ms);

  assert.deepEqual([0, 99_999, 100_000, 599_999, 600_000].map(at), [
    'fresh',
    'fresh',
    'stale',
    'stale',
    'unusable',
  ]);
});

test('a client’s age narrows what is fresh and never widens it', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const at = (maxAgeSeconds: number, ms: number) =>
    freshness(usable(control({ maxAgeSeconds })), entry, NOW_MS + ms);

  assert.equal(at(10, 10_000), 'fresh');
  assert.equal(at(10, 10_001), 'stale');
  assert.equal(at(1000, 100_000), 'stale');
  assert.equal(at(0, 0), 'fresh');
  assert.equal(at(0, 1), 'stale');
});

test('stale-if-error narrows how long an entry may stand in, down to not at all', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const at = (staleIfErrorSeconds: number, ms: number) =>
    freshness(usable(control({ staleIfErrorSeconds })), entry, NOW_MS + ms);

  assert.equal(at(0, 100_000), 'unusable');
  assert.equal(at(50, 149_999), 'stale');
  assert.equal(at(50, 150_000), 'unusable');
  assert.equal(at(10_000, 600_000), 'unusable');
});

test('a client asks for less time than the route gives, and never for more', () => {
  const freshFor = (ttlSeconds: number | null) => {
    const origin = { ...FROM, operation: 'chat' as const, ttlSeconds };
    const entry = entryOf(answer(['stop']), origin, NOW_MS, rolling(0));
    return (entry?.freshUntilMs ?? 0) - NOW_MS;
  };
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const renewing = { ...CACHE, staleWhileRevalidateSeconds: 20 };
  const at = (staleWhileRevalidateSeconds: number, ms: number) =>
    freshness(usable(control({ staleWhileRevalidateSeconds }), renewing), entry, NOW_MS + ms);

  assert.deepEqual([null, 7, 0, 9000].map(freshFor), [100_000, 7000, 0, 100_000]);
  assert.equal(at(10, 109_999), 'renewable');
  assert.equal(at(10, 110_000), 'stale');
  assert.equal(at(400, 119_999), 'renewable');
  assert.equal(at(400, 120_000), 'stale');
});

test('a shortened policy of the route applies to entries stored before', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const shortened = { ...CACHE, staleIfErrorSeconds: 10 };

  assert.equal(freshness(usable({}, shortened), entry, NOW_MS + 110_000), 'unusable');
});

test('a lengthened policy of the route keeps no entry beyond its own time', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);
  const lengthened = { ...CACHE, staleIfErrorSeconds: 9000 };

  assert.equal(freshness(usable({}, lengthened), entry, NOW_MS + 599_999), 'stale');
  assert.equal(freshness(usable({}, lengthened), entry, NOW_MS + 600_000), 'unusable');
});

test('the entry holds the answer, who gave it, and its times', () => {
  assert.deepEqual(stored(['stop']), {
    dialect: 'openai',
    contentType: 'application/json',
    bytes: Buffer.alloc(100, 'a'),
    terminal: null,
    usage: null,
    finishReasons: ['stop'],
    provider: 'up',
    providerModel: 'm',
    generation: 'g',
    storedAtMs: NOW_MS,
    freshUntilMs: NOW_MS + 100_000,
    keepUntilMs: NOW_MS + 600_000,
  });
});

test('entries live up to a tenth shorter than the route says, never longer', () => {
  assert.equal(stored(['stop'], { roll: 0.5 })?.freshUntilMs, NOW_MS + 95_000);
  assert.equal(stored(['stop'], { roll: 0.999 })?.freshUntilMs, NOW_MS + 90_010);
  assert.equal(stored(['stop'], { roll: 0.5 })?.keepUntilMs, NOW_MS + 595_000);
});

test('only an answer that ended by itself is stored', () => {
  for (const kept of [['stop'], ['tool_calls'], ['function_call'], ['stop', 'tool_calls']]) {
    assert.notEqual(stored(kept as FinishReason[]), null, kept.join());
  }
  for (const dropped of [[], ['length'], ['content_filter'], ['other'], ['stop', 'length']]) {
    assert.equal(stored(dropped as FinishReason[]), null, dropped.join());
  }
});

test('an embedding, which tells no reason, is stored', () => {
  assert.notEqual(stored([], { operation: 'embedding' }), null);
});

test('an answer of the largest size is stored, one byte more is not', () => {
  assert.notEqual(stored(['stop'], { bytes: 1000 }), null);
  assert.equal(stored(['stop'], { bytes: 1001 }), null);
});

test('an age is told in whole seconds, and none below zero', () => {
  const entry = stored(['stop']);
  assert.ok(entry !== null);

  assert.deepEqual(
    [-5000, 0, 999, 1000, 61_500].map((ms) => ageSeconds(entry, NOW_MS + ms)),
    [0, 0, 0, 1, 61],
  );
});

/** Whether a request is cached, by what its key and its model's policy say. */
const USES: readonly [CacheUse, RouteCachePolicy['mode'], plain: boolean, creative: boolean][] = [
  ['off', 'deterministic', false, false],
  ['off', 'always', false, false],
  ['default', 'requested', false, false],
  ['default', 'deterministic', true, false],
  ['default', 'always', true, true],
  ['requested', 'requested', false, false],
  ['requested', 'deterministic', false, false],
  ['requested', 'always', false, false],
  ['always', 'requested', true, true],
  ['always', 'deterministic', true, true],
  ['always', 'always', true, true],
];

for (const [use, mode, atZero, atOne] of USES) {
  const policy = { ...CACHE, mode };
  const kindOf = (changes: Partial<InferenceRequest>) => plan(changes, policy, use).kind;
  const word = (isUsed: boolean) => (isUsed ? 'use' : 'bypass');

  test(`a key that wants ${use} of a model with ${mode} is given just that`, () => {
    assert.equal(kindOf({ temperature: 0 }), word(atZero));
    assert.equal(kindOf({ temperature: 1 }), word(atOne));
    assert.equal(kindOf(control({ maxAgeSeconds: 60 })), word(use !== 'off'));
    assert.equal(kindOf({ ...control({ noStore: true }) }), 'bypass');
  });
}

test('no key is given more than a model whose cache is off', () => {
  const made = plan({}, { ...CACHE, enabled: false }, 'always');

  assert.deepEqual(made, { kind: 'bypass', detail: 'disabled' });
  assert.deepEqual(plan({}, CACHE, 'off'), { kind: 'bypass', detail: 'off-for-key' });
});
