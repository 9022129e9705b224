/**
 * The tenants that a process holds, by slug and by host. Bounded: beyond `max` new ones are left
 * out, which is logged and can be asked for.
 */
import type { Log } from '../kernel/log.ts';
import type { TenantRecord } from './ports/tenant-repository.ts';

/** What became of a tenant with its newer record. */
export interface TenantNews {
  readonly isSuspended: boolean;
  /** It is being erased: nobody of it can put anything anywhere any more. */
  readonly isLeaving: boolean;
}

export interface TenantTable {
  readonly size: number;
  readonly isTruncated: boolean;
  get(slug: string): TenantRecord | null;
  tenantOfHost(host: string): string | null;
  hasHosts(): boolean;
  /** The tenants whose data something is being done with. */
  unfinished(): readonly string[];
  put(record: TenantRecord): TenantNews;
  clear(): void;
}

const NO_NEWS: TenantNews = Object.freeze({ isSuspended: false, isLeaving: false });

export function createTenantTable(max: number, log: Log): TenantTable {
  const bySlug = new Map<string, TenantRecord>();
  const byHost = new Map<string, string>();
  const unfinished = new Set<string>();
  let isTruncated = false;

  function rename(slug: string, from: readonly string[], to: readonly string[]): void {
    for (const host of from) if (byHost.get(host) === slug) byHost.delete(host);
    for (const host of to) byHost.set(host, slug);
  }

  return {
    get size() {
      return bySlug.size;
    },
    get isTruncated() {
      return isTruncated;
    },
    get: (slug) => bySlug.get(slug) ?? null,
    tenantOfHost: (host) => byHost.get(host) ?? null,
    hasHosts: () => byHost.size > 0,
    unfinished: () => [...unfinished],
    put(record) {
      const { slug, job } = record;
      const before = bySlug.get(slug);
      if (before === undefined && bySlug.size >= max) {
        if (!isTruncated) log.error('there are more tenants than are held', { max });
        isTruncated = true;
        return NO_NEWS;
      }
      rename(slug, before?.hosts ?? [], record.hosts);
      bySlug.set(slug, record);
      if (job === null || job.endedAtMs !== null) unfinished.delete(slug);
      else unfinished.add(slug);
      return {
        isSuspended: record.suspendedAtMs !== null && (before?.suspendedAtMs ?? null) === null,
        isLeaving: isLeaving(record) && (before === undefined || !isLeaving(before)),
      };
    },
    clear() {
      bySlug.clear();
      byHost.clear();
      unfinished.clear();
    },
  };
}

function isLeaving({ job, erasedAtMs }: TenantRecord): boolean {
  return erasedAtMs !== null || (job?.kind === 'erase' && job.step !== 'stopping');
}
