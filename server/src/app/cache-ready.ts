/**
 * Where cached answers are kept, told once at the start: in Redis too (`cache.ready`), or in
 * this process alone (`cache.fallback`), and why. What comes and goes later tells the store.
 */
import type { RedisConfig } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { RedisStore } from '../stores/redis/store.ts';

export interface CacheReadyDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly config: RedisConfig;
  readonly store: Pick<RedisStore, 'onReturn' | 'state'>;
}

/** Longer than a connection takes; the start itself waits for none. */
const PATIENCE_MS = 2000;

/** Nothing is shared, or the cache is not to use what is. */
export function tellMemoryOnly(log: Log, reason: 'no_redis' | 'switched_off'): void {
  log.info('cache.fallback', { tier: 'memory', reason });
}

/** The answer ends it, for a process that stops before. */
export function tellSecondTier({ log, clock, config, store }: CacheReadyDeps): () => void {
  const tellReady = (): void => log.info('cache.ready', { tier: 'redis', ...addressOf(config) });
  if (store.state().kind === 'up') {
    tellReady();
    return () => undefined;
  }
  const timer = clock.setTimer(PATIENCE_MS, () => {
    log.warn('cache.fallback', { tier: 'memory', reason: store.state().reason ?? 'no_answer' });
  });
  const leave = store.onReturn(() => {
    end();
    tellReady();
  });
  const end = (): void => {
    timer.cancel();
    leave();
  };
  return end;
}

function addressOf({ cache }: RedisConfig): Readonly<Record<string, unknown>> {
  const { place, database: db } = cache;
  switch (place.kind) {
    case 'standalone':
      return { host: place.host, port: place.port, db };
    case 'sentinel':
      return { sentinel: place.name, db };
    case 'cluster':
      return { nodes: place.nodes.map(({ host, port }) => `${host}:${port}`) };
  }
}
