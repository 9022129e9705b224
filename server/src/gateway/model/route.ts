/**
 * What a model's name resolves to: targets in order, a strategy, and a cache policy. Made
 * once per generation of the configuration, immutable.
 */
import type { Operation, Target } from './target.ts';

export type RouteStrategy = 'fallback' | 'weighted';

export interface Route {
  /** The alias or `provider/model` that was asked for. */
  readonly name: string;
  readonly strategy: RouteStrategy;
  /** In the order of the configuration. */
  readonly targets: readonly Target[];
  /** Names the set of targets and its settings, whatever their order; part of cache keys. */
  readonly targetSet: string;
  readonly cache: RouteCachePolicy;
}

export interface RouteCachePolicy {
  readonly enabled: boolean;
  readonly ttlSeconds: number;
  readonly staleIfErrorSeconds: number;
  readonly maxEntryBytes: number;
}

export interface ModelListing {
  readonly name: string;
  /** Seconds since the epoch. */
  readonly createdSeconds: number;
  readonly ownedBy: string;
  readonly operations: readonly Operation[];
}
