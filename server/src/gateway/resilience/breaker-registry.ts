/**
 * All breakers, by name: one for each target that was called, by its id, and one for each
 * dependency that was named. Makes them, bounds their number, lists and resets them.
 *
 * Invariants: one breaker per target id, whatever route leads there, so that another model of
 * the same provider is untouched; the settings are those of the target of each call, so that a
 * new configuration applies at once; a named one is never forgotten, and its name has no
 * slash, which every target's has; a snapshot changes nothing. Breakers are per process.
 */
import { assert } from '../../kernel/assert.ts';
import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AVAILABLE, type Availability } from '../model/availability.ts';
import type { BreakerSettings, Target } from '../model/target.ts';
import type { Breaker } from '../ports/breaker.ts';
import { type BreakerListener, type BreakerSnapshot, LiveBreaker } from './live-breaker.ts';

export type { BreakerListener, BreakerSnapshot } from './live-breaker.ts';

export interface BreakerRegistryOptions {
  readonly clock: Clock;
  /** Most targets watched at once; beyond it idle ones are forgotten. */
  readonly maxBreakers?: number;
  readonly listener?: BreakerListener;
}

export interface BreakerRegistry {
  of(target: Target): LiveBreaker;
  /**
   * The breaker of a dependency that is no target, listed from now on. Asked for again, it is
   * the same one under the new settings. The names are ours, never a client's.
   */
  named(name: string, settings: BreakerSettings): Breaker;
  /** Without side effects: also for a target never called. */
  availability(target: Target): Availability;
  /** In no particular order. */
  snapshot(): readonly BreakerSnapshot[];
  /** Closes a breaker by hand; false when there is none of this name. */
  reset(name: string): boolean;
  /** Closes every breaker by hand. */
  resetAll(): void;
}

const MAX_BREAKERS = 4096;

const SILENT: BreakerListener = { transition: () => undefined, failure: () => undefined };

export function createBreakerRegistry(options: BreakerRegistryOptions): BreakerRegistry {
  const { clock, listener = SILENT, maxBreakers = MAX_BREAKERS } = options;
  const named = new Map<string, LiveBreaker>();
  const targets = createBoundedMap<LiveBreaker>(maxBreakers, (breaker) => breaker.isIdle());
  const make = (name: string, settings: BreakerSettings): LiveBreaker =>
    new LiveBreaker(name, settings, clock, listener);
  const all = (): LiveBreaker[] => [...named.values(), ...targets.values()];
  return {
    of(target) {
      const { id, breaker: settings } = target;
      const breaker = targets.get(id) ?? targets.add(id, make(id, settings));
      breaker.settings = settings;
      return breaker;
    },
    named(name, settings) {
      assert(!name.includes('/'), 'a name with a slash is a target’s');
      const breaker = named.get(name) ?? make(name, settings);
      breaker.settings = settings;
      named.set(name, breaker);
      return breaker;
    },
    availability: (target) => targets.get(target.id)?.availability(target.breaker) ?? AVAILABLE,
    snapshot: () => all().map((breaker) => breaker.snapshot()),
    reset(name) {
      const breaker = named.get(name) ?? targets.get(name);
      breaker?.reset();
      return breaker !== undefined;
    },
    resetAll() {
      for (const breaker of all()) breaker.reset();
    },
  };
}
