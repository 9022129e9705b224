/**
 * Sweeping behind erasures: rows of the ledger may reach the database long after they were made,
 * where the process that acknowledged them died or could not write. Those of an erased tenant
 * are treated as the erasure treated the others.
 *
 * It looks at tenants that were erased lately: what nobody replayed for so long is not coming.
 */
import type { Clock } from '../kernel/clock.ts';
import type { TenantEraser } from './ports/tenant-eraser.ts';
import type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

export interface ErasedSweepOptions {
  readonly tenants: Pick<TenantRepository, 'list'>;
  readonly eraser: Pick<TenantEraser, 'ledger' | 'settle'>;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const LATELY_MS = 30 * 86_400_000;
const PAGE = 200;

/** Answers how many rows had come. Throws `storage_unavailable` and the signal's reason. */
export function createErasedSweep(options: ErasedSweepOptions) {
  const { tenants, eraser, clock } = options;
  return async (signal: AbortSignal): Promise<number> => {
    let rows = 0;
    for (let afterSlug: string | null = null; ; ) {
      const page: readonly TenantRecord[] = await tenants.list({ limit: PAGE, afterSlug });
      for (const { slug, job, erasedAtMs } of page) {
        signal.throwIfAborted();
        if (erasedAtMs === null || erasedAtMs < clock.wallMs() - LATELY_MS) continue;
        rows += await eraser.ledger(slug, job?.kind === 'erase' ? job.ledger : 'keep', signal);
      }
      if (page.length < PAGE) break;
      afterSlug = page.at(-1)?.slug ?? null;
    }
    if (rows > 0) await eraser.settle();
    return rows;
  };
}
