/**
 * Erasing a tenant: nobody of it is let in any more, and once every process knows, what is the
 * tenant's is taken away. What stays is its slug, which nobody gets again, figures without
 * persons (or none), and the proof in the audit log.
 *
 * Each step may be done again: whoever goes on after a crash finds less to take away.
 */
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { JobWork } from './jobs.ts';
import type { DataMover } from './ports/data-mover.ts';
import type { Removed, TenantEraser } from './ports/tenant-eraser.ts';
import type { EraseJob } from './ports/tenant-job.ts';
import type { TenantRecord } from './ports/tenant-repository.ts';

export interface EraseOptions {
  readonly mover: DataMover;
  readonly eraser: TenantEraser;
  /** Writes the proof; resolves with whether it is in the chain. */
  readonly prove: (record: TenantRecord, job: EraseJob) => Promise<boolean>;
  readonly clock: Clock;
  /** Until every process has heard that the tenant is suspended, and written what it had. */
  readonly drainMs: number;
}

export function createEraseWork(options: EraseOptions): JobWork {
  const { eraser, clock, drainMs, prove } = options;
  return async (record, { note, signal }) => {
    let job = eraseOf(record);
    if (job.step === 'stopping') {
      await eraser.scrub(record.slug, clock.wallMs());
      await sleep(clock, drainMs, signal);
      job = eraseOf(await note({ step: 'removing' }));
    }
    // Noted behind each part, so that a crash takes little from what the proof tells.
    const counted = async (removed: Removed, more = {}): Promise<void> => {
      job = eraseOf(await note({ removed: sum(job.removed, removed), error: null }, more));
    };
    await counted(await removeOwn(options, record, signal));
    await counted({ ledger: await eraser.ledger(record.slug, job.ledger, signal) });
    await counted(await eraser.remove(record.slug), NOTHING);
    await eraser.settle();
    if (!(await prove(record, job))) throw new Error('the audit log does not take the proof yet');
    const endedAtMs = clock.wallMs();
    await note({ step: 'done', endedAtMs }, { erasedAtMs: endedAtMs });
  };
}

/** What a record says of somebody. */
const NOTHING = { name: '', hosts: [], limits: {}, budget: null, models: {}, place: null } as const;

async function removeOwn(
  { mover }: EraseOptions,
  record: TenantRecord,
  signal: AbortSignal,
): Promise<Removed> {
  const { place } = record;
  await mover.close(record, null);
  const shared = await mover.clear(record, null, signal);
  if (place === null) return { own_rows: shared };
  await mover.destroy(record, place);
  return { own_rows: shared, databases: 1 };
}

/** What was taken away, and noted, before a crash counts, too. */
function sum(before: Removed, now: Removed): Removed {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return Object.fromEntries(names.map((name) => [name, (before[name] ?? 0) + (now[name] ?? 0)]));
}

function eraseOf({ job }: TenantRecord): EraseJob {
  if (job?.kind === 'erase') return job;
  throw new Error('the tenant is not being erased');
}
