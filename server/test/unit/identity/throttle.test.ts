/**
 * Goal: who guesses passwords is slowed down, and cannot use that against anybody.
 * Method: the real counters in memory, a clock moved by hand.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createThrottle } from '../../../src/identity/index.ts';
import { createMemoryLimitStore } from '../../../src/stores/memory/limit-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { NOW_MS } from './fakes.ts';

function setUp() {
  const clock = createManualClock(NOW_MS);
  const throttle = createThrottle(createMemoryLimitStore({ clock }), clock);
  /** True where the attempt may go on; it then fails unless `succeeds`. */
  async function attempt(
    account: string,
    source: string,
    { isKnownSource = false, succeeds = false } = {},
  ): Promise<boolean> {
    try {
      const succeed = await throttle.attempt({ account, source, isKnownSource });
      if (succeeds) succeed();
      return true;
    } catch (error) {
      const { code, retryAfterMs } = error as { code: string; retryAfterMs: number };
      assert.equal(code, 'sign_in_throttled');
      assert.ok(retryAfterMs >= 1000 && retryAfterMs <= 60_000, String(retryAfterMs));
      return false;
    }
  }
  return { clock, attempt };
}

async function count(attempts: readonly Promise<boolean>[]): Promise<number> {
  return (await Promise.all(attempts)).filter(Boolean).length;
}

describe('sign-ins that fail', () => {
  it('are ten a minute for one account, from one address or from a hundred', async () => {
    const { attempt } = setUp();

    const one = await count(Array.from({ length: 100 }, () => attempt('a', '192.0.2.1')));
    const many = await count(Array.from({ length: 100 }, (_, at) => attempt('b', `10.0.0.${at}`)));

    assert.equal(one, 10);
    assert.equal(many, 10);
  });

  it('are fifty a minute from one address, whatever the accounts', async () => {
    const { attempt } = setUp();

    const got = await count(Array.from({ length: 100 }, (_, at) => attempt(`u${at}`, '192.0.2.1')));

    assert.equal(got, 50);
    assert.equal(await attempt('u1', '192.0.2.2'), true);
  });

  it('count nothing once one succeeds, so that a class behind one address gets in', async () => {
    const { attempt } = setUp();

    for (let at = 0; at < 200; at += 1) {
      assert.equal(await attempt(`pupil${at}`, '192.0.2.1', { succeeds: true }), true);
    }
  });

  it('by strangers do not keep a user out where they have signed in before', async () => {
    const { attempt } = setUp();
    await Promise.all(Array.from({ length: 100 }, (_, at) => attempt('a', `10.0.0.${at}`)));

    assert.equal(await attempt('a', '192.0.2.1', { isKnownSource: true, succeeds: true }), true);
    assert.equal(await attempt('a', '192.0.2.9'), false);
  });

  it('by strangers without end keep nobody out for longer than a quarter of an hour', async () => {
    const { attempt, clock } = setUp();
    const minutes: boolean[] = [];
    for (let minute = 0; minute < 15; minute += 1) {
      for (let round = 0; round < 60; round += 1) {
        clock.advance(1000);
        await attempt('a', `10.${minute}.0.${round}`);
      }
      await attempt('a', '10.9.9.9');
      minutes.push(await attempt('a', '192.0.2.200', { succeeds: true }));
    }

    assert.ok(minutes.indexOf(true) <= 11, JSON.stringify(minutes));
    assert.equal(minutes.at(-1), true);
  });

  it('are forgotten within the minute', async () => {
    const { attempt, clock } = setUp();
    await Promise.all(Array.from({ length: 10 }, () => attempt('a', '192.0.2.1')));
    const before = await attempt('a', '192.0.2.1');

    clock.advance(60_000);

    assert.equal(before, false);
    assert.equal(await attempt('a', '192.0.2.1'), true);
  });
});
