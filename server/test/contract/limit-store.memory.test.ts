/**
 * The limit store of this process: the contract, and the bound on its scopes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitScope } from '../../src/gateway/ports/limit-store.ts';
import { createMemoryLimitStore } from '../../src/stores/memory/limit-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { limitStoreSuite } from './limit-store.suite.ts';

limitStoreSuite('memory', () => {
  const clock = createManualClock();
  return {
    store: createMemoryLimitStore({ clock }),
    advance: (ms) => clock.advance(ms),
    settled: () => undefined,
    close: () => undefined,
  };
});

function setUp(maxScopes: number) {
  const clock = createManualClock();
  const store = createMemoryLimitStore({ clock, maxScopes });
  return { clock, take: (scopes: readonly LimitScope[], tokens = 0) => store.take(scopes, tokens) };
}

function perMinute(id: string, requestsPerMinute = 1): LimitScope {
  return { id, limits: { requestsPerMinute } };
}

function running(id: string): LimitScope {
  return { id, limits: { concurrency: 1 } };
}

test('memory: a full store forgets a scope that has drained whole', () => {
  const { clock, take } = setUp(2);
  take([perMinute('a')]);
  clock.advance(30_000);
  take([perMinute('b')]);
  clock.advance(30_000);

  assert.equal(take([perMinute('c')]).kind, 'granted');
  assert.equal(take([perMinute('b')]).kind, 'refused', 'b is still counted');
});

test('memory: a full store refuses a new scope rather than forget one in use', () => {
  const { clock, take } = setUp(2);
  take([perMinute('a')]);
  take([running('b')]);
  clock.advance(59_999);

  const decision = take([perMinute('c')]);
  assert.equal(decision.kind, 'refused');
  assert.equal(decision.kind === 'refused' && decision.retryAfterMs, 1000);
  assert.equal(decision.kind === 'refused' && decision.scope, 'c');
  clock.advance(1);

  assert.equal(take([perMinute('c')]).kind, 'granted');
  assert.equal(take([running('b')]).kind, 'refused', 'b still runs');
});

test('memory: a scope whose request runs is kept for ever, and goes with its end', () => {
  const { clock, take } = setUp(1);
  const decision = take([running('a')]);
  clock.advance(10_000_000);
  assert.equal(take([perMinute('b')]).kind, 'refused');

  if (decision.kind === 'granted') decision.lease.release();

  assert.equal(take([perMinute('b')]).kind, 'granted');
});

test('memory: room for several new scopes is made or none is charged', () => {
  const { take } = setUp(2);
  take([perMinute('a')]);

  assert.equal(take([perMinute('b'), perMinute('c')]).kind, 'refused');
  assert.equal(take([perMinute('b')]).kind, 'granted', 'b was not charged before');
});

test('memory: making room never forgets a scope of the same request', () => {
  const { take } = setUp(2);
  take([running('busy')]);
  take([{ id: 'idle', limits: { tokensPerMinute: 10 } }], 0);

  const decision = take([{ id: 'idle', limits: { tokensPerMinute: 10 } }, perMinute('new')], 10);

  assert.equal(decision.kind, 'refused');
  assert.equal(take([{ id: 'idle', limits: { tokensPerMinute: 10 } }], 10).kind, 'granted');
});

test('memory: a correction for a scope forgotten meanwhile counts what is owed', () => {
  const { clock, take } = setUp(1);
  const tokens: LimitScope = { id: 'a', limits: { tokensPerMinute: 100 } };
  const first = take([tokens], 10);
  clock.advance(60_000);
  take([perMinute('b', 60_000)]);
  clock.advance(60_000);

  if (first.kind === 'granted') first.lease.correctTokens(110);

  const decision = take([tokens], 1);
  assert.equal(decision.kind, 'refused');
  assert.equal(decision.state.tokens?.remaining, 0);
});

test('memory: a correction for which there is no room is dropped', () => {
  const { clock, take } = setUp(1);
  const tokens: LimitScope = { id: 'a', limits: { tokensPerMinute: 100 } };
  const first = take([tokens], 50);
  clock.advance(60_000);
  take([perMinute('b')]);

  if (first.kind === 'granted') first.lease.correctTokens(1000);

  assert.equal(take([perMinute('b')]).kind, 'refused', 'b is still counted');
  clock.advance(60_000);
  assert.equal(take([tokens], 100).kind, 'granted');
});

test('memory: a scope that still owes tokens is not forgotten', () => {
  const { clock, take } = setUp(1);
  const both: LimitScope = { id: 'a', limits: { requestsPerMinute: 1000, tokensPerMinute: 10 } };
  take([both], 10);
  clock.advance(59_000);

  assert.equal(take([perMinute('b')]).kind, 'refused');
  clock.advance(1000);
  assert.equal(take([perMinute('b')]).kind, 'granted');
});

test('memory: a fraction of a millisecond frees nothing', () => {
  const { clock, take } = setUp(1);
  for (let i = 0; i < 7; i += 1) take([perMinute('a', 7)]);

  clock.advance(8571.9);
  assert.equal(take([perMinute('a', 7)]).kind, 'refused');
  clock.advance(0.1);

  assert.equal(take([perMinute('a', 7)]).kind, 'granted');
});

test('memory: with a hundred thousand scopes in use a refusal takes no longer than a few', () => {
  const { take } = setUp(100_000);
  for (let i = 0; i < 100_000; i += 1) take([running(`busy-${i}`)]);

  const startMs = performance.now();
  for (let i = 0; i < 100; i += 1) assert.equal(take([running(`new-${i}`)]).kind, 'refused');

  assert.ok(performance.now() - startMs < 500, 'bounded work for each');
});
