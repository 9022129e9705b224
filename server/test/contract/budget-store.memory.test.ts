/**
 * The budget store of this process: the contract, random histories against a plain account
 * book, and the bound on its scopes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Reservation } from '../../src/gateway/model/holds.ts';
import type { SpendingHistory } from '../../src/gateway/ports/budget-store.ts';
import { createMemoryBudgetStore } from '../../src/stores/memory/budget-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { budgetStoreSuite, granted, key, RESERVATION_TTL_MS } from './budget-store.suite.ts';
import { FakeLedger } from './fake-ledger.ts';

function open(maxScopes?: number) {
  const clock = createManualClock();
  const ledger = new FakeLedger();
  const options = { clock, history: ledger, reservationTtlMs: RESERVATION_TTL_MS };
  const store = createMemoryBudgetStore(
    maxScopes === undefined ? options : { ...options, maxScopes },
  );
  return { clock, ledger, store };
}

budgetStoreSuite('memory', () => {
  const { clock, ledger, store } = open();
  return {
    store,
    ledger,
    tenant: 'acme',
    advance: (ms) => clock.advance(ms),
    setWallMs: (wallMs) => clock.setWallMs(wallMs),
    settled: () => undefined,
    close: () => undefined,
  };
});

type Step = readonly [
  kind: 'reserve' | 'settle' | 'release' | 'charge' | 'wait' | 'load' | 'fail',
  pick: number,
  amount: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    'reserve',
    'reserve',
    'settle',
    'settle',
    'release',
    'charge',
    'wait',
    'load',
    'fail',
  ),
  fc.nat(99),
  fc.nat(400),
);

const LIMIT = 2000;

interface Held {
  readonly reservation: Reservation;
  readonly madeAtMs: number;
}

/** Plays a history; the account book on the side is plain sums over what happened. */
async function play(steps: readonly Step[]): Promise<{ granted: number; refused: number }> {
  const { clock, ledger, store } = open();
  const scope = key('a', LIMIT);
  const held: Held[] = [];
  const counts = { granted: 0, refused: 0 };
  let overCosts = 0;
  let unreserved = 0;
  let spent = 0;
  const book = (cost: number): void => {
    ledger.append('key:a', cost);
    spent += cost;
  };
  const counting = (): number => {
    const live = held.filter((one) => clock.monotonicMs() < one.madeAtMs + RESERVATION_TTL_MS);
    return live.reduce((sum, one) => sum + one.reservation.amountNanousd, 0);
  };
  ledger.release();
  for (const [kind, pick, amount] of steps) {
    const one = held[pick % Math.max(1, held.length)];
    if (kind === 'fail') ledger.failing = !ledger.failing;
    if (kind === 'wait') clock.advance(pick * 1000);
    if (kind === 'charge') {
      store.charge(['key:a'], amount % 50);
      book(amount % 50);
      unreserved += amount % 50;
    }
    if (kind === 'load') {
      clock.setWallMs(clock.wallMs() + 1); // lets nothing happen; the ledger may answer late
      ledger.release();
      if (pick % 2 === 0) ledger.hold();
    }
    if ((kind === 'settle' || kind === 'release') && one !== undefined) {
      held.splice(held.indexOf(one), 1);
      const isExpired = clock.monotonicMs() >= one.madeAtMs + RESERVATION_TTL_MS;
      const cost = kind === 'settle' ? amount : 0;
      if (kind === 'settle') one.reservation.settle(cost);
      else one.reservation.release();
      book(cost);
      overCosts += Math.max(0, cost - (isExpired ? 0 : one.reservation.amountNanousd));
    }
    if (kind !== 'reserve') continue;
    const asking = store.reserve([scope], amount);
    if (pick % 3 === 0) {
      store.charge(['key:a'], 1); // while it may be loading
      book(1);
      unreserved += 1;
    }
    const expected = spent + counting() + amount <= LIMIT;
    ledger.release();
    const decision = await asking;
    if (decision.kind === 'unavailable') continue;
    if (decision.kind === 'granted') {
      held.push({ reservation: decision.reservation, madeAtMs: clock.monotonicMs() });
      counts.granted += 1;
      assert.ok(spent + counting() <= LIMIT + overCosts + unreserved, 'never beyond the limit');
    } else {
      counts.refused += 1;
    }
    const decidedBefore = pick % 3 === 0; // then the charge may come after the decision
    if (!decidedBefore) assert.equal(decision.kind === 'granted', expected, 'the exact decision');
  }
  for (const { reservation } of held) reservation.release();
  ledger.release();
  ledger.failing = false;
  const rest = key('a', spent);
  granted(await store.reserve([rest], 0)).release();
  assert.equal((await store.reserve([rest], 1)).kind, 'exceeded', 'spent is the sum of all costs');
  return counts;
}

test('memory: random histories grant exactly what the account book allows', async () => {
  const seen = { granted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const counts = await play(steps);
      seen.granted += counts.granted;
      seen.refused += counts.refused;
    }),
    { numRuns: 1500 },
  );
  assert.ok(seen.granted > 1000 && seen.refused > 1000, JSON.stringify(seen));
});

test('memory: a full store forgets a scope without reservations, which loads again', async () => {
  const { ledger, store } = open(1);
  granted(await store.reserve([key('a', 100)], 40)).settle(40);
  ledger.append('key:a', 40);

  granted(await store.reserve([key('b', 100)], 10)).release();
  const decision = await store.reserve([key('a', 100)], 61);

  assert.equal(decision.kind, 'exceeded');
  assert.deepEqual(
    ledger.loads.map((load) => load.id),
    ['key:a', 'key:b', 'key:a'],
  );
});

test('memory: a full store of scopes in use is unavailable to a new one', async () => {
  const { store } = open(2);
  const first = granted(await store.reserve([key('a', 100)], 40));
  granted(await store.reserve([key('b', 100)], 40));

  assert.equal((await store.reserve([key('c', 100)], 1)).kind, 'unavailable');
  first.release();

  granted(await store.reserve([key('c', 100)], 1));
  assert.equal((await store.reserve([key('b', 100)], 61)).kind, 'exceeded', 'b is still counted');
});

test('memory: reserved before a roll-over does not keep a scope in memory', async () => {
  const { clock, store } = open(1);
  clock.setWallMs(Date.UTC(2026, 10, 20, 23, 59, 59));
  granted(await store.reserve([key('a', 100, 'day')], 40));
  clock.advance(2000);
  granted(await store.reserve([key('a', 100, 'day')], 0)).release();

  granted(await store.reserve([key('b', 100)], 1));
});

test('memory: a scope that is loading is not forgotten', async () => {
  const { ledger, store } = open(1);
  ledger.hold();
  const loading = store.reserve([key('a', 100)], 10);

  assert.equal((await store.reserve([key('b', 100)], 1)).kind, 'unavailable');
  ledger.release();

  granted(await loading);
});

test('memory: a late settlement reaches the counter made anew', async () => {
  const { clock, store } = open(1);
  const late = granted(await store.reserve([key('a', 100)], 40));
  clock.advance(RESERVATION_TTL_MS);
  granted(await store.reserve([key('b', 100)], 1)).release();
  granted(await store.reserve([key('a', 100)], 0)).release();

  late.settle(30);

  assert.equal((await store.reserve([key('a', 100)], 71)).kind, 'exceeded');
  granted(await store.reserve([key('a', 100)], 70));
});

test('memory: a late settlement for a forgotten scope is the ledger’s', async () => {
  const { clock, store } = open(1);
  const late = granted(await store.reserve([key('a', 100)], 40));
  clock.advance(RESERVATION_TTL_MS);
  granted(await store.reserve([key('b', 100)], 1)).release();

  late.settle(30);

  granted(await store.reserve([key('b', 100)], 100));
});

test('memory: the figures of a scope are loaded, exact, and say when it renews', async () => {
  const { clock, ledger, store } = open();
  clock.setWallMs(Date.UTC(2026, 10, 20, 12));
  ledger.spent.set('key:a', 40);
  const scope = key('a', 100, 'day');

  granted(await store.reserve([scope], 30)).settle(7);
  granted(await store.reserve([scope], 20));

  assert.deepEqual(await store.figures(scope), {
    spentNanousd: 47,
    reservedNanousd: 20,
    renewsAtMs: Date.UTC(2026, 10, 21),
  });
  assert.deepEqual(await store.figures(key('b', 100)), {
    spentNanousd: 0,
    reservedNanousd: 0,
    renewsAtMs: null,
  });
});

test('memory: figures that cannot be loaded are not told', async () => {
  const { ledger, store } = open();
  ledger.failing = true;

  assert.equal(await store.figures(key('a', 100)), null);
});

test('memory: open reservations are those neither ended nor expired', async () => {
  const { clock, store } = open();
  granted(await store.reserve([key('a', 100)], 1));
  clock.advance(1000);
  granted(await store.reserve([key('a', 100)], 1));
  granted(await store.reserve([key('b', 100)], 1)).settle(1);
  assert.equal(store.open(), 2);

  clock.advance(RESERVATION_TTL_MS - 1000);

  assert.equal(store.open(), 1);
});

test('memory: an amount that is no whole number of nano-dollars is refused', async () => {
  const { store } = open();
  const reservation = granted(await store.reserve([key('a', 100)], 10));

  await assert.rejects(store.reserve([key('a', 100)], 0.5), /invariant broken/);
  assert.throws(() => store.charge(['key:a'], -1), /invariant broken/);
  assert.throws(() => reservation.settle(Number.NaN), /invariant broken/);
});

test('memory: sums beyond the safe integers stay closed', async () => {
  const { store } = open();
  granted(await store.reserve([key('a', 100)], 0)).settle(Number.MAX_SAFE_INTEGER);

  store.charge(['key:a'], Number.MAX_SAFE_INTEGER);

  assert.equal((await store.reserve([key('a', 1e15)], 0)).kind, 'exceeded');
});

test('memory: the sum of another period never answers for the one asked about', async () => {
  const day = Promise.withResolvers<number>();
  const slow = Promise.withResolvers<number>();
  const history: SpendingHistory = {
    async spentNanousd(id, sinceMs) {
      if (id === 'key:slow') return slow.promise;
      return sinceMs === 0 ? 500 : day.promise;
    },
  };
  const store = createMemoryBudgetStore({
    clock: createManualClock(),
    history,
    reservationTtlMs: RESERVATION_TTL_MS,
  });
  const daily = store.reserve([key('a', 1000, 'day'), key('slow', 100)], 0);

  const total = store.reserve([key('a', 510, 'total')], 100);
  day.resolve(20);

  assert.equal((await total).kind, 'exceeded');
  slow.resolve(0);
  granted(await daily);
});

test('memory: a load overtaken again and again is given up as unavailable', async () => {
  let totalLoads = 0;
  const history: SpendingHistory = {
    async spentNanousd(_id, sinceMs) {
      if (sinceMs === 0) {
        totalLoads += 1;
        queueMicrotask(() => void store.reserve([key('a', 100, 'day')], 0));
      }
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      return 0;
    },
  };
  const store = createMemoryBudgetStore({
    clock: createManualClock(),
    history,
    reservationTtlMs: RESERVATION_TTL_MS,
  });

  assert.equal((await store.reserve([key('a', 100, 'total')], 1)).kind, 'unavailable');
  assert.equal(totalLoads, 5);
});
