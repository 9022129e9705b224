/**
 * Slows down whoever guesses passwords: only so many failures a minute for one account and for
 * one address. What succeeds is given back and counts nothing.
 *
 * Nobody can lock another out with it:
 * 1. Where a user has signed in before has a count of its own, which strangers cannot use up.
 * 2. An account that strangers keep at its limit for `MERCY_AFTER_MS` opens a little: an address
 *    may then try once a minute, so that its user gets in from a new place, too.
 *
 * The counts live in the store of limits; so they are bounded, and shared where that is.
 */
import { GatewayError, type LimitLease, type LimitStore } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';

const ACCOUNT_PER_MINUTE = 10;
const ADDRESS_PER_MINUTE = 50;
const MERCY_PER_MINUTE = 1;
const MERCY_AFTER_MS = 600_000;
/** A siege with a longer pause is over. */
const SIEGE_PAUSE_MS = 60_000;
const SIEGES_MAX = 10_000;
/** No tenant's slug: who signs in has none yet. */
const NO_TENANT = '~sign-in';

interface Refusal {
  readonly code: 'sign_in_throttled' | 'rate_limited';
  readonly message: string;
}

const FAILED_SIGN_INS: Refusal = {
  code: 'sign_in_throttled',
  message: 'There were too many sign-ins that failed. Wait, then try again.',
};
const FINDINGS: Refusal = {
  code: 'rate_limited',
  message: 'Too many addresses and names were tried that are taken. Wait, then try again.',
};

export interface Attempt {
  /** A keyed hash of what was given as the account, whether it exists or not. */
  readonly account: string;
  readonly source: string;
  /** The user has signed in from there before. */
  readonly isKnownSource: boolean;
}

export interface Throttle {
  /** Counts an attempt; throws `sign_in_throttled`. Call the answer when it succeeded. */
  attempt(attempt: Attempt): Promise<() => void>;
  /** Counts what a tenant's administrator finds out; throws `rate_limited`. As `attempt`. */
  find(what: string, tenant: string, perMinute: number): Promise<() => void>;
  /** Counts one of anything else that an address may do only so often. */
  visit(what: string, source: string, perMinute: number): Promise<void>;
}

export function createThrottle(limits: LimitStore, clock: Pick<Clock, 'monotonicMs'>): Throttle {
  const sieges = new Map<string, { sinceMs: number; lastMs: number }>();

  /** How long the account has been kept at its limit. */
  function siegeMs(account: string): number {
    const nowMs = clock.monotonicMs();
    const known = sieges.get(account);
    if (known !== undefined && nowMs - known.lastMs <= SIEGE_PAUSE_MS) {
      known.lastMs = nowMs;
      return nowMs - known.sinceMs;
    }
    sieges.delete(account);
    if (sieges.size >= SIEGES_MAX) {
      const [eldest] = sieges.keys();
      if (eldest !== undefined) sieges.delete(eldest);
    }
    sieges.set(account, { sinceMs: nowMs, lastMs: nowMs });
    return 0;
  }

  async function take(
    scopes: readonly (readonly [string, number])[],
    refusal: Refusal = FAILED_SIGN_INS,
  ): Promise<LimitLease> {
    const decision = await limits.take(
      scopes.map(([id, tokensPerMinute]) => ({ id, limits: { tokensPerMinute } })),
      1,
      NO_TENANT,
    );
    if (decision.kind === 'granted') return decision.lease;
    throw new GatewayError(refusal.code, {
      message: refusal.message,
      retryAfterMs: Math.max(1000, decision.retryAfterMs ?? SIEGE_PAUSE_MS),
    });
  }

  async function count({ account, source, isKnownSource }: Attempt): Promise<LimitLease> {
    const place = [`sign-in:address:${source}`, ADDRESS_PER_MINUTE] as const;
    if (isKnownSource) {
      return take([[`sign-in:known:${account}:${source}`, ACCOUNT_PER_MINUTE], place]);
    }
    try {
      return await take([[`sign-in:account:${account}`, ACCOUNT_PER_MINUTE], place]);
    } catch (error) {
      if (siegeMs(account) < MERCY_AFTER_MS) throw error;
      return take([[`sign-in:mercy:${account}:${source}`, MERCY_PER_MINUTE], place]);
    }
  }

  return {
    async attempt(attempt) {
      const lease = await count(attempt);
      return () => lease.correctTokens(0);
    },
    async find(what, tenant, perMinute) {
      const lease = await take([[`${what}:${tenant}`, perMinute]], FINDINGS);
      return () => lease.correctTokens(0);
    },
    async visit(what, source, perMinute) {
      await take([[`${what}:${source}`, perMinute]]);
    },
  };
}
