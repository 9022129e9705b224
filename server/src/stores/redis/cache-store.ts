/**
 * Cached answers in Redis, shared by processes and hosts: the second tier.
 *
 * 1. A lookup is one round trip, generation and entry together, that the request waits for no
 *    longer than for any hot command; a failure is a miss.
 * 2. No request waits for a write; what is written expires with its entry.
 * 3. A purge of a tenant takes effect by its generation, at once and for all processes; the
 *    bytes are removed behind it, and nothing of it ever blocks Redis.
 * 4. A value that is no entry of this version is a miss, and the next answer replaces it.
 */
import type { CacheSelection } from '../../gateway/model/cache-selection.ts';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { CacheEntry, SharedCacheStore } from '../../gateway/ports/cache-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import { followGenerations, type Generations } from './generations.ts';
import { entryKeyOf, generationKeyOf } from './keys.ts';
import type { RedisStore } from './store.ts';
import { createSweeper, type Sweeper } from './sweep.ts';

export interface RedisCacheDeps {
  readonly redis: RedisStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly figures?: CacheFigures;
}

/** Told synchronously of what happened; must neither throw nor wait. */
export interface CacheFigures {
  lookedUp(tenant: string, found: boolean, durationMs: number): void;
  stored(tenant: string, plainBytes: number, keptBytes: number): void;
  failed(tenant: string): void;
}

export interface RedisCacheStore extends SharedCacheStore {
  close(): void;
}

const NO_FIGURES: CacheFigures = {
  lookedUp: () => undefined,
  stored: () => undefined,
  failed: () => undefined,
};

export function createRedisCacheStore(deps: RedisCacheDeps): RedisCacheStore {
  return new SharedEntries(deps);
}

class SharedEntries implements RedisCacheStore {
  readonly tier = 'redis';
  readonly #redis: RedisStore;
  readonly #clock: Clock;
  readonly #figures: CacheFigures;
  readonly #generations: Generations;
  readonly #sweeper: Sweeper;
  readonly #listeners: ((tenant: string | null) => void)[] = [];

  constructor({ redis, clock, random, log, figures = NO_FIGURES }: RedisCacheDeps) {
    this.#redis = redis;
    this.#clock = clock;
    this.#figures = figures;
    const changed = (tenant: string | null): void => {
      for (const listener of this.#listeners) listener(tenant);
    };
    this.#generations = followGenerations({ redis, clock, random, changed });
    const generation = (tenant: string) => this.#generations.of(tenant);
    this.#sweeper = createSweeper({ redis, log, generation });
  }

  generation(tenant: string): string | null {
    return this.#generations.of(tenant);
  }

  onPurge(listener: (tenant: string | null) => void): void {
    this.#listeners.push(listener);
  }

  async get(tenant: string, key: string): Promise<CacheEntry | null> {
    const sinceMs = this.#clock.monotonicMs();
    const asked = this.#generations.of(tenant);
    try {
      const [read, value] = await this.#redis.hot('cache_get', (client) =>
        Promise.all([
          client.get(generationKeyOf(tenant)),
          client.getBuffer(entryKeyOf(tenant, key)),
        ]),
      );
      const generation = await this.#generations.learn(tenant, read, asked);
      const entry = value === null ? null : await decodeEntry(tenant, key, value);
      const isGiven =
        entry !== null &&
        entry.generation === generation &&
        entry.keepUntilMs > this.#clock.wallMs();
      this.#figures.lookedUp(tenant, isGiven, this.#clock.monotonicMs() - sinceMs);
      return isGiven ? entry : null;
    } catch {
      this.#figures.failed(tenant);
      return null;
    }
  }

  async set(tenant: string, key: string, entry: CacheEntry): Promise<void> {
    const current = this.#generations.of(tenant);
    if (current !== null && current !== entry.generation) return;
    const leftMs = Math.ceil(entry.keepUntilMs - this.#clock.wallMs());
    if (leftMs <= 0) return;
    try {
      const { value, plainBytes, keptBytes } = await encodeEntry(tenant, key, entry);
      await this.#redis.background(
        'cache_set',
        (client) => client.set(entryKeyOf(tenant, key), value, 'PX', leftMs),
        { idempotent: true },
      );
      this.#figures.stored(tenant, plainBytes, keptBytes);
    } catch {
      this.#figures.failed(tenant);
    }
  }

  async purge(tenant: string): Promise<null> {
    await this.#toldOr(this.#generations.renew(tenant));
    this.#sweeper.leave(tenant);
    return null;
  }

  async remove(tenant: string, selection: CacheSelection): Promise<number> {
    const removed = await this.#toldOr(this.#sweeper.remove(tenant, selection));
    await this.#toldOr(this.#generations.announce());
    return removed;
  }

  close(): void {
    this.#generations.close();
  }

  async #toldOr<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      throw new GatewayError('shared_store_unavailable', { cause });
    }
  }
}
