/**
 * Every tenant in memory, so that a request learns without the database whether its tenant is
 * at work and whose name it was called by. Kept fresh like keys: after every local change, when
 * storage signals one, and by polling.
 *
 * 1. A tenant that was suspended is known as such everywhere within two seconds.
 * 2. A failed reading keeps what is held until it is `maxAgeMs` old; then nobody is judged.
 * 3. Rows are never taken away, so a tenant that is not held is one that was made a moment ago.
 */
import type { Clock } from '../kernel/clock.ts';
import { createFreshness } from '../kernel/freshness.ts';
import type { Log } from '../kernel/log.ts';
import type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';
import { createTenantTable } from './tenant-table.ts';

/** `unknown`: nobody can tell at the moment. */
export type Standing = 'active' | 'suspended' | 'unknown';

export interface TenantSnapshotOptions {
  readonly repository: Pick<TenantRepository, 'changedSince'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Age beyond which nobody is let in, in milliseconds. */
  readonly maxAgeMs: number;
  /** Milliseconds between two polls; 1000. */
  readonly pollMs?: number;
  /** 100 000. */
  readonly maxTenants?: number;
}

export interface TenantSnapshot {
  standing(slug: string): Standing;
  get(slug: string): TenantRecord | null;
  /** The tenant a host belongs to; null: it names none. */
  tenantOfHost(host: string): string | null;
  /** False spares the reading of a host. */
  hasHosts(): boolean;
  /** Calls `onStop` whenever a tenant that was at work is not any more; returns the way to end. */
  onSuspended(onStop: (slug: string) => void): () => void;
  /** The same for a tenant that is being erased, or was; told once. */
  onErased(onGone: (slug: string) => void): () => void;
  /** The tenants whose data something is being done with. */
  unfinished(): readonly string[];
  start(): Promise<void>;
  refresh(): Promise<void>;
  stop(): void;
}

const DEFAULT_MAX_TENANTS = 100_000;

export function createTenantSnapshot(options: TenantSnapshotOptions): TenantSnapshot {
  const { repository, clock, log, maxAgeMs, maxTenants = DEFAULT_MAX_TENANTS } = options;
  const table = createTenantTable(maxTenants, log);
  const suspensions = new Set<(slug: string) => void>();
  const erasures = new Set<(slug: string) => void>();
  let version = 0;

  async function read(): Promise<void> {
    let changes = await repository.changedSince(version);
    if (changes.version < version) {
      // The database was restored, so nothing held is certain.
      changes = await repository.changedSince(0);
      table.clear();
    }
    for (const record of changes.tenants) {
      const { isSuspended, isLeaving } = table.put(record);
      if (isSuspended) for (const tell of suspensions) tell(record.slug);
      if (isLeaving) for (const tell of erasures) tell(record.slug);
    }
    version = changes.version;
  }

  const freshness = createFreshness({
    ...{ what: 'tenants', read, size: () => table.size, clock, log },
    pollMs: options.pollMs,
  });

  return {
    standing(slug) {
      if (freshness.ageMs() > maxAgeMs) return 'unknown';
      const record = table.get(slug);
      if (record === null) return table.isTruncated ? 'unknown' : 'active';
      return record.suspendedAtMs === null ? 'active' : 'suspended';
    },
    get: table.get,
    tenantOfHost: table.tenantOfHost,
    hasHosts: table.hasHosts,
    unfinished: table.unfinished,
    onSuspended(onStop) {
      suspensions.add(onStop);
      return () => suspensions.delete(onStop);
    },
    onErased(onGone) {
      erasures.add(onGone);
      return () => erasures.delete(onGone);
    },
    start: freshness.start,
    refresh: freshness.refresh,
    stop: freshness.stop,
  };
}
