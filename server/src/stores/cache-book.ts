/**
 * What the cache did, counted in this process for each tenant and for all together. A purge
 * changes none of it; only `reset` does.
 *
 * 1. Counting is an addition; nothing here waits or fails.
 * 2. Tenants are bounded: the one that was counted longest ago is forgotten, and begins a new
 *    page when it comes back. A page's name is never used twice, so that who sums pages of many
 *    processes counts nothing twice.
 */
import type { CacheStatus } from '../gateway/model/ledger-entry.ts';
import type { Clock } from '../kernel/clock.ts';

/** Counted for exchanges, and for what the shared tier was asked. */
export const COUNTED = [
  'hits',
  'misses',
  'stale',
  'joins',
  'bypasses',
  'memory_hits',
  'memory_misses',
  'redis_hits',
  'redis_misses',
  'redis_sets',
  'redis_errors',
  'redis_plain_bytes',
  'redis_kept_bytes',
] as const;

export type Counted = (typeof COUNTED)[number];
export type Counts = Record<Counted, number>;

export interface CachePage {
  /** Unique over processes and time. */
  readonly name: string;
  readonly counts: Readonly<Counts>;
  /** Of the last hundred lookups in the shared tier; null: there were none. */
  readonly averageLatencyMs: number | null;
}

export interface CacheBook {
  /** An exchange ended; `tier` names who gave a stored answer. */
  ended(tenant: string, status: CacheStatus, tier: string | null): void;
  lookedUp(tenant: string, found: boolean, durationMs: number): void;
  stored(tenant: string, plainBytes: number, keptBytes: number): void;
  failed(tenant: string): void;
  /** null as tenant: all together; null as answer: there is none. */
  page(tenant: string | null): CachePage | null;
  /** Tenants that were counted since they were last taken; null stands for all together. */
  takeChanged(): readonly (string | null)[];
  /** Begins a new page, for a tenant that has one, that says no more than `counts`. */
  turn(tenant: string | null, counts: Counts): CachePage;
  /** Takes every page as changed. */
  touchAll(): void;
  /** The tenant was never counted. */
  forget(tenant: string): void;
}

export interface CacheBookOptions {
  readonly clock: Clock;
  /** Unique for this process, ever. */
  readonly process: string;
  readonly maxTenants?: number;
}

const MAX_TENANTS = 2000;
const LATENCIES = 100;

const STATUS: Readonly<Record<CacheStatus, Counted>> = {
  HIT: 'hits',
  MISS: 'misses',
  STALE: 'stale',
  JOIN: 'joins',
  BYPASS: 'bypasses',
};

export function createCacheBook(options: CacheBookOptions): CacheBook {
  return new LiveBook(options);
}

class Page implements CachePage {
  readonly name: string;
  readonly counts: Counts = noCounts();
  readonly #latencies: number[] = [];
  #next = 0;

  constructor(name: string) {
    this.name = name;
  }

  get averageLatencyMs(): number | null {
    if (this.#latencies.length === 0) return null;
    return this.#latencies.reduce((sum, each) => sum + each, 0) / this.#latencies.length;
  }

  took(durationMs: number): void {
    this.#latencies[this.#next] = durationMs;
    this.#next = (this.#next + 1) % LATENCIES;
  }
}

class LiveBook implements CacheBook {
  readonly #options: CacheBookOptions;
  readonly #pages = new Map<string, Page>();
  readonly #changed = new Set<string | null>();
  #total: Page;
  #opened = 0;

  constructor(options: CacheBookOptions) {
    this.#options = options;
    this.#total = this.#open();
  }

  ended(tenant: string, status: CacheStatus, tier: string | null): void {
    this.#count(tenant, STATUS[status], 1);
    if (status === 'BYPASS') return;
    const isNear = tier === 'memory' && (status === 'HIT' || status === 'STALE');
    this.#count(tenant, isNear ? 'memory_hits' : 'memory_misses', 1);
  }

  lookedUp(tenant: string, found: boolean, durationMs: number): void {
    this.#count(tenant, found ? 'redis_hits' : 'redis_misses', 1);
    this.#pageOf(tenant).took(durationMs);
    this.#total.took(durationMs);
  }

  stored(tenant: string, plainBytes: number, keptBytes: number): void {
    this.#count(tenant, 'redis_sets', 1);
    this.#count(tenant, 'redis_plain_bytes', plainBytes);
    this.#count(tenant, 'redis_kept_bytes', keptBytes);
  }

  failed(tenant: string): void {
    this.#count(tenant, 'redis_errors', 1);
  }

  page(tenant: string | null): CachePage | null {
    return tenant === null ? this.#total : (this.#pages.get(tenant) ?? null);
  }

  takeChanged(): readonly (string | null)[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  turn(tenant: string | null, counts: Counts): CachePage {
    const page = this.#open();
    Object.assign(page.counts, counts);
    if (tenant === null) this.#total = page;
    else this.#pages.set(tenant, page);
    return page;
  }

  touchAll(): void {
    this.#changed.add(null);
    for (const tenant of this.#pages.keys()) this.#changed.add(tenant);
  }

  forget(tenant: string): void {
    this.#pages.delete(tenant);
    this.#changed.delete(tenant);
  }

  #count(tenant: string, what: Counted, amount: number): void {
    this.#pageOf(tenant).counts[what] += amount;
    this.#total.counts[what] += amount;
    this.#changed.add(tenant);
    this.#changed.add(null);
  }

  #pageOf(tenant: string): Page {
    const known = this.#pages.get(tenant);
    if (known !== undefined) return known;
    const { maxTenants = MAX_TENANTS } = this.#options;
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size < maxTenants) break;
      this.#pages.delete(oldest);
      this.#changed.delete(oldest);
    }
    const page = this.#open();
    this.#pages.set(tenant, page);
    return page;
  }

  #open(): Page {
    this.#opened += 1;
    return new Page(`${this.#options.process}.${this.#opened}`);
  }
}

export function noCounts(): Counts {
  return Object.fromEntries(COUNTED.map((name) => [name, 0])) as Counts; // one per name
}
