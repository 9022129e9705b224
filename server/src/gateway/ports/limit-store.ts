/**
 * Counters of requests per minute, tokens per minute and concurrency. All scopes of a request
 * are decided in one atomic step: either each of them is charged, or none.
 */
import type { LimitFigures, LimitLease } from '../model/holds.ts';
import type { Limits } from '../model/principal.ts';

export interface LimitScope {
  /** What is counted: `key:key_01J…`; includes everything that isolates it. */
  readonly id: string;
  readonly limits: Limits;
}

/** The tightest scope of each kind; null where nothing limits it. */
export interface LimitState {
  readonly requests: LimitFigures | null;
  readonly tokens: LimitFigures | null;
}

export type LimitDecision =
  | { readonly kind: 'granted'; readonly lease: LimitLease; readonly state: LimitState }
  | {
      readonly kind: 'refused';
      readonly scope: string;
      readonly reason: 'requests' | 'tokens' | 'concurrency';
      /** Milliseconds until the same request could pass; null where nobody knows. */
      readonly retryAfterMs: number | null;
      readonly state: LimitState;
    };

export interface LimitStore {
  /**
   * Decides at once, whatever the state of a shared counter. `tokens` is the estimate for the
   * request; all scopes are of one tenant.
   */
  take(
    scopes: readonly LimitScope[],
    tokens: number,
    tenant: string,
  ): Promise<LimitDecision> | LimitDecision;
}
