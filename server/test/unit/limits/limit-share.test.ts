import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLimitShare, type LimitShareOptions } from '../../../src/stores/limit-share.ts';
import { createMemoryLimitStore } from '../../../src/stores/memory/limit-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function open(processes: number) {
  const clock = createManualClock();
  const counted = createMemoryLimitStore({ clock });
  const outage = { lasts: false, decisions: 0 };
  const inCommon: LimitShareOptions['inCommon'] = {
    async take(scopes, tokens) {
      if (outage.lasts) throw new Error('Redis is away');
      return counted.take(scopes, tokens);
    },
  };
  const share = createLimitShare({
    inCommon,
    alone: createMemoryLimitStore({ clock }),
    ...{ clock, processes: () => processes },
    decidedAlone: {
      add() {
        outage.decisions += 1;
      },
    },
  });
  async function granted(limits: Record<string, number>, times: number, tokens = 0) {
    let count = 0;
    for (let i = 0; i < times; i += 1) {
      const decision = await share.take([{ id: 'key:a', limits }], tokens, 'acme');
      if (decision.kind === 'granted') count += 1;
    }
    return count;
  }
  return { clock, share, outage, granted };
}

test('counted in common the whole limit is granted, and nothing is degraded', async () => {
  const { share, outage, granted } = open(3);

  assert.equal(await granted({ requestsPerMinute: 10 }, 20), 10);
  assert.equal(share.isDegraded(), false);
  assert.equal(outage.decisions, 0);
});

test('while it does not, each of three processes grants a third, rounded down', async () => {
  const { outage, granted } = open(3);
  outage.lasts = true;

  assert.equal(await granted({ requestsPerMinute: 10 }, 20), 3);
  assert.equal(outage.decisions, 20);
});

test('a share is at least one, and nothing stays nothing', async () => {
  const one = open(50);
  const none = open(50);
  one.outage.lasts = true;
  none.outage.lasts = true;

  assert.equal(await one.granted({ concurrency: 10 }, 5), 1);
  assert.equal(await none.granted({ requestsPerMinute: 0 }, 5), 0);
});

test('tokens are shared too', async () => {
  const { outage, granted } = open(4);
  outage.lasts = true;

  assert.equal(await granted({ tokensPerMinute: 1000 }, 10, 100), 2);
});

test('degraded is told for a second after the last decision alone', async () => {
  const { clock, share, outage, granted } = open(2);
  outage.lasts = true;
  await granted({ requestsPerMinute: 10 }, 1);
  assert.equal(share.isDegraded(), true);

  clock.advance(1000);

  assert.equal(share.isDegraded(), false);
});

test('a lease granted alone gives its place back where it was taken', async () => {
  const { share, outage } = open(2);
  const scopes = [{ id: 'key:a', limits: { concurrency: 2 } }];
  outage.lasts = true;
  const first = await share.take(scopes, 0, 'acme');
  assert.equal((await share.take(scopes, 0, 'acme')).kind, 'refused');
  outage.lasts = false;

  if (first.kind === 'granted') first.lease.release();

  outage.lasts = true;
  assert.equal((await share.take(scopes, 0, 'acme')).kind, 'granted');
});
