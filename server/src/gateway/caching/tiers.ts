/**
 * The two tiers of the cache as one: the memory of this process in front of a store that
 * processes share, where there is one.
 *
 * 1. A tier that fails is a miss; it never fails an exchange.
 * 2. Memory gives nothing that a purge of any process has outdated: its entries are of the
 *    shared store's generation, as far as this process knows it. Where nothing is known of it
 *    the shared store is asked first, and memory stands in only when that did not answer.
 * 3. What the shared store gives is kept in memory for the life that it has left.
 *
 * Which entries may be given and stored is decided in `policy.ts`.
 */
import type { CacheSelection } from '../model/cache-selection.ts';
import type { CacheEntry, CacheStore, SharedCacheStore } from '../ports/cache-store.ts';

/** What this file needs of the store in this process. */
export interface NearStore extends CacheStore {
  generation(tenant: string): string;
  get(tenant: string, key: string): CacheEntry | null;
  set(tenant: string, key: string, entry: CacheEntry): void;
  renew(tenant: string, generation: string): void;
  clear(): void;
}

export interface Found {
  readonly entry: CacheEntry;
  /** Which tier had it. */
  readonly tier: string;
}

export interface Tiers {
  /** What entries made from now on are to carry. Ask behind a lookup. */
  generation(tenant: string): string;
  /** Looks into memory, at once. */
  near(tenant: string, key: string): Found | null;
  /** Looks where memory had nothing. Never rejects. */
  far(tenant: string, key: string): Promise<Found | null>;
  /** Resolves when the entry is where other processes find it, or cannot be put there. */
  set(tenant: string, key: string, entry: CacheEntry): Promise<void>;
  /** Answers how many entries went, where it is known; rejects as the shared store does. */
  purge(tenant: string): Promise<number | null>;
  /** The same for some of them. */
  remove(tenant: string, selection: CacheSelection): Promise<number>;
}

export function createTiers(memory: NearStore, shared: SharedCacheStore | null): Tiers {
  return shared === null ? new OneTier(memory) : new TwoTiers(memory, shared);
}

class OneTier implements Tiers {
  readonly #memory: NearStore;

  constructor(memory: NearStore) {
    this.#memory = memory;
  }

  generation(tenant: string): string {
    return this.#memory.generation(tenant);
  }

  near(tenant: string, key: string): Found | null {
    return found(this.#memory, this.#memory.get(tenant, key));
  }

  async far(): Promise<null> {
    return null;
  }

  async set(tenant: string, key: string, entry: CacheEntry): Promise<void> {
    this.#memory.set(tenant, key, entry);
  }

  async purge(tenant: string): Promise<number | null> {
    return this.#memory.purge(tenant);
  }

  remove(tenant: string, selection: CacheSelection): Promise<number> {
    return this.#memory.remove(tenant, selection);
  }
}

class TwoTiers implements Tiers {
  readonly #memory: NearStore;
  readonly #shared: SharedCacheStore;

  constructor(memory: NearStore, shared: SharedCacheStore) {
    this.#memory = memory;
    this.#shared = shared;
    shared.onPurge((tenant) => {
      if (tenant === null) memory.clear();
      else this.#follow(tenant);
    });
  }

  generation(tenant: string): string {
    this.#follow(tenant);
    return this.#memory.generation(tenant);
  }

  near(tenant: string, key: string): Found | null {
    if (!this.#follow(tenant)) return null;
    return found(this.#memory, this.#memory.get(tenant, key));
  }

  async far(tenant: string, key: string): Promise<Found | null> {
    const entry = await this.#shared.get(tenant, key);
    const isKnown = this.#follow(tenant);
    if (!isKnown) return found(this.#memory, this.#memory.get(tenant, key));
    if (entry === null || entry.generation !== this.#memory.generation(tenant)) return null;
    this.#memory.set(tenant, key, entry);
    return found(this.#shared, entry);
  }

  async set(tenant: string, key: string, entry: CacheEntry): Promise<void> {
    this.#follow(tenant);
    this.#memory.set(tenant, key, entry);
    await this.#shared.set(tenant, key, entry);
  }

  async purge(tenant: string): Promise<number | null> {
    const purged = await this.#shared.purge(tenant);
    this.#follow(tenant);
    return purged;
  }

  /** Memory is cleared by what the shared store says behind it. */
  remove(tenant: string, selection: CacheSelection): Promise<number> {
    return this.#shared.remove(tenant, selection);
  }

  /** Brings memory to the shared generation; false where that is not known. */
  #follow(tenant: string): boolean {
    const generation = this.#shared.generation(tenant);
    if (generation === null) return false;
    this.#memory.renew(tenant, generation);
    return true;
  }
}

function found(store: CacheStore, entry: CacheEntry | null): Found | null {
  return entry === null ? null : { entry, tier: store.tier };
}
