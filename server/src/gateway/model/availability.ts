/**
 * Whether a target can be called at this moment, as routing asks resilience without changing
 * anything: the same answer serves a request, `no_target_available` and `explain`.
 */

/**
 * `breaker_slow` and `resting` (the provider asked for a pause) only tell to prefer another
 * target: where there is none, such a target can still be called.
 */
export type UnavailableReason =
  | 'breaker_open'
  | 'breaker_probing'
  | 'breaker_slow'
  | 'bulkhead_full'
  | 'resting';

export type Availability =
  | { readonly kind: 'available' }
  | {
      readonly kind: 'unavailable';
      readonly reason: UnavailableReason;
      /** Milliseconds after which trying is worth it: exact for an open breaker, else a guess. */
      readonly retryAfterMs: number;
    };

export const AVAILABLE: Availability = { kind: 'available' };

/** Whether a target that is unavailable for this reason may still be called for want of others. */
export function isLastResort(reason: UnavailableReason): boolean {
  return reason === 'breaker_slow' || reason === 'resting';
}
