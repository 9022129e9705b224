/**
 * Rows of erased tenants that reach the ledger late: treated as the erasure treated the others,
 * as soon as the journal of a process that died is in the ledger, and once in a night.
 */
import { createErasedSweep } from '../tenancy/index.ts';
import type { Parts } from './parts.ts';

export interface LateRows {
  /** Throws `storage_unavailable` and the signal's reason. */
  sweep(signal: AbortSignal): Promise<void>;
  /** Begins to sweep behind recovered journals; answers the way to end it. */
  watch(): () => Promise<void>;
}

export function createLateRows({ clock, storage, telemetry }: Parts): LateRows {
  const log = telemetry.log.named('tenancy');
  const sweepAll = createErasedSweep({
    ...{ tenants: storage.tenants, eraser: storage.tenantEraser, clock },
  });
  async function sweep(signal: AbortSignal): Promise<void> {
    const rows = await sweepAll(signal);
    if (rows > 0) log.info('rows of erased tenants came late and were erased', { rows });
  }
  return {
    sweep,
    watch() {
      const ending = new AbortController();
      let last: Promise<void> = Promise.resolve();
      let isWaiting = false;
      const unwatch = storage.recovered(() => {
        if (isWaiting) return;
        isWaiting = true;
        last = last.then(async () => {
          isWaiting = false;
          if (!ending.signal.aborted) await sweep(ending.signal).catch(tell);
        });
      });
      const tell = (error: unknown): void => {
        log.warn('rows of erased tenants that came late wait for the night', { error });
      };
      return async () => {
        unwatch();
        ending.abort(new Error('the process stops'));
        await last;
      };
    },
  };
}
