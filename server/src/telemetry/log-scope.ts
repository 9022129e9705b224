/**
 * The running exchange's identifiers, carried along every asynchronous step it takes, so that
 * a line logged anywhere below it says which request it belongs to.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface LogIds {
  readonly requestId: string;
  readonly correlationId: string;
  /** Where traces are made. */
  readonly traceId?: string;
  /** Known only after authentication; set then, in place. */
  tenant?: string;
  /** What it may still wait for shared stores, who set it. */
  allowance?: { leftMs: number };
}

export interface LogScope {
  /** Runs `work`; lines logged within it, however deep and late, carry the identifiers. */
  run<Result>(ids: LogIds, work: () => Result): Result;
  current(): LogIds | undefined;
}

export function createLogScope(): LogScope {
  const storage = new AsyncLocalStorage<LogIds>();
  return {
    run: (ids, work) => storage.run(ids, work),
    current: () => storage.getStore(),
  };
}
