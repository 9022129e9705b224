/**
 * How long one request may wait for shared stores, all its commands together: the allowance is
 * kept in what the request carries along its asynchronous steps anyway, so that no caller has to
 * hand it on, and four slow answers in a row cost no more than two.
 *
 * Commands at the same time each count in full. Outside of a request there is no bound.
 */

export interface Allowance {
  /** Milliseconds; whoever waited takes away what it took. */
  leftMs: number;
}

/** What a request carries along. */
export interface Waiter {
  allowance?: Allowance;
}

export interface RequestWaits {
  /** Of the request that runs now. */
  allowance(): Allowance;
}

/** Two commands that take all their time, with what their timers are late, in 50 ms. */
const TOTAL_MS = 40;

/** `current`: of the request that runs now; undefined outside of one. */
export function createRequestWaits(
  current: () => Waiter | undefined,
  totalMs: number = TOTAL_MS,
): RequestWaits {
  return {
    allowance() {
      const waiter = current();
      if (waiter === undefined) return unbounded();
      waiter.allowance ??= { leftMs: totalMs };
      return waiter.allowance;
    },
  };
}

export function unbounded(): Allowance {
  return { leftMs: Number.POSITIVE_INFINITY };
}
