/**
 * What a tenant, or the law, may ask for: everything that is kept of it, and that nothing is.
 */
import { GatewayError, type Principal } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import { exportLines } from './export.ts';
import type { TenantJobs } from './jobs.ts';
import type { TenantExporter } from './ports/tenant-exporter.ts';
import type { EraseJob } from './ports/tenant-job.ts';
import type { TenantPatch, TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

export interface TenantRemoval {
  /**
   * Everything that is kept of it, as lines of JSON; an administrator may have their own
   * tenant's. Throws `not_found`.
   */
  export(actor: Principal, slug: string): Promise<AsyncIterable<string>>;
  /**
   * Suspends it and begins to take away everything that is its; its `job` tells how far it is.
   * Harmless while that is under way. Throws `not_found`, and `conflict` for the operators' own,
   * for one that is gone, and while its data is being moved.
   */
  erase(actor: Principal, slug: string, ledger: EraseJob['ledger']): Promise<TenantRecord>;
}

export interface TenantRemovalOptions {
  readonly repository: Pick<TenantRepository, 'get' | 'modify'>;
  readonly exporter: TenantExporter;
  readonly jobs: Pick<TenantJobs, 'run'>;
  readonly authorize: (actor: Principal, permission: 'tenants.write') => void;
  /** Throws `not_found` where the actor may not export this tenant. */
  readonly confine: (actor: Principal, slug: string) => void;
  readonly refreshSnapshot: () => Promise<void>;
  readonly ownSlug: string;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** Every method may throw `permission_denied` and `storage_unavailable`. */
export function createTenantRemoval(options: TenantRemovalOptions): TenantRemoval {
  const { repository, exporter, confine, authorize } = options;
  return {
    async export(actor, slug) {
      confine(actor, slug);
      if ((await repository.get(slug)) === null) throw missing();
      return exportLines(exporter, slug);
    },
    async erase(actor, slug, ledger) {
      authorize(actor, 'tenants.write');
      const before = await repository.get(slug);
      if (before === null) throw missing();
      if (slug === options.ownSlug) throw conflict('It is the tenant of the operators’ own keys.');
      const wanted = { ledger, actor: actor.keyId };
      const record = await repository.modify(slug, (found) => begin(options, found, wanted));
      await options.refreshSnapshot();
      void options.jobs.run(slug);
      return record ?? before;
    },
  };
}

function begin(
  { ids, clock }: TenantRemovalOptions,
  { job, suspendedAtMs, erasedAtMs }: TenantRecord,
  wanted: Pick<EraseJob, 'ledger' | 'actor'>,
): TenantPatch | null {
  if (erasedAtMs !== null) throw conflict('It is erased already; its slug stays taken.');
  if (job !== null && job.endedAtMs === null) {
    if (job.kind === 'erase') return null;
    throw conflict('Its data is being moved. Wait for the end of that.');
  }
  return {
    suspendedAtMs: suspendedAtMs ?? clock.wallMs(),
    job: {
      ...{ kind: 'erase', id: ids.next('job'), step: 'stopping', ...wanted, removed: {} },
      ...{ startedAtMs: clock.wallMs(), endedAtMs: null, error: null },
      ...{ owner: null, leaseUntilMs: 0 },
    },
  };
}

function conflict(why: string): GatewayError {
  return new GatewayError('conflict', {
    message: `This tenant cannot be erased: ${why}`,
    field: 'slug',
  });
}

function missing(): GatewayError {
  return new GatewayError('not_found', { message: 'There is no tenant with this slug.' });
}
