/**
 * A map from strings for entries that come and go with every call, in the place of a `Map`,
 * whose left-behind tables keep such entries alive (see `linked-list.ts`): a hash map with
 * separate chaining, in which a removed entry points nowhere.
 *
 * Keys are digests or ids of our own. They are hashed without a secret, so keys that a client
 * may choose do not belong here. It grows and never shrinks; its users bound its size.
 */

interface Entry<T> {
  readonly key: string;
  readonly hash: number;
  value: T;
  next: Entry<T> | null;
}

const BUCKETS_AT_FIRST = 16;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class ChainedMap<T> {
  #buckets: (Entry<T> | null)[] = emptyBuckets(BUCKETS_AT_FIRST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    return this.#find(key, hashOf(key))?.value;
  }

  set(key: string, value: T): void {
    const hash = hashOf(key);
    const known = this.#find(key, hash);
    if (known !== null) {
      known.value = value;
      return;
    }
    if (this.#size >= this.#buckets.length) this.#grow();
    this.#put({ key, hash, value, next: null });
    this.#size += 1;
  }

  delete(key: string): boolean {
    const hash = hashOf(key);
    const at = this.#at(hash);
    let before: Entry<T> | null = null;
    for (let entry = this.#buckets[at] ?? null; entry !== null; entry = entry.next) {
      if (entry.hash === hash && entry.key === key) {
        if (before === null) this.#buckets[at] = entry.next;
        else before.next = entry.next;
        entry.next = null;
        this.#size -= 1;
        return true;
      }
      before = entry;
    }
    return false;
  }

  /** In no particular order. */
  values(): T[] {
    const values: T[] = [];
    for (const head of this.#buckets) {
      for (let entry = head; entry !== null; entry = entry.next) values.push(entry.value);
    }
    return values;
  }

  #find(key: string, hash: number): Entry<T> | null {
    let entry = this.#buckets[this.#at(hash)] ?? null;
    while (entry !== null && (entry.hash !== hash || entry.key !== key)) entry = entry.next;
    return entry;
  }

  #at(hash: number): number {
    return hash & (this.#buckets.length - 1);
  }

  #put(entry: Entry<T>): void {
    const at = this.#at(entry.hash);
    entry.next = this.#buckets[at] ?? null;
    this.#buckets[at] = entry;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = emptyBuckets(old.length * 2);
    for (const head of old) {
      for (let entry = head; entry !== null; ) {
        const { next } = entry;
        this.#put(entry);
        entry = next;
      }
    }
  }
}

function emptyBuckets<T>(count: number): (Entry<T> | null)[] {
  return new Array<Entry<T> | null>(count).fill(null);
}

/** FNV-1a over the code units. */
function hashOf(key: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME);
  }
  return hash;
}
