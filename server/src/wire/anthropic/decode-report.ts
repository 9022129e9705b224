/**
 * Notes which fields of a request the canonical form cannot say. Paths are of our own making:
 * names that a client made up never appear in them. Bounded, because they end in a header.
 */

const MAX_PATHS = 16;

export interface DecodeReport {
  /** Leaving the field out would change the meaning. */
  need(path: string): void;
  drop(path: string): void;
  readonly needed: readonly string[];
  readonly dropped: readonly string[];
}

export function createReport(): DecodeReport {
  const needed: string[] = [];
  const dropped = new Set<string>();
  return {
    needed,
    need(path) {
      if (needed.length < MAX_PATHS) needed.push(path);
    },
    drop(path) {
      if (dropped.size < MAX_PATHS) dropped.add(path);
    },
    get dropped() {
      return [...dropped];
    },
  };
}
