/**
 * Runs the long work on tenants' data: one process at a time for each, under a lease that it
 * renews; where that process died another goes on once the lease is over.
 *
 * A job whose work fails says why and is tried again after a while, unless the work gave up.
 */
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { TenantJob } from './ports/tenant-job.ts';
import type { TenantPatch, TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

export interface JobContext {
  /** Aborts when the job is another process's now, or this one stops. */
  readonly signal: AbortSignal;
  /** Notes how far it is, with what goes along. Throws where the job is not ours any more. */
  note(change: Partial<TenantJob>, more?: Omit<TenantPatch, 'job'>): Promise<TenantRecord>;
}

/** Goes on from the record's job as it stands; to be done again from any of its steps. */
export type JobWork = (record: TenantRecord, context: JobContext) => Promise<void>;

export interface TenantJobsOptions {
  readonly repository: Pick<TenantRepository, 'modify'>;
  readonly work: Readonly<Record<TenantJob['kind'], JobWork>>;
  /** Names this process among all. */
  readonly owner: string;
  readonly refreshSnapshot: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TenantJobs {
  /** Runs the tenant's job unless another process has it; resolves when it ended or rests. */
  run(slug: string): Promise<void>;
  /** Looks now and then for jobs that nobody has. */
  watch(unfinished: () => readonly string[]): void;
  stop(): Promise<void>;
}

const LEASE_MS = 15_000;
const RENEW_MS = 5000;
const LOOK_MS = 2000;

export function createTenantJobs(options: TenantJobsOptions): TenantJobs {
  const { clock, log } = options;
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let timer: Timer | null = null;

  function run(slug: string): Promise<void> {
    const known = running.get(slug);
    if (known !== undefined) return known;
    const mine = attempt(options, slug, stopping.signal)
      .catch((error: unknown) => {
        log.warn('work on a tenant’s data is interrupted', { tenant: slug, error });
      })
      .finally(() => running.delete(slug));
    running.set(slug, mine);
    return mine;
  }

  return {
    run,
    watch(unfinished) {
      const look = (): void => {
        for (const slug of unfinished()) void run(slug);
        timer = clock.setTimer(LOOK_MS, look);
      };
      timer = clock.setTimer(LOOK_MS, look);
    },
    async stop() {
      timer?.cancel();
      stopping.abort(new Error('the process stops'));
      await Promise.all(running.values());
    },
  };
}

async function attempt(
  options: TenantJobsOptions,
  slug: string,
  stopping: AbortSignal,
): Promise<void> {
  const { repository, work, owner, clock } = options;
  const record = await repository.modify(slug, ({ job }) => {
    if (job === null || job.endedAtMs !== null || stopping.aborted) return null;
    const isTaken = job.leaseUntilMs > clock.wallMs() && job.owner !== owner;
    return isTaken ? null : { job: { ...job, owner, leaseUntilMs: clock.wallMs() + LEASE_MS } };
  });
  if (record?.job === null || record === null) return;
  const lost = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  const context = contextOf(options, record.job.id, slug, signal);
  const renewing = renew(clock, signal, async () => {
    await context.note({}).catch((error: unknown) => lost.abort(error));
  });
  try {
    await work[record.job.kind](record, context);
  } catch (error) {
    await giveUpLease(options, record.job.id, slug, error);
    throw error;
  } finally {
    renewing();
    await options.refreshSnapshot();
  }
}

function contextOf(
  { repository, owner, clock }: TenantJobsOptions,
  id: string,
  slug: string,
  signal: AbortSignal,
): JobContext {
  return {
    signal,
    async note(change, more = {}) {
      signal.throwIfAborted();
      const leaseUntilMs = clock.wallMs() + LEASE_MS;
      const written = await repository.modify(slug, ({ job }) => {
        if (job === null || job.id !== id || job.owner !== owner) return null;
        return { ...more, job: { ...job, leaseUntilMs, ...change } as TenantJob };
      });
      if (written === null) throw new Error('another process has this work now');
      return written;
    },
  };
}

/** Whoever looks next may go on at once after a short rest. */
async function giveUpLease(
  { repository, owner, clock }: TenantJobsOptions,
  id: string,
  slug: string,
  thrown: unknown,
): Promise<void> {
  const error = thrown instanceof Error ? thrown.message : String(thrown);
  await repository
    .modify(slug, ({ job }) => {
      if (job === null || job.id !== id || job.owner !== owner) return null;
      return { job: { ...job, error, owner: null, leaseUntilMs: clock.wallMs() + LOOK_MS } };
    })
    .catch(() => null); // its lease ends by itself
}

function renew(clock: Clock, signal: AbortSignal, work: () => Promise<void>): () => void {
  let timer: Timer | null = null;
  let isOver = false;
  const next = (): void => {
    if (isOver || signal.aborted) return;
    timer = clock.setTimer(RENEW_MS, () => void work().then(next));
  };
  next();
  return () => {
    isOver = true;
    timer?.cancel();
  };
}
