/**
 * Kept answers on a real Redis, with the memory of each process for the time without it: the
 * contract, and that nothing runs twice at one process however Redis comes and goes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { createMemoryReplayStore } from '../../src/stores/memory/replay-store.ts';
import { createRedisReplayStore } from '../../src/stores/redis/replay-store.ts';
import { createRequestWaits, type Waiter } from '../../src/stores/redis/request-waits.ts';
import type { ReplayBounds } from '../../src/stores/replay-bounds.ts';
import { createReplayFallback } from '../../src/stores/replay-fallback.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { until } from '../support/until.ts';
import { claimed, replayStoreSuite } from './replay-store.suite.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
/** The request that runs, with what it may wait. */
let running: Waiter | undefined;
const { store: redis } = await openTestStore(owner, server.address, {
  ...{ hotMs: 300, backgroundMs: 1000 },
  waits: createRequestWaits(() => running),
});
const BOUNDS: ReplayBounds = { retentionMs: 60_000, maxEntries: 1000, maxBytes: 1_000_000 };
const NEVER = new AbortController().signal;
const PLACE = { id: 'a' };
let opened = 0;
let owners = 0;

function open(bounds: ReplayBounds = BOUNDS) {
  opened += 1;
  const common = { clock: systemClock, bounds: () => bounds };
  const shared = createRedisReplayStore({
    ...{ ...common, redis, leaseMs: 2000 },
    nextOwner() {
      owners += 1;
      return `owner-${owners}`;
    },
  });
  const store = createReplayFallback(shared, createMemoryReplayStore(common), systemClock);
  return { store, tenant: `tenant-${opened}`, close: () => shared.close() };
}

replayStoreSuite('redis and memory', open);

test('who waits for a request of another process never runs it by itself', async (t) => {
  const [first, second] = [open(), open()];
  t.after(() => [first, second].forEach(({ close }) => void close()));
  const place = { ...PLACE, tenant: first.tenant };
  const claim = claimed(await first.store.claim(place, 'print'));
  running = { allowance: { leftMs: 0.5 } };
  t.after(() => {
    running = undefined;
  });

  for (let look = 0; look < 3; look += 1) {
    const found = await second.store.claim(place, 'print', true);
    assert.deepEqual(found, { kind: 'running', fingerprint: 'print' });
    await second.store.ended(place, NEVER);
  }

  running = undefined;
  await claim.keep(Buffer.from('answer'));
  assert.equal((await second.store.claim(place, 'print', true)).kind, 'kept');
});

test('at one process a request runs once while Redis goes and returns', async (t) => {
  const [here, elsewhere] = [open(), open()];
  t.after(() => [here, elsewhere].forEach(({ close }) => void close()));
  const place = { ...PLACE, tenant: here.tenant };
  const claim = claimed(await here.store.claim(place, 'print'));
  server.freeze();
  t.after(() => server.thaw());

  const twin = await here.store.claim(place, 'print', false);
  assert.deepEqual(twin, { kind: 'running', fingerprint: 'print' });
  assert.equal(here.store.isDegraded(), true);
  await assert.rejects(elsewhere.store.claim(place, 'print', true), { name: 'RedisFailure' });
  assert.equal(await claim.keep(Buffer.from('answer')), true);
  assert.equal((await here.store.claim(place, 'print')).kind, 'kept');
  server.thaw();
  await until('Redis is back', () => redis.state().kind === 'up');

  const later = await until('it is free in common', async () => {
    const found = await here.store.claim(place, 'print');
    return found.kind === 'running' ? null : found;
  });
  assert.ok(later.kind === 'kept' && later.answer.toString() === 'answer');
});
