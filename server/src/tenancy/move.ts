/**
 * Moving a tenant's own data to another database. Everything goes on while it is copied; then,
 * for a bounded time, nobody writes and what changed meanwhile follows; the record is switched
 * in one step; what is left behind goes once every process has heard of it.
 *
 * 1. At no moment do two databases take the tenant's rows.
 * 2. Before the switch a failure leaves everything as it was; after it there is no way back but
 *    another move.
 * 3. Each step may be done again: whoever goes on after a crash begins with the one it fell in.
 */
import { GatewayError } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { JobContext, JobWork } from './jobs.ts';
import type { DataMover } from './ports/data-mover.ts';
import type { MoveJob } from './ports/tenant-job.ts';
import type { TenantRecord } from './ports/tenant-repository.ts';

export interface MoveOptions {
  readonly mover: DataMover;
  readonly clock: Clock;
  /** The longest that nobody may write. */
  readonly settleMaxMs: number;
  /** Until every process has heard of the switch. */
  readonly drainMs: number;
}

export function createMoveWork(options: MoveOptions): JobWork {
  return async (record, context) => {
    let job = moveOf(record);
    if (job.step === 'preparing' || job.step === 'copying' || job.step === 'settling') {
      job = await untilSwitched(options, record, job, context);
    }
    if (job.endedAtMs !== null) return;
    await afterSwitch(options, record, job, context);
  };
}

/** Ends as `failed` where it cannot be done; then everything is as before. */
async function untilSwitched(
  options: MoveOptions,
  record: TenantRecord,
  { from, to }: MoveJob,
  context: JobContext,
): Promise<MoveJob> {
  const { mover, clock } = options;
  const { note, signal } = context;
  try {
    await mover.prepare(record, to);
    await note({ step: 'copying' });
    await mover.copy(record, from, to, signal);
    await note({ step: 'settling' });
    await mover.close(record, from);
    const { rows } = await settleInTime(options, record, { from, to }, signal);
    return moveOf(await note({ step: 'opening', rows, error: null }, { place: to }));
  } catch (thrown) {
    if (signal.aborted) throw thrown; // whoever has it next goes on
    await note({}); // throws where another has it already, and may have switched
    await mover.open(record, from);
    const error = messageOf(thrown);
    return moveOf(await note({ step: 'failed', error, endedAtMs: clock.wallMs() }));
  }
}

async function settleInTime(
  { mover, clock, settleMaxMs }: MoveOptions,
  record: TenantRecord,
  { from, to }: Pick<MoveJob, 'from' | 'to'>,
  signal: AbortSignal,
) {
  const late = new AbortController();
  const timer = clock.setTimer(settleMaxMs, () => {
    const message = `What changed meanwhile did not follow within ${settleMaxMs / 1000} s.`;
    late.abort(new GatewayError('storage_unavailable', { message }));
  });
  try {
    return await mover.settle(record, from, to, AbortSignal.any([signal, late.signal]));
  } finally {
    timer.cancel();
  }
}

async function afterSwitch(
  { mover, clock, drainMs }: MoveOptions,
  record: TenantRecord,
  { from, to, step }: MoveJob,
  { note, signal }: JobContext,
): Promise<void> {
  if (step === 'opening') {
    await mover.open(record, to);
    await note({ step: 'clearing' });
  }
  await sleep(clock, drainMs, signal);
  if (from?.kind === 'file') await mover.destroy(record, from);
  else await mover.clear(record, from, signal);
  await note({ step: 'done', endedAtMs: clock.wallMs(), error: null });
}

function moveOf({ job }: TenantRecord): MoveJob {
  if (job?.kind === 'move') return job;
  throw new Error('the tenant has no move');
}

function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : '';
  return `${thrown.message}${cause}`;
}
