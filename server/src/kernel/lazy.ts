/**
 * A value that is made when it is first asked for, and only once.
 */

/** The first call makes the value; if that throws, the next call tries again. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
