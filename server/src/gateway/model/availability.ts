/**
 * Whether a target can be called at this moment, as routing asks resilience without changing
 * anything: the same answer serves a request, `no_target_available` and `explain`.
 */

export type UnavailableReason = 'breaker_open' | 'breaker_probing' | 'bulkhead_full';

export type Availability =
  | { readonly kind: 'available' }
  | {
      readonly kind: 'unavailable';
      readonly reason: UnavailableReason;
      /** Milliseconds after which trying is worth it: exact for an open breaker, else a guess. */
      readonly retryAfterMs: number;
    };

export const AVAILABLE: Availability = { kind: 'available' };
