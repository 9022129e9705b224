/**
 * What the control plane sees and turns of the cache: figures, health, purges. The figures of
 * all processes where they share a Redis that answers, else those of this one.
 */
import type { CacheStats } from '@esclusa/contracts';
import type { BreakerSnapshot } from '../gateway/resilience/breaker-registry.ts';
import type { AdminServices } from '../http/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { type CacheBook, type Counts, noCounts } from '../stores/cache-book.ts';
import { readServerInfo } from '../stores/redis/server-info.ts';
import type { SharedFigures } from '../stores/redis/shared-figures.ts';
import type { Gateway } from './gateway.ts';
import type { LiveGeneration } from './generations.ts';
import type { SharedStores } from './redis.ts';

export interface CacheControlDeps {
  readonly gateway: Pick<Gateway, 'breakers' | 'cache' | 'tiers'>;
  readonly current: () => LiveGeneration;
  readonly clock: Clock;
  readonly book: CacheBook;
  /** null: there is no second tier. */
  readonly second: SecondTier | null;
}

export interface SecondTier {
  readonly store: SharedStores['cache'];
  readonly figures: SharedFigures;
}

type Stats = CacheStats['cache'];
type CacheState = Awaited<ReturnType<AdminServices['cache']['health']>>;

const NEVER_OPEN = { state: 'closed' as const, failures: 0 };
const DECIMALS = 3;
const MIB = 1024 * 1024;

export function createCacheControl(deps: CacheControlDeps): AdminServices['cache'] {
  const { gateway, book, second } = deps;
  return {
    purge: (tenant) => gateway.tiers.purge(tenant),
    remove: (tenant, selection) => gateway.tiers.remove(tenant, selection),
    stats: (tenant) => stats(deps, tenant),
    health: () => health(deps),
    async resetStats(tenant) {
      if (second !== null) await second.figures.reset(tenant);
      else if (book.page(tenant) !== null) book.turn(tenant, noCounts());
    },
  };
}

async function stats(deps: CacheControlDeps, tenant: string | null): Promise<Stats> {
  const { gateway, book, second } = deps;
  const page = book.page(tenant);
  const own = page?.counts ?? noCounts();
  const all = (await second?.figures.read(tenant).catch(() => null)) ?? null;
  const counts = all ?? own;
  const near = gateway.cache.stats(tenant);
  const { hits, misses } = counts;
  const latencyMs = rounded(page?.averageLatencyMs ?? null);
  const get = { hits, misses, ...rates(hits, misses), avg_latency_ms: latencyMs };
  return {
    enabled: deps.current().config.cache.enabled,
    backend: second === null ? gateway.cache.tier : 'redis',
    tenant,
    scope: all === null ? 'process' : 'shared',
    entries: near.entries,
    bytes: near.bytes,
    ...{ hits, misses, stale: counts.stale, joins: counts.joins, bypasses: counts.bypasses },
    total_requests: hits + misses,
    ...rates(hits, misses),
    errors: counts.redis_errors,
    avg_latency_ms: latencyMs,
    circuit_breaker: breakerOf(deps),
    operations: { get },
    tiers: {
      memory: {
        ...{ hits: counts.memory_hits, misses: counts.memory_misses },
        ...{ sets: near.sets, evictions: near.evictions },
        ...{ entries: near.entries, bytes: near.bytes },
      },
      redis: second === null ? null : redisTier(counts, latencyMs),
    },
  };
}

function redisTier(counts: Readonly<Counts>, latencyMs: number | null) {
  const { redis_plain_bytes: plain, redis_kept_bytes: kept } = counts;
  return {
    hits: counts.redis_hits,
    misses: counts.redis_misses,
    sets: counts.redis_sets,
    errors: counts.redis_errors,
    plain_bytes: plain,
    kept_bytes: kept,
    compression_ratio: plain === 0 ? null : Number((kept / plain).toFixed(DECIMALS)),
    avg_latency_ms: latencyMs,
  };
}

/** The same figures as health tells them: zeros where there is no shared tier. */
export function sharedTierOf({ tiers }: Stats): Readonly<Record<string, number>> {
  const { hits, misses, sets, errors } = tiers.redis ?? redisTier(noCounts(), null);
  return { hits, misses, sets, errors, total_requests: hits + misses, ...rates(hits, misses) };
}

function rates(hits: number, misses: number) {
  const rate = hits + misses === 0 ? 0 : hits / (hits + misses);
  return {
    hit_rate: Number(rate.toFixed(DECIMALS)),
    hit_rate_percent: Number((rate * 100).toFixed(2)),
  };
}

async function health(deps: CacheControlDeps): Promise<CacheState> {
  const { second, gateway, current } = deps;
  const { cache, redis } = current().config;
  const { enabled } = cache;
  const base = {
    enabled,
    critical: false,
    backend: second === null ? gateway.cache.tier : 'redis',
    latency_ms: null,
    circuit_breaker_state: breakerOf(deps).state,
    connection_pool: redis && second && { max_connections: redis.maxConnections },
  };
  if (!enabled) return { ...base, status: 'disabled', healthy: true, message: 'Switched off.' };
  if (second === null) return { ...base, status: 'healthy', healthy: true };
  const { store } = second;
  const sinceMs = deps.clock.monotonicMs();
  const info = await readServerInfo(store).catch(() => null);
  const latencyMs = info === null ? null : rounded(deps.clock.monotonicMs() - sinceMs);
  const { kind, reason, refusing } = store.state();
  const healthy = info !== null && kind === 'up' && refusing === null;
  const error = refusing ?? reason;
  return {
    ...base,
    ...{ status: healthy ? 'healthy' : 'degraded', healthy, latency_ms: latencyMs },
    ...(healthy ? {} : { message: 'Memory of each process stands in.' }),
    ...(error === null ? {} : { error }),
    redis_memory_used_mb: info === null ? null : Number((info.usedMemoryBytes / MIB).toFixed(1)),
  };
}

function breakerOf({ gateway, second }: CacheControlDeps): Stats['circuit_breaker'] {
  if (second === null) return NEVER_OPEN;
  const isIts = ({ name }: BreakerSnapshot): boolean => name === second.store.name;
  const found = gateway.breakers.snapshot().find(isIts);
  return found === undefined ? NEVER_OPEN : { state: found.state, failures: found.failures };
}

function rounded(durationMs: number | null): number | null {
  return durationMs === null ? null : Number(durationMs.toFixed(DECIMALS));
}
