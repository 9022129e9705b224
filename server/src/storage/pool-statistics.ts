/**
 * The figures of a pool, with an arithmetic that adds up: what is free is the capacity less
 * what is checked out, whether those connections are open already or not.
 */
import type { PoolStatistics } from './ledger-engine.ts';

export interface PoolState {
  readonly size: number;
  readonly maxOverflow: number;
  readonly timeoutMs: number;
  /** Connections that are open or being opened. */
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

export function poolStatistics(state: PoolState): PoolStatistics {
  const { size, maxOverflow, open, idle, waiting, timeoutMs } = state;
  const capacity = size + maxOverflow;
  const checkedOut = Math.max(0, open - idle);
  return {
    poolSize: size,
    maxOverflow,
    checkedOut,
    idle,
    overflow: Math.max(0, open - size),
    totalAvailable: Math.max(0, capacity - checkedOut),
    waiting,
    timeoutSeconds: timeoutMs / 1000,
    utilization: Math.round((checkedOut / capacity) * 10_000) / 100,
  };
}
