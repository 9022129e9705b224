/**
 * A cache that several "processes" of one test share: the memory store behind the contract of a
 * shared one. Each process has its own view of the generations, told of a purge when the test
 * says so, and can be cut off.
 */
import type { CacheEntry, SharedCacheStore } from '../../src/gateway/ports/cache-store.ts';
import type { MemoryCacheStore } from '../../src/stores/memory/cache-store.ts';

export interface SharedProcess {
  readonly store: SharedCacheStore;
  /** Brings the news of purges, as push and poll do. */
  notice(tenant: string | null): void;
  cutOff(isCut: boolean): void;
}

export function processOn(whole: MemoryCacheStore): SharedProcess {
  const known = new Map<string, string>();
  const listeners: ((tenant: string | null) => void)[] = [];
  let isCut = false;
  const learn = (tenant: string): void => {
    known.set(tenant, whole.generation(tenant));
  };
  return {
    store: {
      tier: 'redis',
      generation: (tenant) => known.get(tenant) ?? null,
      async get(tenant, key): Promise<CacheEntry | null> {
        await Promise.resolve();
        if (isCut) return null;
        learn(tenant);
        return whole.get(tenant, key);
      },
      async set(tenant, key, entry) {
        await Promise.resolve();
        if (!isCut) whole.set(tenant, key, entry);
      },
      async purge(tenant) {
        if (isCut) throw new Error('cut off');
        const purged = await whole.purge(tenant);
        learn(tenant);
        return purged;
      },
      async remove(tenant, selection) {
        if (isCut) throw new Error('cut off');
        return whole.remove(tenant, selection);
      },
      onPurge: (listener) => listeners.push(listener),
    },
    notice(tenant) {
      if (tenant !== null) learn(tenant);
      else known.clear();
      for (const listener of listeners) listener(tenant);
    },
    cutOff(wanted) {
      isCut = wanted;
    },
  };
}
