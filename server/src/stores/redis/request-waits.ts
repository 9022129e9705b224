/**
 * How long one request may wait for shared stores, all its commands together: the budget is
 * carried along its asynchronous steps, so that no caller has to hand it on, and four slow
 * answers in a row cost no more than two.
 *
 * Commands at the same time each count in full. Outside of a request there is no budget.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestWaits {
  /** Runs a request; commands within it, however deep and late, share its budget. */
  run<Result>(work: () => Result): Result;
  /** Milliseconds left; Infinity outside of a request. */
  leftMs(): number;
  spend(durationMs: number): void;
}

/** Two commands that take all their time, with what their timers are late, in 50 ms. */
const TOTAL_MS = 40;

export function createRequestWaits(totalMs: number = TOTAL_MS): RequestWaits {
  const storage = new AsyncLocalStorage<{ leftMs: number }>();
  return {
    run: (work) => storage.run({ leftMs: totalMs }, work),
    leftMs: () => storage.getStore()?.leftMs ?? Number.POSITIVE_INFINITY,
    spend(durationMs) {
      const budget = storage.getStore();
      if (budget !== undefined) budget.leftMs -= durationMs;
    },
  };
}
