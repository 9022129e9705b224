/**
 * What a model's name resolves to: targets in order, a strategy, and a cache policy. Made
 * once per generation of the configuration, immutable.
 */
import type { StickyBy } from './condition.ts';
import type { Operation, Target } from './target.ts';

/**
 * - `fallback`: in the order of the configuration.
 * - `weighted`: the first is drawn by weight.
 * - `latency`: the quicker of two that are drawn.
 * - `cost`: the cheapest for this request.
 * - `least-busy`: the one with the largest share of its places free.
 */
export type RouteStrategy = 'fallback' | 'weighted' | 'latency' | 'cost' | 'least-busy';

export interface Route {
  /** The alias, or the `provider/model` where there is none. */
  readonly name: string;
  readonly strategy: RouteStrategy;
  /** Under `weighted`: which requests keep to one target; absent: none, each is drawn. */
  readonly sticky?: StickyBy;
  /** In the order of the configuration. */
  readonly targets: readonly Target[];
  /** Names the set of targets and its settings, whatever their order; part of cache keys. */
  readonly targetSet: string;
  readonly cache: RouteCachePolicy;
  /** Put before every chat; absent: nothing is. */
  readonly prompt?: Prompt;
  /** Two ways to answer, of which a flag chooses one for each caller; absent: there is one. */
  readonly experiment?: Experiment;
  /** The arm of an experiment that this is: `flag/candidate` or `flag/control`. */
  readonly arm?: string;
}

/** What an operator has models told before clients speak, in one of its versions. */
export interface Prompt {
  /** `name@version#digest`: another text under the same version is told apart. */
  readonly id: string;
  readonly text: string;
}

/** Each arm is a route of its own, under the name that was asked for. */
export interface Experiment {
  readonly flag: string;
  readonly control: Route;
  readonly candidate: Route;
}

/**
 * Whose answers are cached without their client's asking: those that are repeatable by their
 * request, nobody's, everybody's.
 */
export type CacheMode = 'deterministic' | 'requested' | 'always';

export interface RouteCachePolicy {
  readonly enabled: boolean;
  readonly mode: CacheMode;
  readonly ttlSeconds: number;
  readonly staleIfErrorSeconds: number;
  readonly staleWhileRevalidateSeconds: number;
  readonly maxEntryBytes: number;
}

export interface ModelListing {
  readonly name: string;
  /** The alias or model that the name stands for, where it is another one. */
  readonly answeredBy?: string;
  /** Seconds since the epoch. */
  readonly createdSeconds: number;
  readonly ownedBy: string;
  readonly operations: readonly Operation[];
}
