/**
 * What every store of limits promises, whatever it counts in. An adapter's test file opens the
 * store with a clock it can move and calls `limitStoreSuite`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { LimitLease } from '../../src/gateway/model/holds.ts';
import type { Limits } from '../../src/gateway/model/principal.ts';
import type { LimitDecision, LimitScope, LimitStore } from '../../src/gateway/ports/limit-store.ts';

export interface LimitStoreUnderTest {
  readonly store: LimitStore;
  /** Moves the store's time. */
  advance(ms: number): void | Promise<void>;
  /** Resolves when every correction and release so far has reached the counters. */
  settled(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** The store as the claims use it: all requests are of one tenant. */
interface SuiteStore {
  take(scopes: readonly LimitScope[], tokens: number): Promise<LimitDecision>;
}

type SuiteUnderTest = Omit<LimitStoreUnderTest, 'store'> & { readonly store: SuiteStore };

type Open = () => LimitStoreUnderTest | Promise<LimitStoreUnderTest>;

function key(id: string, limits: Limits): LimitScope {
  return { id: `key:${id}`, limits };
}

function granted(decision: LimitDecision) {
  assert.equal(decision.kind, 'granted', inspect(decision));
  return decision as Extract<LimitDecision, { kind: 'granted' }>;
}

function refused(decision: LimitDecision) {
  assert.equal(decision.kind, 'refused', inspect(decision));
  return decision as Extract<LimitDecision, { kind: 'refused' }>;
}

export function limitStoreSuite(adapter: string, open: Open): void {
  for (const [claim, run] of Object.entries(CLAIMS)) {
    test(`${adapter}: ${claim}`, async (t) => {
      const under = await open();
      t.after(() => under.close());
      const store: SuiteStore = {
        async take(scopes, tokens) {
          await under.settled();
          return under.store.take(scopes, tokens, 'acme');
        },
      };
      await run({ ...under, store });
    });
  }
}

const CLAIMS: Readonly<Record<string, (under: SuiteUnderTest) => Promise<void>>> = {
  'an idle key may use its whole minute at once, the next is refused': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 10 })];

    for (let i = 0; i < 10; i += 1) granted(await under.store.take(scopes, 0));
    const eleventh = refused(await under.store.take(scopes, 0));

    assert.equal(eleventh.reason, 'requests');
    assert.equal(eleventh.scope, 'key:a');
    assert.equal(eleventh.retryAfterMs, 6000);
    assert.deepEqual(eleventh.state.requests, { limit: 10, remaining: 0, resetMs: 60_000 });
  },

  'a refused request passes exactly when it was told to': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 7 })];
    for (let i = 0; i < 7; i += 1) granted(await under.store.take(scopes, 0));
    const { retryAfterMs } = refused(await under.store.take(scopes, 0));
    assert.equal(retryAfterMs, 8572);

    await under.advance(8571);
    assert.equal(refused(await under.store.take(scopes, 0)).retryAfterMs, 1);
    await under.advance(1);

    granted(await under.store.take(scopes, 0));
  },

  'a refused request costs nothing': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 1 })];
    granted(await under.store.take(scopes, 0));

    for (let i = 0; i < 100; i += 1) refused(await under.store.take(scopes, 0));
    await under.advance(60_000);

    granted(await under.store.take(scopes, 0));
  },

  'the figures tell what is left and when all of it is back': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 60, tokensPerMinute: 1000 })];

    const first = granted(await under.store.take(scopes, 250));
    await under.advance(1000);
    const second = granted(await under.store.take(scopes, 0));

    assert.deepEqual(first.state, {
      requests: { limit: 60, remaining: 59, resetMs: 1000 },
      tokens: { limit: 1000, remaining: 750, resetMs: 15_000 },
    });
    assert.deepEqual(second.state, {
      requests: { limit: 60, remaining: 59, resetMs: 1000 },
      tokens: { limit: 1000, remaining: 766, resetMs: 14_000 },
    });
  },

  'what nothing limits has no figures and is never refused': async (under) => {
    const scopes = [key('a', { concurrency: 1000 })];

    for (let i = 0; i < 500; i += 1) {
      assert.deepEqual(granted(await under.store.take(scopes, 1e9)).state, {
        requests: null,
        tokens: null,
      });
    }
  },

  'a limit of zero refuses everything, without a time': async (under) => {
    for (const [limits, reason] of [
      [{ requestsPerMinute: 0 }, 'requests'],
      [{ tokensPerMinute: 0 }, 'tokens'],
      [{ concurrency: 0 }, 'concurrency'],
    ] as const) {
      for (const tokens of [0, 1]) {
        const decision = refused(await under.store.take([key(reason, limits)], tokens));
        assert.equal(decision.reason, reason);
        assert.equal(decision.retryAfterMs, null);
      }
    }
  },

  'a limit of zero has figures of zero': async (under) => {
    const limits = { requestsPerMinute: 0, tokensPerMinute: 0 };

    const { state } = refused(await under.store.take([key('a', limits)], 1));

    const zero = { limit: 0, remaining: 0, resetMs: 0 };
    assert.deepEqual(state, { requests: zero, tokens: zero });
  },

  'a concurrency of zero is told before any wait': async (under) => {
    const used = key('used', { requestsPerMinute: 1 });
    granted(await under.store.take([used], 0));

    const decision = refused(await under.store.take([used, key('shut', { concurrency: 0 })], 0));

    assert.equal(decision.reason, 'concurrency');
    assert.equal(decision.retryAfterMs, null);
  },

  'of equal reasons the first scope is told': async (under) => {
    const scopes = [
      key('first', { requestsPerMinute: 1 }),
      key('second', { requestsPerMinute: 1 }),
    ];
    granted(await under.store.take(scopes, 0));

    assert.equal(refused(await under.store.take(scopes, 0)).scope, 'key:first');
  },

  'what was not limited when it happened does not count later': async (under) => {
    for (let i = 0; i < 20; i += 1) {
      granted(await under.store.take([key('a', { concurrency: 100 })], 50));
      const other = granted(await under.store.take([key('b', { requestsPerMinute: 100 })], 0));
      other.lease.release();
    }

    const limited = key('a', { requestsPerMinute: 1, tokensPerMinute: 1 });
    granted(await under.store.take([limited], 1));
    const single = key('b', { concurrency: 1 });
    granted(await under.store.take([single], 0));
    refused(await under.store.take([single], 0));
  },

  'tokens are counted as estimated until the real figure is known': async (under) => {
    const scopes = [key('a', { tokensPerMinute: 1000 })];

    const { lease } = granted(await under.store.take(scopes, 900));
    assert.equal(refused(await under.store.take(scopes, 200)).reason, 'tokens');
    lease.correctTokens(300);

    assert.equal(granted(await under.store.take(scopes, 700)).state.tokens?.remaining, 0);
  },

  'more tokens than estimated are owed before the next request passes': async (under) => {
    const scopes = [key('a', { tokensPerMinute: 1000 })];
    const { lease } = granted(await under.store.take(scopes, 100));

    lease.correctTokens(2000);

    const decision = refused(await under.store.take(scopes, 1));
    assert.equal(decision.state.tokens?.remaining, 0);
    assert.equal(decision.state.tokens?.resetMs, 120_000);
    assert.equal(decision.retryAfterMs, 60_060);
    await under.advance(60_060);
    granted(await under.store.take(scopes, 1));
  },

  'correcting twice counts the last figure once': async (under) => {
    const scopes = [key('a', { tokensPerMinute: 1000 })];
    const { lease } = granted(await under.store.take(scopes, 100));

    lease.correctTokens(500);
    lease.correctTokens(400);
    lease.correctTokens(400);

    assert.equal(granted(await under.store.take(scopes, 0)).state.tokens?.remaining, 600);
  },

  'a correction never leaves more than the limit': async (under) => {
    const scopes = [key('a', { tokensPerMinute: 1000 })];
    const { lease } = granted(await under.store.take(scopes, 900));
    await under.advance(60_000);

    lease.correctTokens(0);

    const { state } = granted(await under.store.take(scopes, 0));
    assert.deepEqual(state.tokens, { limit: 1000, remaining: 1000, resetMs: 0 });
  },

  'a request larger than the limit is refused without a time': async (under) => {
    const scopes = [key('a', { tokensPerMinute: 1000 })];

    assert.equal(refused(await under.store.take(scopes, 1001)).retryAfterMs, null);
    granted(await under.store.take(scopes, 1000));
  },

  'as many run at once as allowed, a released place is taken again': async (under) => {
    const scopes = [key('a', { concurrency: 2 })];
    const first = granted(await under.store.take(scopes, 0));
    granted(await under.store.take(scopes, 0));

    const third = refused(await under.store.take(scopes, 0));
    assert.equal(third.reason, 'concurrency');
    assert.equal(third.retryAfterMs, null);
    first.lease.release();

    granted(await under.store.take(scopes, 0));
  },

  'releasing twice gives one place back': async (under) => {
    const scopes = [key('a', { concurrency: 2 })];
    const first = granted(await under.store.take(scopes, 0));
    granted(await under.store.take(scopes, 0));

    first.lease.release();
    first.lease.release();
    granted(await under.store.take(scopes, 0));

    assert.equal(refused(await under.store.take(scopes, 0)).reason, 'concurrency');
  },

  'a place does not come back by waiting': async (under) => {
    const scopes = [key('a', { concurrency: 1, requestsPerMinute: 1000 })];
    granted(await under.store.take(scopes, 0));

    await under.advance(3_600_000);

    assert.equal(refused(await under.store.take(scopes, 0)).reason, 'concurrency');
  },

  'all scopes are charged together or none is': async (under) => {
    const narrow = key('narrow', { requestsPerMinute: 1 });
    const wide = key('wide', { requestsPerMinute: 10, tokensPerMinute: 100, concurrency: 5 });
    granted(await under.store.take([narrow], 0));

    for (let i = 0; i < 20; i += 1) {
      assert.equal(refused(await under.store.take([wide, narrow], 50)).scope, 'key:narrow');
    }

    const { state } = granted(await under.store.take([wide], 0));
    assert.equal(state.requests?.remaining, 9);
    assert.equal(state.tokens?.remaining, 100);
  },

  'the tightest scope is told, and the longest wait': async (under) => {
    const tight = key('tight', { requestsPerMinute: 2, tokensPerMinute: 5000 });
    const loose = key('loose', { requestsPerMinute: 3, tokensPerMinute: 1000 });

    const { state } = granted(await under.store.take([tight, loose], 500));
    granted(await under.store.take([tight, loose], 500));
    const decision = refused(await under.store.take([tight, loose], 1000));

    assert.equal(state.requests?.limit, 2);
    assert.equal(state.tokens?.limit, 1000);
    assert.equal(decision.scope, 'key:loose');
    assert.equal(decision.reason, 'tokens');
    assert.equal(decision.retryAfterMs, 60_000);
  },

  'waiting a minute is told before a full concurrency': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 1, concurrency: 1 })];
    granted(await under.store.take(scopes, 0));

    const decision = refused(await under.store.take(scopes, 0));

    assert.equal(decision.reason, 'requests');
    assert.equal(decision.retryAfterMs, 60_000);
  },

  'a changed limit applies to the next request': async (under) => {
    granted(await under.store.take([key('a', { requestsPerMinute: 100 })], 0));
    granted(await under.store.take([key('a', { requestsPerMinute: 100 })], 0));

    refused(await under.store.take([key('a', { requestsPerMinute: 2 })], 0));
    granted(await under.store.take([key('a', { requestsPerMinute: 3 })], 0));
  },

  'scopes do not know each other': async (under) => {
    granted(await under.store.take([key('a', { requestsPerMinute: 1 })], 0));

    granted(await under.store.take([key('b', { requestsPerMinute: 1 })], 0));
    refused(await under.store.take([key('a', { requestsPerMinute: 1 })], 0));
  },

  'over random arrivals no more pass than the limit and what time frees': async (under) => {
    let run = 0;
    const arrivals = fc.array(fc.tuple(fc.nat(9000), fc.nat(40)), { maxLength: 60, size: 'max' });
    const limits = fc.integer({ min: 1, max: 97 });
    await fc.assert(
      fc.asyncProperty(arrivals, limits, async (steps, limit) => {
        run += 1;
        const scopes = [key(`random-${run}`, { tokensPerMinute: limit })];
        let owedMinuteTokens = 0; // in sixty-thousandths of a token, by hand
        for (const [waitMs, tokens] of steps) {
          await under.advance(waitMs);
          owedMinuteTokens = Math.max(0, owedMinuteTokens - waitMs * limit);
          const fits = owedMinuteTokens + tokens * 60_000 <= limit * 60_000;
          const decision = await under.store.take(scopes, tokens);
          assert.equal(decision.kind, fits ? 'granted' : 'refused');
          if (fits) owedMinuteTokens += tokens * 60_000;
          if (decision.kind === 'granted') continue;
          const excess = owedMinuteTokens + tokens * 60_000 - limit * 60_000;
          const retryAfterMs = tokens > limit ? null : Math.ceil(excess / limit);
          assert.equal(decision.retryAfterMs, retryAfterMs);
        }
      }),
      { numRuns: 150 },
    );
  },

  'a day of requests at exactly the limit is never refused: nothing drifts': async (under) => {
    const scopes = [key('a', { requestsPerMinute: 7 })];
    for (let i = 0; i < 7; i += 1) granted(await under.store.take(scopes, 0));

    for (let minute = 0; minute < 1440; minute += 1) {
      await under.advance(60_000);
      for (let i = 0; i < 7; i += 1) granted(await under.store.take(scopes, 0));
    }

    assert.equal(refused(await under.store.take(scopes, 0)).retryAfterMs, 8572);
  },

  'a hundred mixed leases leave no place taken': async (under) => {
    const scopes = [key('a', { concurrency: 100, tokensPerMinute: 1_000_000 })];
    const leases: LimitLease[] = [];
    for (let i = 0; i < 100; i += 1) leases.push(granted(await under.store.take(scopes, 10)).lease);
    refused(await under.store.take(scopes, 10));

    for (const [i, lease] of leases.entries()) {
      if (i % 2 === 0) lease.correctTokens(i);
      lease.release();
      if (i % 3 === 0) lease.release();
    }

    for (let i = 0; i < 100; i += 1) granted(await under.store.take(scopes, 0));
    refused(await under.store.take(scopes, 0));
  },
};
