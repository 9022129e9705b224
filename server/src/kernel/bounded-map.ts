/**
 * A map from a name to something kept per name, of bounded size.
 *
 * Names can come from clients (`provider/model`), so their number is bounded: a new one beyond
 * it takes the place of an idle one, or of the oldest when none of the oldest few is idle.
 */

export interface BoundedMap<T> {
  get(name: string): T | undefined;
  /** Adds a name that is not there yet. */
  add(name: string, value: T): T;
  values(): IterableIterator<T>;
}

/** How many of the oldest are looked at to find an idle one, so that a full map stays fast. */
const EVICTION_SCAN = 64;

/** `isIdle`: forgetting the value loses nothing. */
export function createBoundedMap<T>(
  maxNames: number,
  isIdle: (value: T) => boolean,
): BoundedMap<T> {
  const map = new Map<string, T>();
  return {
    get: (name) => map.get(name),
    values: () => map.values(),
    add(name, value) {
      if (map.size >= maxNames) map.delete(leastMissed(map, isIdle));
      map.set(name, value);
      return value;
    },
  };
}

function leastMissed<T>(map: Map<string, T>, isIdle: (value: T) => boolean): string {
  let oldest = '';
  let scanned = 0;
  for (const [name, value] of map) {
    if (isIdle(value)) return name;
    if (scanned === 0) oldest = name;
    scanned += 1;
    if (scanned === EVICTION_SCAN) break;
  }
  return oldest;
}
