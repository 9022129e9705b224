/**
 * What an explanation of a request says, in the core's own words. `explain.ts` makes it, the
 * edges show it.
 */
import type { CachePlan } from '../caching/policy.ts';
import type { UnavailableReason } from '../model/availability.ts';
import type { GatewayError } from '../model/errors.ts';
import type { Route, RouteCachePolicy } from '../model/route.ts';
import type { Target } from '../model/target.ts';
import type { UnfitReason } from '../routing/select.ts';

export interface Explanation {
  /** What the request would be refused with before anything is called; null: it would be called. */
  readonly refusal: GatewayError | null;
  readonly generation: number;
  /** With the targets that can answer such a request; null where the name leads nowhere. */
  readonly route: Route | null;
  /** The request's label where the route is sticky; null where it is not, or carries none. */
  readonly stickyValue: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** What a budget would promise; null where a target has no price. */
  readonly reserveNanousd: number | null;
  /** In the order in which they would be tried. */
  readonly targets: readonly ExplainedTarget[];
  readonly rejected: readonly ExplainedRejection[];
  /** null where there is no route. */
  readonly cache: ExplainedCache | null;
}

/** Why a target stands where it does. */
export type OrderReason =
  | 'only'
  | 'last_resort'
  | 'listed'
  | 'drawn'
  | 'sticky'
  | 'latency'
  | 'cost'
  | 'load';

export interface ExplainedTarget {
  readonly target: Target;
  readonly reason: OrderReason;
  readonly expectedNanousd: number | null;
  readonly upperBoundNanousd: number | null;
  /** Milliseconds to the first piece of an answer; null where nothing was ever seen. */
  readonly expectedMs: number | null;
  readonly waiting: number;
  /** Share of the provider's places that are taken. */
  readonly load: number;
}

export interface ExplainedRejection {
  readonly target: Target;
  readonly reason: UnfitReason | UnavailableReason | 'fallback_declined';
  readonly detail: string | null;
  readonly retryAfterMs: number | null;
}

export interface ExplainedCache {
  readonly plan: CachePlan;
  readonly policy: RouteCachePolicy;
  /** Under which an answer would be kept; null where none would. */
  readonly key: string | null;
}
