/**
 * The parts of the cache that outlive a request: the second tier, and the book of what both
 * tiers did.
 */
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import type { ExchangeObserver } from '../gateway/ports/observer.ts';
import { type CacheBook, createCacheBook } from '../stores/cache-book.ts';
import { createRedisCacheStore, type RedisCacheStore } from '../stores/redis/cache-store.ts';
import { shareFigures } from '../stores/redis/shared-figures.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SecondTier } from './cache-control.ts';
import { tellMemoryOnly, tellSecondTier } from './cache-ready.ts';
import type { Parts } from './parts.ts';
import type { SharedStores } from './redis.ts';

export interface CacheParts {
  readonly book: CacheBook;
  /** null: there is no Redis, or the cache is not to use it. */
  readonly store: RedisCacheStore | null;
  readonly second: SecondTier | null;
  /** Writes the last figures. */
  close(): Promise<void>;
}

export function createCacheParts(
  { clock, random, ids, telemetry }: Parts,
  shared: SharedStores | null,
  { cache, redis: config }: Config,
): CacheParts {
  const book = createCacheBook({ clock, process: `${hostname()}.${ids.next('run')}` });
  sampleTiers(telemetry.metrics, book);
  const log = telemetry.log.named('cache');
  if (shared === null || config === null || !cache.redis || cache.backend === 'memory') {
    tellMemoryOnly(log, shared === null ? 'no_redis' : 'switched_off');
    return { book, store: null, second: null, close: async () => undefined };
  }
  const { cache: redis } = shared;
  const endTelling = tellSecondTier({ log, clock, config, store: redis });
  const store = createRedisCacheStore({ redis, clock, random, log, figures: book });
  const figures = shareFigures({ redis, book, clock });
  return {
    ...{ book, store, second: { store: redis, figures } },
    async close() {
      await figures.flush();
      endTelling();
      figures.close();
      store.close();
    },
  };
}

/** Counts what the cache did for each exchange, beside what else is told of its end. */
export function countedIn(book: CacheBook, observer: ExchangeObserver): ExchangeObserver {
  return {
    started: (exchange) => observer.started(exchange),
    ended(exchange, end) {
      const { principal, route, cache } = exchange;
      if (principal !== null && route !== null) {
        book.ended(principal.tenant, cache.status, cache.tier);
      }
      observer.ended(exchange, end);
    },
  };
}

/** The figures of `/cache/stats` for all tenants, as this process counted them. */
function sampleTiers(metrics: Metrics, book: CacheBook): void {
  metrics.cacheTiers.sample(() => {
    const counts = book.page(null)?.counts;
    if (counts === undefined) return [];
    const of = (tier: string, result: string, value: number) => ({
      labels: { tier, result },
      value,
    });
    return [
      of('memory', 'hit', counts.memory_hits),
      of('memory', 'miss', counts.memory_misses),
      of('redis', 'hit', counts.redis_hits),
      of('redis', 'miss', counts.redis_misses),
      of('redis', 'set', counts.redis_sets),
      of('redis', 'error', counts.redis_errors),
    ];
  });
  metrics.cacheBytes.sample(() => {
    const counts = book.page(null)?.counts;
    if (counts === undefined) return [];
    return [
      { labels: { form: 'plain' }, value: counts.redis_plain_bytes },
      { labels: { form: 'kept' }, value: counts.redis_kept_bytes },
    ];
  });
}
