/**
 * Kept answers on a real Redis: the contract, over processes, and what a dead one leaves.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { createRedisReplayStore } from '../../src/stores/redis/replay-store.ts';
import type { ReplayBounds } from '../../src/stores/replay-bounds.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { until } from '../support/until.ts';
import { claimed, replayStoreSuite } from './replay-store.suite.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address);
const BOUNDS: ReplayBounds = { retentionMs: 60_000, maxEntries: 1000, maxBytes: 1_000_000 };
let opened = 0;
let owners = 0;

function open(bounds: ReplayBounds, leaseMs?: number) {
  return createRedisReplayStore({
    ...{ redis, clock: systemClock, bounds: () => bounds },
    ...(leaseMs === undefined ? {} : { leaseMs }),
    nextOwner() {
      owners += 1;
      return `owner-${owners}`;
    },
  });
}

replayStoreSuite('redis', (bounds) => {
  opened += 1;
  const store = open(bounds);
  return { store, tenant: `tenant-${opened}`, close: () => store.close() };
});

test('redis: what one process keeps another tells', async (t) => {
  const [first, second] = [open(BOUNDS), open(BOUNDS)];
  t.after(() => [first, second].forEach((store) => void store.close()));
  const place = { tenant: 'both', id: 'a' };
  const claim = claimed(await first.claim(place, 'print'));
  assert.equal((await second.claim(place, 'print')).kind, 'running');

  await claim.keep(Buffer.from('answer'));

  const found = await second.claim(place, 'print');
  assert.equal(found.kind === 'kept' && found.answer.toString(), 'answer');
});

test('redis: a claim is held while its process lives, and ends after its death', async (t) => {
  const [first, second] = [open(BOUNDS, 150), open(BOUNDS)];
  t.after(() => second.close());
  const place = { tenant: 'dying', id: 'a' };
  claimed(await first.claim(place, 'print'));
  const sinceMs = performance.now();
  await until('three leases are over', () => performance.now() - sinceMs > 450);
  assert.equal((await second.claim(place, 'print')).kind, 'running');

  first.close(); // renews nothing any more

  await until('it is free', async () => (await second.claim(place, 'print')).kind === 'claimed');
});

test('redis: everything ends by itself, and lies in the slot of its tenant', async (t) => {
  const store = open(BOUNDS);
  t.after(() => store.close());
  await claimed(await store.claim({ tenant: 'ends', id: 'a' }, 'p')).keep(Buffer.from('x'));
  claimed(await store.claim({ tenant: 'ends', id: 'b' }, 'p'));

  const keys = (await server.cli('keys', '*{t:ends}*')).split('\n');
  const lives = await Promise.all(keys.map((key) => server.cli('pttl', key)));

  assert.equal(keys.length, 4);
  assert.ok(
    lives.every((life) => Number(life) > 0 && Number(life) <= 60_000),
    lives.join(),
  );
});
