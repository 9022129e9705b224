/**
 * The limit store on a real Redis: the contract; the same decisions as the store in memory on
 * random histories; what a dead process leaves behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LimitLease } from '../../src/gateway/model/holds.ts';
import type { LimitDecision, LimitScope } from '../../src/gateway/ports/limit-store.ts';
import { createMemoryLimitStore } from '../../src/stores/memory/limit-store.ts';
import { createRedisLimitStore } from '../../src/stores/redis/limit-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { limitStoreSuite } from './limit-store.suite.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address);
let opened = 0;

/** A store with time and keys of its own. */
function open(leaseMs?: number) {
  opened += 1;
  const run = opened;
  const clock = createManualClock();
  const store = createRedisLimitStore({
    ...{ redis, clock, nowMs: () => Math.floor(clock.monotonicMs()) + 1_000_000 },
    ...(leaseMs === undefined ? {} : { leaseMs }),
    name: `lease-${run}`,
  });
  const tenant = `tenant-${run}`;
  return { clock, store, tenant };
}

limitStoreSuite('redis', () => {
  const { clock, store, tenant } = open();
  return {
    store: { take: (scopes, tokens) => store.take(scopes, tokens, tenant) },
    async advance(ms) {
      await store.settled();
      clock.advance(ms);
      await store.renew();
    },
    settled: () => store.settled(),
    close: () => store.close(),
  };
});

type Step = readonly [kind: 'take' | 'correct' | 'release' | 'wait', pick: number, amount: number];

const limit = fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined });
const limits = fc.record({ requestsPerMinute: limit, tokensPerMinute: limit, concurrency: limit });
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('take', 'take', 'take', 'correct', 'release', 'wait'),
  fc.nat(99),
  fc.nat(60),
);

function comparable(decision: LimitDecision) {
  return decision.kind === 'granted' ? { kind: 'granted', state: decision.state } : decision;
}

test('redis: decides, tells and corrects as the store in memory does, at random', async () => {
  let granted = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(limits, { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 14 }),
      async (all, steps) => {
        const { clock, store, tenant } = open(10_000_000);
        const memory = createMemoryLimitStore({ clock });
        const scopes: LimitScope[] = all.map((each, i) => ({
          id: `key:${i}`,
          limits: JSON.parse(JSON.stringify(each)),
        }));
        const leases: [LimitLease, LimitLease][] = [];
        for (const [kind, pick, amount] of steps) {
          const pair = leases[pick % Math.max(1, leases.length)];
          if (kind === 'wait') clock.advance(pick * amount * 10);
          else if (kind === 'correct') for (const one of pair ?? []) one.correctTokens(amount);
          else if (kind === 'release') for (const one of pair ?? []) one.release();
          else {
            const some = scopes.filter((_, i) => i === 0 || (pick >> i) % 2 === 0);
            const [ours, theirs] = [
              await store.take(some, amount, tenant),
              memory.take(some, amount),
            ];
            assert.deepEqual(comparable(ours), comparable(theirs));
            if (ours.kind === 'granted' && theirs.kind === 'granted') {
              granted += 1;
              leases.push([ours.lease, theirs.lease]);
            } else refused += 1;
          }
          await store.settled();
        }
        store.close();
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(granted > 500 && refused > 500, `${granted} granted, ${refused} refused`);
});

test('redis: what is asked at once is decided as if one came after the other', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(limits, { minLength: 1, maxLength: 3 }),
      fc.array(fc.array(fc.tuple(fc.nat(7), fc.nat(20), fc.boolean()), { maxLength: 12 }), {
        maxLength: 5,
      }),
      async (all, turns) => {
        const { clock, store, tenant } = open(10_000_000);
        const memory = createMemoryLimitStore({ clock });
        const scopes: LimitScope[] = all.map((each, i) => ({
          id: `key:${i}`,
          limits: JSON.parse(JSON.stringify(each)),
        }));
        const leases: [LimitLease, LimitLease][] = [];
        for (const turn of turns) {
          // What is given back in this turn goes before what is asked in it.
          const words = new Map(turn.map((word) => [word[0], word]));
          for (const [pick, amount, isEnd] of words.values()) {
            for (const lease of leases[pick] ?? []) {
              lease.correctTokens(amount);
              if (isEnd) lease.release();
            }
          }
          const asked = turn.map(([pick, amount]) => {
            const some = scopes.filter((_, i) => i === 0 || (pick >> i) % 2 === 0);
            return { some, amount, ours: store.take(some, amount, tenant) };
          });
          for (const { some, amount, ours } of asked) {
            const [mine, theirs] = [await ours, memory.take(some, amount)];
            assert.deepEqual(comparable(mine), comparable(theirs));
            if (mine.kind === 'granted' && theirs.kind === 'granted') {
              leases.push([mine.lease, theirs.lease]);
            } else refused += 1;
          }
          clock.advance(1000);
        }
        await store.settled();
        store.close();
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(refused > 100, `${refused} refused`);
});

test('redis: the places of a process that died come back when its leases end', async () => {
  const { clock, store, tenant } = open(30_000);
  const scopes = [{ id: 'key:a', limits: { concurrency: 1 } }];
  store.close(); // renews nothing any more
  await store.take(scopes, 0, tenant);
  clock.advance(29_999);
  assert.equal((await store.take(scopes, 0, tenant)).kind, 'refused');

  clock.advance(1);

  assert.equal((await store.take(scopes, 0, tenant)).kind, 'granted');
});

test('redis: every counter ends by itself, and those of a tenant share a slot', async () => {
  const { store, tenant } = open();
  const everything = { requestsPerMinute: 5, tokensPerMinute: 5, concurrency: 5 };
  await store.take(
    [
      { id: 'key:a', limits: everything },
      { id: `tenant:${tenant}`, limits: everything },
    ],
    1,
    tenant,
  );
  store.close();

  const keys = (await server.cli('keys', `*${tenant}}*`)).split('\n');
  const lives = await Promise.all(keys.map((key) => server.cli('pttl', key)));

  assert.equal(keys.length, 4);
  assert.ok(
    lives.every((life) => Number(life) > 0 && Number(life) < 90_000),
    lives.join(),
  );
  assert.ok(keys.every((key) => key.includes(`{t:${tenant}}`)));
});

test('redis: by the clock of the server an idle minute is used once and no more', async () => {
  const stores = Array.from({ length: 3 }, (_, i) =>
    createRedisLimitStore({
      redis,
      clock: createManualClock(),
      name: `real-${i}`,
    }),
  );
  const scopes = [{ id: 'key:real', limits: { requestsPerMinute: 50 } }];

  const decisions = await Promise.all(
    Array.from({ length: 200 }, (_, i) => stores[i % 3]?.take(scopes, 0, 'real')),
  );

  const granted = decisions.filter((decision) => decision?.kind === 'granted');
  assert.equal(granted.length, 50);
});
