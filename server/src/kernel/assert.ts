/**
 * Checks on our own code, kept in production: a broken invariant is a bug here, never a
 * mistake of a caller (those get a coded error).
 */

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Marks the branch that a complete switch over a union can never take. */
export function unreachable(value: never): never {
  throw new Error(`invariant broken: unexpected ${JSON.stringify(value)}`);
}
