/**
 * How many answers for `Idempotency-Key` are kept for one tenant, and for how long.
 */
export interface ReplayBounds {
  readonly retentionMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}
