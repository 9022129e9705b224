/**
 * What every store of budgets promises: whatever the order of reservations, settlements,
 * expiries, charges and loads, money is neither lost nor promised twice. An adapter's test file
 * opens the store over a ledger it can script, with a clock it can move.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Reservation } from '../../src/gateway/model/holds.ts';
import type { BudgetPeriod } from '../../src/gateway/model/principal.ts';
import type {
  BudgetDecision,
  BudgetScope,
  BudgetStore,
} from '../../src/gateway/ports/budget-store.ts';
import type { FakeLedger } from './fake-ledger.ts';

export interface BudgetStoreUnderTest {
  readonly store: BudgetStore;
  readonly tenant: string;
  readonly ledger: FakeLedger;
  advance(ms: number): void | Promise<void>;
  setWallMs(wallMs: number): void | Promise<void>;
  /** Resolves when everything ended and charged so far has reached the counters. */
  settled(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** How long a reservation counts in the stores under test. */
export const RESERVATION_TTL_MS = 60_000;

/** The store as the claims use it: each call is of an exchange of its own. */
interface SuiteStore {
  reserve(scopes: readonly BudgetScope[], amountNanousd: number): Promise<BudgetDecision>;
  charge(scopeIds: readonly string[], costNanousd: number): void;
}

type SuiteUnderTest = Omit<BudgetStoreUnderTest, 'store'> & { readonly store: SuiteStore };

type Open = () => BudgetStoreUnderTest | Promise<BudgetStoreUnderTest>;

const NOON_MS = Date.UTC(2026, 10, 20, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function key(id: string, limitNanousd: number, period: BudgetPeriod = 'total'): BudgetScope {
  return { id: `key:${id}`, budget: { limitNanousd, period } };
}

export function granted(decision: BudgetDecision): Reservation {
  assert.equal(decision.kind, 'granted', inspect(decision));
  return (decision as Extract<BudgetDecision, { kind: 'granted' }>).reservation;
}

export function budgetStoreSuite(adapter: string, open: Open): void {
  for (const [claim, run] of Object.entries(CLAIMS)) {
    test(`${adapter}: ${claim}`, async (t) => {
      const under = await open();
      t.after(() => under.close());
      await under.setWallMs(NOON_MS);
      let exchanges = 0;
      const spender = () => {
        exchanges += 1;
        return { tenant: under.tenant, exchangeId: `req_${exchanges}` };
      };
      const store: SuiteStore = {
        charge: (ids, cost) => under.store.charge(ids, cost, spender()),
        async reserve(scopes, amount) {
          await under.settled();
          return under.store.reserve(scopes, amount, spender());
        },
      };
      await run({ ...under, store });
    });
  }
}

/** What is left of a scope: the largest amount it would grant. */
async function left(under: SuiteUnderTest, scope: BudgetScope): Promise<number> {
  let low = -1;
  let high = scope.budget.limitNanousd;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const decision = middle < 0 ? null : await under.store.reserve([scope], middle);
    if (decision?.kind === 'granted') decision.reservation.release();
    if (decision === null || decision.kind === 'granted') low = middle;
    else high = middle - 1;
  }
  return low;
}

const CLAIMS: Readonly<Record<string, (under: SuiteUnderTest) => Promise<void>>> = {
  'reservations are granted up to the limit and not a nano-dollar beyond': async (under) => {
    const scope = key('a', 1000);

    granted(await under.store.reserve([scope], 999));
    granted(await under.store.reserve([scope], 1));

    assert.deepEqual(await under.store.reserve([scope], 1), {
      kind: 'exceeded',
      scope: 'key:a',
      renewsInMs: null,
    });
    granted(await under.store.reserve([scope], 0));
  },

  'a settlement replaces the reservation by the cost, once': async (under) => {
    const scope = key('a', 1000);
    const reservation = granted(await under.store.reserve([scope], 900));
    assert.equal(reservation.amountNanousd, 900);

    reservation.settle(250);
    reservation.settle(250);
    reservation.release();

    assert.equal(await left(under, scope), 750);
  },

  'a release gives everything back, once': async (under) => {
    const scope = key('a', 1000);
    const kept = granted(await under.store.reserve([scope], 400));
    const reservation = granted(await under.store.reserve([scope], 600));

    reservation.release();
    reservation.release();
    reservation.settle(600);

    assert.equal(await left(under, scope), 600);
    kept.release();
  },

  'a cost above its reservation is booked whole': async (under) => {
    const scope = key('a', 1000);

    granted(await under.store.reserve([scope], 100)).settle(1500);

    assert.equal((await under.store.reserve([scope], 0)).kind, 'exceeded');
  },

  'what the ledger holds counts from the first reservation on': async (under) => {
    under.ledger.spent.set('key:a', 700);
    const scope = key('a', 1000);

    assert.equal((await under.store.reserve([scope], 301)).kind, 'exceeded');
    assert.equal(await left(under, scope), 300);
    assert.equal(under.ledger.loads.length, 1);
  },

  'many first reservations load a scope once, and wait for it': async (under) => {
    under.ledger.spent.set('key:a', 95);
    under.ledger.hold();
    const scope = key('a', 100);

    const waiting = Promise.all(Array.from({ length: 20 }, () => under.store.reserve([scope], 1)));
    await under.ledger.asked(1);
    under.ledger.release();

    const decisions = await waiting;
    assert.equal(decisions.filter((one) => one.kind === 'granted').length, 5);
    assert.equal(under.ledger.loads.length, 1);
  },

  'a scope that cannot be loaded is unavailable, and is loaded anew later': async (under) => {
    under.ledger.spent.set('key:a', 40);
    under.ledger.failing = true;
    const scope = key('a', 100);

    assert.deepEqual(await under.store.reserve([scope], 1), { kind: 'unavailable' });
    assert.deepEqual(await under.store.reserve([scope], 0), { kind: 'unavailable' });
    assert.equal(under.ledger.loads.length, 2, 'one question for each');
    under.ledger.failing = false;

    assert.equal(await left(under, scope), 60);
  },

  'a cost booked while its scope loads is added to what is loaded': async (under) => {
    under.ledger.spent.set('key:a', 40);
    under.ledger.hold();
    const scope = key('a', 100);

    const waiting = under.store.reserve([scope], 0);
    await under.ledger.asked(1);
    under.ledger.append('key:a', 7);
    under.store.charge(['key:a'], 7);
    under.ledger.release();
    granted(await waiting).release();

    assert.equal(await left(under, scope), 53);
  },

  'a cost booked before a failed load is not counted twice by the next': async (under) => {
    const scope = key('a', 100);
    under.ledger.failing = true;
    under.ledger.hold();
    const failing = under.store.reserve([scope], 0);
    await under.ledger.asked(1);
    under.ledger.append('key:a', 10);
    under.store.charge(['key:a'], 10);
    under.ledger.release();
    assert.equal((await failing).kind, 'unavailable');
    under.ledger.append('key:a', 5);
    under.store.charge(['key:a'], 5);
    under.ledger.failing = false;

    assert.equal(await left(under, scope), 85);
  },

  'a charge for a scope nobody counts is left to the ledger': async (under) => {
    under.ledger.append('key:a', 30);
    under.store.charge(['key:a', 'key:other'], 30);

    assert.equal(await left(under, key('a', 100)), 70);
  },

  'a charge for a counted scope counts': async (under) => {
    const scope = key('a', 100);
    granted(await under.store.reserve([scope], 0)).release();

    under.store.charge(['key:a', 'key:unknown'], 30);

    assert.equal(await left(under, scope), 70);
  },

  'a budget that only warns refuses nothing and says that it is used up': async (under) => {
    const hard = key('hard', 1000);
    const soft = { ...key('soft', 100), budget: { ...key('soft', 100).budget, soft: true } };

    const within = await under.store.reserve([hard, soft], 100);
    const beyond = await under.store.reserve([hard, soft], 100);

    assert.deepEqual(within.kind === 'granted' && within.passed, []);
    assert.deepEqual(beyond.kind === 'granted' && beyond.passed, ['key:soft']);
    assert.equal((await under.store.reserve([hard, soft], 801)).kind, 'exceeded');
  },

  'amounts beyond all money leave nothing behind where a budget only warns': async (under) => {
    const hard = key('a', 1000);
    const soft = { ...hard, budget: { ...hard.budget, soft: true } };
    granted(await under.store.reserve([soft], 100)).settle(100);

    const absurd = await Promise.all(
      Array.from({ length: 99 }, () => under.store.reserve([soft], Number.MAX_SAFE_INTEGER)),
    );
    assert.ok(absurd.every((one) => one.kind === 'granted' && one.passed.length === 1));
    assert.equal((await under.store.reserve([hard], 0)).kind, 'exceeded');
    for (const [i, one] of absurd.entries()) {
      granted(one).release();
      if (i % 7 === 0) await under.settled();
    }

    assert.equal(await left(under, hard), 900);
  },

  'all scopes grant or none does': async (under) => {
    const rich = key('rich', 1000);
    const poor = key('poor', 10);

    for (let i = 0; i < 5; i += 1) {
      const decision = await under.store.reserve([rich, poor], 11);
      assert.equal(decision.kind === 'exceeded' && decision.scope, 'key:poor');
    }
    assert.equal(await left(under, rich), 1000);
    granted(await under.store.reserve([rich, poor], 10)).settle(4);

    assert.equal(await left(under, rich), 996);
    assert.equal(await left(under, poor), 6);
  },

  'one scope that cannot be loaded makes the whole unavailable': async (under) => {
    const known = key('known', 100);
    granted(await under.store.reserve([known], 0)).release();
    under.ledger.failing = true;

    assert.equal((await under.store.reserve([known, key('new', 100)], 50)).kind, 'unavailable');

    assert.equal(await left(under, known), 100);
  },

  'a changed limit applies at once': async (under) => {
    const reservation = granted(await under.store.reserve([key('a', 100)], 80));

    assert.equal((await under.store.reserve([key('a', 79)], 0)).kind, 'exceeded');
    granted(await under.store.reserve([key('a', 200)], 120)).release();
    reservation.settle(80);

    assert.equal(await left(under, key('a', 90)), 10);
  },

  'a changed period is loaded anew and keeps what is reserved': async (under) => {
    under.ledger.spentSince = (_id, sinceMs) => (sinceMs === 0 ? 500 : 20);
    const reservation = granted(await under.store.reserve([key('a', 100, 'day')], 30));
    assert.equal(await left(under, key('a', 100, 'day')), 50);

    assert.equal(await left(under, key('a', 1000, 'total')), 470);
    reservation.settle(25);

    assert.equal(await left(under, key('a', 1000, 'total')), 475);
  },

  'a period that changes during a load is not judged by the other one': async (under) => {
    under.ledger.spentSince = (_id, sinceMs) => (sinceMs === 0 ? 500 : 20);
    under.ledger.hold();
    const daily = under.store.reserve([key('a', 1000, 'day')], 0);
    await under.ledger.asked(1);

    const total = under.store.reserve([key('a', 510, 'total')], 100);
    await under.settled();
    under.ledger.release();

    assert.notEqual((await total).kind, 'granted');
    assert.notEqual((await daily).kind, 'exceeded');
  },

  'a daily budget counts from midnight UTC and tells when it renews': async (under) => {
    const scope = key('a', 100, 'day');
    granted(await under.store.reserve([scope], 100)).settle(100);

    const decision = await under.store.reserve([scope], 1);

    assert.deepEqual(decision, { kind: 'exceeded', scope: 'key:a', renewsInMs: 12 * HOUR_MS });
    assert.deepEqual(under.ledger.loads, [{ id: 'key:a', sinceMs: Date.UTC(2026, 10, 20) }]);
    await under.advance(12 * HOUR_MS - 1);
    assert.equal((await under.store.reserve([scope], 1)).kind, 'exceeded');
    await under.advance(1);
    assert.equal(await left(under, scope), 100);
    assert.equal(under.ledger.loads.length, 1, 'a new day starts at zero without a load');
  },

  'a monthly budget counts from the first of the month, over any length': async (under) => {
    const scope = key('a', 100, 'month');
    for (const [nowMs, renewsInMs] of [
      [NOON_MS, 10 * DAY_MS + 12 * HOUR_MS],
      [Date.UTC(2026, 11, 31, 23, 59, 59, 999), 1],
      [Date.UTC(2028, 1, 28), 2 * DAY_MS],
    ] as const) {
      await under.setWallMs(nowMs);
      granted(await under.store.reserve([scope], 100)).settle(100);
      const decision = await under.store.reserve([scope], 1);
      assert.deepEqual(decision, { kind: 'exceeded', scope: 'key:a', renewsInMs });
    }
    assert.deepEqual(under.ledger.loads, [{ id: 'key:a', sinceMs: Date.UTC(2026, 10, 1) }]);
  },

  'a total budget never renews': async (under) => {
    const scope = key('a', 100);
    granted(await under.store.reserve([scope], 100)).settle(100);

    await under.advance(4000 * DAY_MS);

    assert.equal((await under.store.reserve([scope], 1)).kind, 'exceeded');
    assert.deepEqual(under.ledger.loads, [{ id: 'key:a', sinceMs: 0 }]);
  },

  'of exceeded scopes the one that renews last is told': async (under) => {
    const scopes = [key('day', 0, 'day'), key('month', 0, 'month'), key('day2', 0, 'day')];

    const monthly = await under.store.reserve(scopes, 1);
    const never = await under.store.reserve([...scopes, key('total', 0)], 1);
    const first = await under.store.reserve([...scopes, key('total', 0)].toReversed(), 1);

    assert.equal(monthly.kind === 'exceeded' && monthly.scope, 'key:month');
    assert.equal(never.kind === 'exceeded' && never.scope, 'key:total');
    assert.equal(first.kind === 'exceeded' && first.scope, 'key:total');
  },

  'a reservation over midnight belongs to the day before': async (under) => {
    const scope = key('a', 100, 'day');
    await under.setWallMs(Date.UTC(2026, 10, 20, 23, 59, 59));
    const reservation = granted(await under.store.reserve([scope], 80));

    await under.advance(2000);
    assert.equal(await left(under, scope), 100);
    reservation.settle(80);

    assert.equal(await left(under, scope), 100);
  },

  'a charge after midnight belongs to the new day': async (under) => {
    const scope = key('a', 100, 'day');
    granted(await under.store.reserve([scope], 60)).settle(60);
    await under.advance(DAY_MS);

    under.store.charge(['key:a'], 30);

    assert.equal(await left(under, scope), 70);
  },

  'midnight during a load leaves the load of the old day behind': async (under) => {
    const scope = key('a', 100, 'day');
    await under.setWallMs(Date.UTC(2026, 10, 20, 23, 59, 59));
    under.ledger.spent.set('key:a', 90);
    under.ledger.hold();
    const waiting = under.store.reserve([scope], 50);
    await under.ledger.asked(1);

    await under.advance(1500);
    under.store.charge(['key:a'], 1);
    under.ledger.release();
    granted(await waiting).release();

    assert.equal(await left(under, scope), 99);
  },

  'a clock set back makes the day be counted from the ledger again': async (under) => {
    const scope = key('a', 100, 'day');
    granted(await under.store.reserve([scope], 60)).settle(60);
    const open = granted(await under.store.reserve([scope], 5));
    await under.setWallMs(NOON_MS + DAY_MS);
    granted(await under.store.reserve([scope], 0)).release();
    under.ledger.spent.set('key:a', 60);

    await under.setWallMs(NOON_MS);
    granted(await under.store.reserve([scope], 0)).release();
    open.settle(5);

    assert.equal(await left(under, scope), 35);
  },

  'a reservation that nobody ends stops counting after its time': async (under) => {
    const scope = key('a', 100);
    granted(await under.store.reserve([scope], 70));
    await under.advance(RESERVATION_TTL_MS - 1);
    assert.equal(await left(under, scope), 30);

    await under.advance(1);

    assert.equal(await left(under, scope), 100);
  },

  'a settlement after the expiry still books its cost, once': async (under) => {
    const scope = key('a', 100);
    const late = granted(await under.store.reserve([scope], 70));
    await under.advance(RESERVATION_TTL_MS);
    assert.equal(await left(under, scope), 100);

    late.settle(65);
    late.settle(65);

    assert.equal(await left(under, scope), 35);
  },

  'a release after the expiry changes nothing': async (under) => {
    const scope = key('a', 100);
    const late = granted(await under.store.reserve([scope], 70));
    await under.advance(RESERVATION_TTL_MS);
    granted(await under.store.reserve([scope], 90));

    late.release();

    assert.equal(await left(under, scope), 10);
  },

  'three hundred mixed calls at once are right to the nano-dollar': async (under) => {
    const scope = key('a', 400_003);
    under.ledger.spent.set('key:a', 3);
    let spent = 0;
    let refused = 0;

    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const decision = await under.store.reserve([scope], 5000);
        if (decision.kind !== 'granted') {
          refused += 1;
          return;
        }
        for (let turn = 0; turn < i % 7; turn += 1) await Promise.resolve();
        if (i % 5 === 0) {
          decision.reservation.release();
          return;
        }
        decision.reservation.settle(1234 + i);
        spent += 1234 + i;
      }),
    );
    under.store.charge(['key:a'], 17);
    await under.settled();

    assert.ok(refused > 0, 'the limit was reached on the way');
    assert.equal(await left(under, scope), 400_000 - spent - 17);
  },
};
