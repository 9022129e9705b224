/**
 * The open databases of tenants: bounded, shared, given up when idle. Method: engines that note
 * what becomes of them, and a clock moved by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '../../../src/kernel/log.ts';
import type { Route } from '../../../src/storage/places/route-book.ts';
import type { TenantEngine } from '../../../src/storage/places/tenant-engine.ts';
import { TenantPools } from '../../../src/storage/places/tenant-pools.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const IDLE_MS = 1000;

function setUp(max = 2) {
  const clock = createManualClock();
  const events: string[] = [];
  const state = { fails: false, isHome: true };
  const make = ({ slug }: Route): TenantEngine => {
    const engine: Partial<TenantEngine> = {
      async open() {
        events.push(`open ${slug}`);
        if (state.fails) throw new Error('refused');
      },
      async close() {
        events.push(`close ${slug}`);
      },
      read: async <Row>() => (state.isHome ? [{ state: 'open' }] : []) as Row[],
    };
    return engine as TenantEngine;
  };
  const pools = new TenantPools({ make, max, idleMs: IDLE_MS, clock, log: silentLog });
  return { clock, events, state, pools };
}

function route(slug: string, database = 'a'): Route {
  const address = { host: 'db.example', port: 5432, database, ssl: 'disable' } as const;
  return { id: `ten_${slug}`, slug, place: { kind: 'postgres', ...address, sealed: 'v1.x' } };
}

const nothing = async (): Promise<void> => undefined;

test('of many who need the same database one opens it', async () => {
  const { pools, events } = setUp();

  await Promise.all(Array.from({ length: 20 }, () => pools.use(route('acme'), nothing)));

  assert.deepEqual(events, ['open acme']);
  assert.deepEqual(pools.figures().tenants, ['acme']);
});

test('beyond the bound the one that rested longest is closed', async () => {
  const { pools, events } = setUp(2);
  for (const slug of ['a', 'b', 'a', 'c']) await pools.use(route(slug), nothing);
  await setImmediate();

  assert.deepEqual(events, ['open a', 'open b', 'open c', 'close b']);
  assert.deepEqual([pools.figures().open, pools.figures().evicted], [2, 1]);
});

test('what is at work is never closed for another, who is refused', async () => {
  const { pools, events } = setUp(1);
  const work = Promise.withResolvers<void>();
  const using = pools.use(route('a'), () => work.promise);

  await assert.rejects(pools.use(route('b'), nothing), { code: 'storage_unavailable' });
  work.resolve();
  await using;
  await pools.use(route('b'), nothing);
  await setImmediate();

  assert.deepEqual(events, ['open a', 'open b', 'close a']);
});

test('one that nobody needs for long is closed', async () => {
  const { pools, clock, events } = setUp();
  await pools.use(route('a'), nothing);

  clock.advance(IDLE_MS);
  await setImmediate();

  assert.deepEqual(events, ['open a', 'close a']);
  assert.equal(pools.figures().open, 0);
});

test('other credentials open it anew; the old one ends with its last user', async () => {
  const { pools, events } = setUp();
  const work = Promise.withResolvers<void>();
  const using = pools.use(route('a', 'old'), () => work.promise);
  await setImmediate();

  await pools.use(route('a', 'new'), nothing);
  assert.deepEqual(events, ['open a', 'open a']);
  work.resolve();
  await using;
  await setImmediate();

  assert.deepEqual(events, ['open a', 'open a', 'close a']);
});

test('one that cannot be opened is left alone for a moment, then tried again', async () => {
  const { pools, clock, state, events } = setUp();
  state.fails = true;
  const refused = { code: 'storage_unavailable' };

  await assert.rejects(pools.use(route('a'), nothing), refused);
  await assert.rejects(pools.use(route('a'), nothing), refused);
  assert.equal(events.filter((event) => event === 'open a').length, 1);

  state.fails = false;
  clock.advance(1000);
  await pools.use(route('a'), nothing);
  assert.equal(pools.figures().open, 1);
});

test('a database that does not know the tenant is not its own', async () => {
  const { pools, state } = setUp();
  state.isHome = false;

  await assert.rejects(pools.use(route('a'), nothing), { code: 'storage_unavailable' });
  assert.equal(pools.figures().open, 0);
});

test('at the end all of them are closed, also those under way', async () => {
  const { pools, events } = setUp();
  await pools.use(route('a'), nothing);
  await pools.close();

  assert.deepEqual(events, ['open a', 'close a']);
  await assert.rejects(pools.use(route('b'), nothing), { code: 'storage_unavailable' });
});
