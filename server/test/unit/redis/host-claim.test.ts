/**
 * Goal: data that one host holds is served by one host, for as long as it lives. Method: a real
 * Redis, a clock by hand for the renewals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { CLAIM_KEY, CLAIM_MS, claimHost } from '../../../src/stores/redis/host-claim.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

const nobody = () => assert.fail('nobody else holds it');

test('processes of one host share the claim, another host is told whose it is', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const deps = { clock: systemClock, lost: nobody };

  const first = await claimHost(store, 'one', deps);
  const second = await claimHost(store, 'one', deps);
  const other = await claimHost(store, 'another', deps);

  assert.deepEqual([first.holder, second.holder, other.holder], ['one', 'one', 'one']);
  const leftMs = Number(await redis.cli('pttl', CLAIM_KEY));
  assert.ok(leftMs > 0 && leftMs <= CLAIM_MS, `${leftMs} ms`);
  for (const claim of [first, second, other]) claim.stop();
});

test('a claim that was lost with its Redis is made again, one that is taken is told', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  const clock = createManualClock();
  let losses = 0;
  const count = (): void => {
    losses += 1;
  };
  const claim = await claimHost(store, 'one', { clock, lost: count });
  const renewed = () => until('it is renewed', () => clock.pendingTimers() === 1);

  await redis.cli('flushall');
  clock.advance(3000);
  await renewed();
  assert.equal(await redis.cli('get', CLAIM_KEY), 'one');
  assert.equal(losses, 0);

  await redis.cli('set', CLAIM_KEY, 'another');
  clock.advance(3000);
  await renewed();
  assert.equal(losses, 1);
  assert.equal(await redis.cli('get', CLAIM_KEY), 'another');

  claim.stop();
  assert.equal(clock.pendingTimers(), 0);
});

test('without an answer nobody is refused', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openTestStore(t, redis.address);
  await redis.kill();

  const claim = await claimHost(store, 'one', { clock: systemClock, lost: nobody });

  assert.equal(claim.holder, null);
  claim.stop();
});
