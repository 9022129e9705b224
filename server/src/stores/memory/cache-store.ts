/**
 * Cached answers in this process: the least recently used leave first, bounded by number and
 * by bytes, with figures per tenant.
 *
 * 1. An entry lies on the shelf of its tenant; a key of one tenant finds nothing of another.
 * 2. An entry is given until `keepUntilMs` and not a millisecond longer.
 * 3. Bytes are copied when stored, into memory of their own, so that the bound is honest and
 *    no caller can change an entry afterwards. Readers must not write to what they get.
 * 4. A purge frees the memory of the tenant's entries at once and keeps its figures.
 * 5. Entries of another generation than the tenant's are neither taken nor given. In front of
 *    a shared store `renew` makes the generation follow the shared one.
 */

import { type CacheSelection, selects } from '../../gateway/model/cache-selection.ts';
import type { CacheEntry, CacheStore } from '../../gateway/ports/cache-store.ts';
import { ChainedMap } from '../../kernel/chained-map.ts';
import type { Clock } from '../../kernel/clock.ts';
import { LinkedList, type ListNode } from '../../kernel/linked-list.ts';

export interface MemoryCacheStoreOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Most tenants with a shelf; beyond it the oldest shelf goes, with its entries. */
  readonly maxTenants?: number;
}

/** Entries and bytes are those held now, the others are counted since the start. */
export interface CacheStoreStats {
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  /** Entries that made room for others. */
  readonly evictions: number;
}

export interface MemoryCacheStore extends CacheStore {
  generation(tenant: string): string;
  get(tenant: string, key: string): CacheEntry | null;
  set(tenant: string, key: string, entry: CacheEntry): void;
  /** Forgets the tenant's entries, unless this is its generation already. */
  renew(tenant: string, generation: string): void;
  /** Forgets every entry of every tenant. */
  clear(): void;
  /** Of one tenant, or of all with null. */
  stats(tenant: string | null): CacheStoreStats;
}

const MAX_TENANTS = 10_000;
/** What an entry takes beside its bytes: key, figures, places in maps. Rounded up. */
const ENTRY_OVERHEAD_BYTES = 1024;
const FIRST_GENERATION = '0';

export function createMemoryCacheStore(options: MemoryCacheStoreOptions): MemoryCacheStore {
  return new LruCacheStore(options);
}

interface Slot {
  /** In the order of use. */
  place: ListNode<Slot> | null;
  readonly key: string;
  readonly shelf: Shelf;
  readonly entry: CacheEntry;
  readonly bytes: number;
}

interface Shelf {
  readonly tenant: string;
  generation: string;
  readonly slots: ChainedMap<Slot>;
  readonly figures: Figures;
}

interface Figures {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
  sets: number;
  evictions: number;
}

class LruCacheStore implements MemoryCacheStore {
  readonly tier = 'memory';
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #maxTenants: number;
  readonly #shelves = new Map<string, Shelf>();
  /** All slots, the least recently used first. */
  readonly #order = new LinkedList<Slot>();
  readonly #total = noFigures();
  #purges = 0;

  constructor(options: MemoryCacheStoreOptions) {
    this.#clock = options.clock;
    this.#maxEntries = options.maxEntries;
    this.#maxBytes = options.maxBytes;
    this.#maxTenants = options.maxTenants ?? MAX_TENANTS;
  }

  generation(tenant: string): string {
    return this.#shelves.get(tenant)?.generation ?? FIRST_GENERATION;
  }

  get(tenant: string, key: string): CacheEntry | null {
    const shelf = this.#shelfOf(tenant);
    const slot = shelf.slots.get(key);
    if (slot === undefined || slot.entry.keepUntilMs <= this.#clock.wallMs()) {
      if (slot !== undefined) this.#remove(slot);
      this.#count(shelf, 'misses');
      return null;
    }
    slot.place?.moveToEnd();
    this.#count(shelf, 'hits');
    return slot.entry;
  }

  set(tenant: string, key: string, entry: CacheEntry): void {
    const bytes = entry.bytes.length + (entry.terminal?.length ?? 0) + ENTRY_OVERHEAD_BYTES;
    if (bytes > this.#maxBytes || this.#maxEntries < 1) return;
    const shelf = this.#shelfOf(tenant);
    if (entry.generation !== shelf.generation) return;
    const old = shelf.slots.get(key);
    if (old !== undefined) this.#remove(old);
    this.#makeRoom(bytes);
    const slot: Slot = { key, shelf, bytes, entry: ownEntry(entry), place: null };
    shelf.slots.set(key, slot);
    slot.place = this.#order.push(slot);
    this.#hold(slot, 1);
    this.#count(shelf, 'sets');
  }

  async purge(tenant: string): Promise<number> {
    const removed = this.#shelfOf(tenant).slots.size;
    this.#purges += 1;
    this.renew(tenant, `${this.#purges}`);
    return removed;
  }

  async remove(tenant: string, selection: CacheSelection): Promise<number> {
    const shelf = this.#shelves.get(tenant);
    const meant = (shelf?.slots.values() ?? []).filter(({ key, entry }) =>
      selects(selection, { key, ...entry }),
    );
    for (const slot of meant) this.#remove(slot);
    return meant.length;
  }

  renew(tenant: string, generation: string): void {
    const shelf = this.#shelfOf(tenant);
    if (shelf.generation === generation) return;
    shelf.generation = generation;
    for (const slot of shelf.slots.values()) this.#remove(slot);
  }

  clear(): void {
    for (const slot of this.#order.toArray()) this.#remove(slot);
  }

  stats(tenant: string | null): CacheStoreStats {
    const figures = tenant === null ? this.#total : this.#shelves.get(tenant)?.figures;
    return { ...(figures ?? noFigures()) };
  }

  #shelfOf(tenant: string): Shelf {
    const known = this.#shelves.get(tenant);
    if (known !== undefined) return known;
    if (this.#shelves.size >= this.#maxTenants) this.#removeOldestShelf();
    const shelf: Shelf = {
      tenant,
      slots: new ChainedMap(),
      figures: noFigures(),
      generation: FIRST_GENERATION,
    };
    this.#shelves.set(tenant, shelf);
    return shelf;
  }

  #removeOldestShelf(): void {
    const [oldest] = this.#shelves.values();
    if (oldest === undefined) return;
    for (const slot of oldest.slots.values()) this.#evict(slot);
    this.#shelves.delete(oldest.tenant);
  }

  #makeRoom(bytes: number): void {
    for (;;) {
      const { size, first } = this.#order;
      const fits = size < this.#maxEntries && this.#total.bytes + bytes <= this.#maxBytes;
      if (fits || first === undefined) return;
      this.#evict(first);
    }
  }

  #evict(slot: Slot): void {
    this.#remove(slot);
    this.#count(slot.shelf, 'evictions');
  }

  #remove(slot: Slot): void {
    slot.shelf.slots.delete(slot.key);
    slot.place?.remove();
    this.#hold(slot, -1);
  }

  #hold(slot: Slot, sign: 1 | -1): void {
    for (const figures of [slot.shelf.figures, this.#total]) {
      figures.entries += sign;
      figures.bytes += sign * slot.bytes;
    }
  }

  #count(shelf: Shelf, figure: 'hits' | 'misses' | 'sets' | 'evictions'): void {
    shelf.figures[figure] += 1;
    this.#total[figure] += 1;
  }
}

function noFigures(): Figures {
  return { entries: 0, bytes: 0, hits: 0, misses: 0, sets: 0, evictions: 0 };
}

function ownEntry(entry: CacheEntry): CacheEntry {
  const { bytes, terminal } = entry;
  return { ...entry, bytes: ownCopy(bytes), terminal: terminal && ownCopy(terminal) };
}

/** Not a slice of a larger block, which would be kept alive with it. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
