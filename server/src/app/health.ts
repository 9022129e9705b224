/**
 * What probes are told. The database and the journal are critical: without them nothing can be
 * recorded. A provider that fails is its breaker's business, not this process's health.
 */
import type { DatabaseHealth, Health, HealthCheck, Ready, Startup } from '@esclusa/contracts';
import type { BreakerRegistry } from '../gateway/resilience/breaker-registry.ts';
import type { HealthReader } from '../http/index.ts';
import type { KeySnapshot } from '../identity/index.ts';
import { type BucketWatch, STARTING } from '../operations/index.ts';
import type { Storage } from '../storage/index.ts';
import type { RedisStore } from '../stores/redis/store.ts';
import type { Counters } from './counters.ts';
import type { SharedStores } from './redis.ts';
import type { Replays } from './replays.ts';

export interface HealthDeps {
  readonly storage: Pick<Storage, 'figures' | 'health' | 'ledger'>;
  readonly snapshot: Pick<KeySnapshot, 'state'>;
  /** null: nothing is shared. */
  readonly shared: Pick<SharedStores, 'cache' | 'state'> | null;
  readonly counters: Pick<Counters, 'degraded'>;
  readonly replays: Pick<Replays, 'degraded'>;
  /** null: there is no object storage. */
  readonly bucket: Pick<BucketWatch, 'last'> | null;
  readonly breakers: Pick<BreakerRegistry, 'snapshot'>;
  /** Of the configuration in force. */
  readonly providers: () => readonly string[];
  /** Of the shared tier, of all processes where they can be asked. */
  readonly cacheStats: () => Promise<HealthCheck['stats']>;
  readonly cacheEnabled: () => boolean;
}

export interface Lifecycle {
  phase: 'starting' | 'serving' | 'draining';
  /** What the checks at start found. */
  startup: Startup;
}

export function createHealth(deps: HealthDeps, lifecycle: Lifecycle): HealthReader {
  return {
    startup: () => (lifecycle.phase === 'starting' ? STARTING : lifecycle.startup),
    ready: () => readiness(deps, lifecycle),
    report: () => report(deps, lifecycle),
    database: () => databaseReport(deps),
  };
}

/** Names of what works with less than it should have; for a header of every answer. */
export function degradedNames(deps: HealthDeps): readonly string[] {
  const names: string[] = [];
  if (!deps.snapshot.state().isCurrent) names.push('keys');
  for (const store of sharedOf(deps)) if (store.state().kind !== 'up') names.push(store.name);
  names.push(...deps.counters.degraded(), ...deps.replays.degraded());
  const { lastError, writerError, outage } = deps.storage.figures();
  if ([lastError, writerError, outage].some((why) => why !== null)) names.push('database');
  if (openTargets(deps).length > 0) names.push('providers');
  if (!isThere(deps.bucket)) names.push('object-storage');
  return names;
}

function readiness(deps: HealthDeps, lifecycle: Lifecycle): Ready {
  const degraded = [...degradedNames(deps)];
  const unavailable: string[] = [];
  if (lifecycle.phase !== 'serving') unavailable.push(lifecycle.phase);
  if (!deps.storage.ledger.accepting()) unavailable.push('journal');
  const status = unavailable.length > 0 ? 'unready' : degraded.length > 0 ? 'degraded' : 'ready';
  return { status, degraded, unavailable };
}

async function report(deps: HealthDeps, lifecycle: Lifecycle): Promise<Omit<Health, 'timestamp'>> {
  const [database, stats] = await Promise.all([probeDatabase(deps), deps.cacheStats()]);
  const journal: HealthCheck = {
    healthy: deps.storage.ledger.accepting(),
    enabled: true,
    critical: true,
    backend: 'file',
  };
  const enabled = deps.cacheEnabled();
  const { status } = readiness(deps, lifecycle);
  const broken = !database.healthy || status === 'unready';
  const degraded = status === 'degraded' || !enabled;
  const backend = deps.shared === null ? 'memory' : 'redis';
  return {
    status: broken ? 'unhealthy' : degraded ? 'degraded' : 'healthy',
    database: database.healthy ? 'connected' : 'disconnected',
    cache: enabled ? backend : 'disabled',
    checks: {
      ...{ database, journal },
      cache: { healthy: true, enabled, critical: false, backend: 'memory' },
      ...storesOf(deps, stats),
      providers: providersCheck(deps),
      object_storage: bucketCheck(deps.bucket),
    },
  };
}

/** `redis_cache` is told also where there is none: who asks for it must not have to guess. */
function storesOf(
  { shared }: HealthDeps,
  stats: HealthCheck['stats'],
): Readonly<Record<string, HealthCheck>> {
  if (shared === null) return { redis_cache: { ...ABSENT, backend: 'redis', stats } };
  return {
    redis_cache: { ...checkOf(shared.cache), stats },
    redis_state: checkOf(shared.state),
  };
}

const ABSENT: HealthCheck = { healthy: true, enabled: false, critical: false };

/** Targets that are left alone for their failures; answers come from others meanwhile. */
function openTargets({ breakers, providers }: HealthDeps): readonly string[] {
  const known = new Set(providers());
  return breakers.snapshot().flatMap(({ name, state }) => {
    const provider = name.slice(0, Math.max(0, name.indexOf('/')));
    return state === 'open' && known.has(provider) ? [name] : [];
  });
}

function providersCheck(deps: HealthDeps): HealthCheck {
  const open = openTargets(deps);
  const enabled = deps.providers().length > 0;
  const base = { healthy: open.length === 0, enabled, critical: false };
  return open.length === 0 ? base : { ...base, error: `circuit open: ${open.join(', ')}` };
}

/** Unknown before the first look, which the start makes. */
function isThere(bucket: HealthDeps['bucket']): boolean {
  const seen = bucket?.last() ?? null;
  return seen === null || seen.kind === 'there';
}

function bucketCheck(bucket: HealthDeps['bucket']): HealthCheck {
  if (bucket === null) return ABSENT;
  const healthy = isThere(bucket);
  const base = { healthy, enabled: true, critical: false, backend: 's3' };
  const seen = bucket.last();
  if (healthy || seen === null) return base;
  return { ...base, error: seen.kind === 'unreachable' ? seen.reason : seen.kind };
}

function sharedOf({ shared }: HealthDeps): readonly RedisStore[] {
  return shared === null ? [] : [shared.cache, shared.state];
}

/** Without a wait: what the store itself saw last. */
function checkOf(store: RedisStore): HealthCheck {
  const { kind, reason, refusing } = store.state();
  const healthy = kind === 'up' && refusing === null;
  const base = { healthy, enabled: true, critical: false, backend: 'redis' };
  if (refusing !== null) return { ...base, message: 'It takes no writes.', error: refusing };
  return kind === 'up' ? base : { ...base, error: reason ?? 'It is not connected yet.' };
}

async function probeDatabase({ storage }: HealthDeps): Promise<HealthCheck> {
  const { backend, connection } = await storage.health();
  const base = { enabled: true, critical: true, backend };
  return connection.healthy
    ? { ...base, healthy: true, latency_ms: connection.latencyMs }
    : { ...base, healthy: false, latency_ms: null, error: connection.error };
}

async function databaseReport({ storage }: HealthDeps): Promise<Omit<DatabaseHealth, 'timestamp'>> {
  const { backend, connection, pool, tables, facts } = await storage.health();
  const isExhausted = pool.totalAvailable === 0 && pool.waiting > 0;
  const risk = facts?.roleRisk ?? null;
  const isHealthy = connection.healthy && !isExhausted;
  return {
    status: isHealthy ? 'healthy' : 'unhealthy',
    backend,
    version: facts?.version ?? null,
    role: facts?.role ?? null,
    checks: {
      connection: connection.healthy
        ? { healthy: true, test_query: 'ok', latency_ms: connection.latencyMs }
        : { healthy: false, error: connection.error },
      pool: {
        healthy: isHealthy,
        stats: {
          pool_size: pool.poolSize,
          max_overflow: pool.maxOverflow,
          checked_out: pool.checkedOut,
          idle: pool.idle,
          overflow: pool.overflow,
          total_available: pool.totalAvailable,
          waiting: pool.waiting,
          timeout: pool.timeoutSeconds,
        },
        utilization: pool.utilization,
      },
      tables: { healthy: tables !== null && tables > 0, count: tables },
      migrations: { healthy: facts !== null, applied: facts?.migrations ?? null },
      row_security: risk === null ? { healthy: true } : { healthy: false, message: risk },
    },
  };
}
