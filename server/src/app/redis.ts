/**
 * The two shared stores, opened where the configuration names a Redis: `cache` may lose what it
 * holds, `state` must not. Both connect in the background, so that a start never waits for them.
 */
import type { Config, RedisConfig, RedisEndpoint } from '../config/index.ts';
import type { BreakerSettings } from '../gateway/model/target.ts';
import type { SharedCacheStore } from '../gateway/ports/cache-store.ts';
import type { SharedFlights } from '../gateway/ports/shared-flights.ts';
import type { BreakerRegistry } from '../gateway/resilience/breaker-registry.ts';
import type { RedisAddress } from '../stores/redis/connection.ts';
import { createRedisSharedFlights } from '../stores/redis/shared-flights.ts';
import type { RedisStore, StoreMeters } from '../stores/redis/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Parts } from './parts.ts';

export interface SharedStores {
  readonly cache: RedisStore;
  readonly state: RedisStore;
  close(): void;
}

type Deps = Pick<Parts, 'clock' | 'random' | 'telemetry'> & {
  readonly config: Config;
  readonly breakers: BreakerRegistry;
};

/** Of the breaker's names, of metrics, and of what health calls degraded. */
const STORES = { cache: 'redis-cache', state: 'redis-state' } as const;

/** null: there is no Redis. Rejects where the file of its authorities cannot be read. */
export async function openSharedStores(deps: Deps): Promise<SharedStores | null> {
  const { redis } = deps.config;
  if (redis === null) return null;
  const [{ openRedisStore }, { createRequestWaits }] = await Promise.all([
    import('../stores/redis/client.ts'),
    import('../stores/redis/request-waits.ts'),
  ]);
  const { clock, random, telemetry, breakers } = deps;
  const waits = createRequestWaits(
    telemetry.scope.current,
    Math.max(redis.commandMs, 2 * redis.commandMs - TIMER_MARGIN_MS),
  );
  const addresses = await addressesOf(redis);
  const open = (store: keyof typeof STORES): Promise<RedisStore> =>
    openRedisStore({
      ...{ name: STORES[store], address: addresses[store], clock, random, waits },
      ...{ hotMs: redis.commandMs, backgroundMs: redis.backgroundMs },
      log: telemetry.log.named('redis'),
      breaker: breakers.named(STORES[store], breakerSettings(redis)),
      meters: metersOf(telemetry.metrics, STORES[store]),
    });
  const [cache, state] = await Promise.all([open('cache'), open('state')]);
  telemetry.metrics.redisUp.sample(() =>
    [cache, state].map((store) => ({
      labels: { store: store.name },
      value: store.state().kind === 'up' ? 1 : 0,
    })),
  );
  return {
    ...{ cache, state },
    close() {
      cache.close();
      state.close();
    },
  };
}

/** Calls in flight that processes share, where they share the cache. */
export function createFleet(
  { clock, random }: Pick<Parts, 'clock' | 'random'>,
  shared: SharedStores | null,
  sharedCache: SharedCacheStore | null,
): SharedFlights | null {
  if (shared === null || sharedCache === null) return null;
  return createRedisSharedFlights({ store: shared.cache, clock, random });
}

/** Two timers are late by this much on a busy machine. */
const TIMER_MARGIN_MS = 10;

function breakerSettings({ breaker }: RedisConfig): BreakerSettings {
  const { failureThreshold, openMs } = breaker;
  const minimumCalls = failureThreshold;
  return { failureThreshold, openMs, minimumCalls, successThreshold: 1, halfOpenMaxCalls: 1 };
}

/** Rejects where the file of the authorities cannot be read. */
export async function addressesOf(
  config: RedisConfig,
): Promise<Readonly<Record<'cache' | 'state', RedisAddress>>> {
  const ca = await readAuthorities(config.tlsCaFile);
  return { cache: addressOf(config.cache, ca), state: addressOf(config.state, ca) };
}

function addressOf(endpoint: RedisEndpoint, ca: string | null): RedisAddress {
  const { isSecure, ...rest } = endpoint;
  return { ...rest, tls: isSecure ? { ca } : null };
}

async function readAuthorities(file: string | null): Promise<string | null> {
  if (file === null) return null;
  const { readFile } = await import('node:fs/promises');
  return readFile(file, 'utf8');
}

/** Meters are looked up once for each operation: their number is that of names in the code. */
function metersOf(metrics: Metrics, store: string): StoreMeters {
  const meters = new Map<string, ReturnType<typeof make>>();
  const make = (operation: string) => ({
    operations: metrics.redisOperations.child({ store, operation }),
    duration: metrics.redisDuration.child({ store, operation }),
  });
  const of = (operation: string) => {
    const known = meters.get(operation) ?? make(operation);
    meters.set(operation, known);
    return known;
  };
  return {
    done(operation, durationMs) {
      const { operations, duration } = of(operation);
      operations.add(1);
      duration.record(durationMs / 1000);
    },
    failed(operation, kind) {
      of(operation).operations.add(1);
      metrics.redisErrors.child({ store, operation, error_type: kind }).add(1);
    },
  };
}
