/**
 * The breaker of a dependency that is no target (a shared store, say), as the adapter of that
 * dependency uses it: ask before each call, tell the outcome after it. The core makes breakers
 * and lists them with those of the targets; adapters are given one and know nothing behind it.
 */

/** `ignored`: the call says nothing about the other side's health. */
export type CallOutcome = 'success' | 'failure' | 'ignored';

/** What `admit` answers instead of a permit. */
export const REFUSED = -1;

export interface Breaker {
  readonly name: string;
  /**
   * Lets one call pass and returns its permit, or `REFUSED`. Every permit must come back in
   * `record`, exactly once and whatever happened: probes are few.
   */
  admit(): number;
  /** Gives a permit back with the outcome of its call. */
  record(permit: number, outcome: CallOutcome): void;
  /** Whether `admit` would let a call pass now. Changes nothing. */
  lets(): boolean;
}
