/**
 * What a process does when it hears of an erasure, with stores that fail and a clock moved by
 * hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForgettingParts, forgetErased } from '../../../src/app/forget-erased.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { rememberingLog } from '../../support/storage.ts';
import { tenantRecord } from '../../support/tenant-record.ts';
import { until } from '../../support/until.ts';

const DAY_MS = 86_400_000;

function setUp(erasedAtMs: number | null = null) {
  const clock = createManualClock();
  const log = { ...rememberingLog(), named: () => log };
  const did: string[] = [];
  const state = { fails: false, erase: (_slug: string): void => undefined };
  const parts = {
    identity: {
      tenantSnapshot: {
        get: (slug: string) => tenantRecord(slug, { erasedAtMs }),
        onErased(tell: (slug: string) => void) {
          state.erase = tell;
          return () => did.push('deaf');
        },
      },
    },
    storage: { rollJournal: () => did.push('roll') },
    ...{ telemetry: { log }, clock },
  } as unknown as ForgettingParts;
  const end = forgetErased(parts, {
    tiers: {
      async purge(slug) {
        did.push(`purge ${slug}`);
        if (state.fails) throw new Error('Redis is away');
        return null;
      },
    },
    replays: { forget: async (slug) => void did.push(`replays ${slug}`) },
    book: { forget: (slug) => void did.push(`book ${slug}`) },
    shared: null,
  });
  return { clock, did, state, end };
}

const ONCE = ['book acme', 'purge acme', 'replays acme'];

test('a tenant whose store was away is forgotten when it is back, and then no more', async () => {
  const { clock, did, state } = setUp();
  state.fails = true;
  state.erase('acme');
  await until('the timer of another attempt', () => clock.pendingTimers() === 1);

  state.fails = false;
  clock.advance(30_000);
  await until('the other attempt', () => did.length === 7);
  clock.advance(DAY_MS);

  assert.deepEqual(did, ['roll', ...ONCE, ...ONCE]);
  assert.equal(clock.pendingTimers(), 0);
});

test('nothing is tried again once the process ends', async () => {
  const { clock, did, state, end } = setUp();
  state.fails = true;
  state.erase('acme');
  await until('the timer of another attempt', () => clock.pendingTimers() === 1);

  end();

  assert.equal(clock.pendingTimers(), 0);
  assert.deepEqual(did, ['roll', ...ONCE, 'deaf']);
});

test('of tenants that were erased long ago nothing can be left', () => {
  const { did, state } = setUp(1_700_000_000_000 - 31 * DAY_MS);

  state.erase('acme');

  assert.deepEqual(did, []);
});
