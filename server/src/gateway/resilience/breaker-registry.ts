/**
 * The breakers of all targets, by target id: keeps each state of `breaker.ts`, tells it the
 * time, counts totals and announces transitions.
 *
 * Invariants: one breaker per target id, whatever route leads there, so that another model of
 * the same provider is untouched; the settings are those of the target of each call, so that a
 * new configuration applies at once; a snapshot changes nothing. Breakers are per process.
 */
import type { Clock } from '../../kernel/clock.ts';
import { AVAILABLE, type Availability, type UnavailableReason } from '../model/availability.ts';
import type { BreakerSettings, Target } from '../model/target.ts';
import { createBoundedMap } from './bounded-map.ts';
import {
  admitCall,
  type BreakerState,
  type CallOutcome,
  closedState,
  failures,
  openForMs,
  recordOutcome,
} from './breaker.ts';

export type BreakerKind = BreakerState['kind'];

/** Told synchronously; must neither throw nor wait. */
export interface BreakerListener {
  transition(name: string, from: BreakerKind, to: BreakerKind): void;
  /** One failure was counted against the target. */
  failure(name: string): void;
}

export interface BreakerSnapshot {
  /** The target's id, `provider/model`. */
  readonly name: string;
  readonly state: BreakerKind;
  /** Failures that count towards opening, or that led to it. */
  readonly failures: number;
  /** Successful probes so far, in `half_open`. */
  readonly successes: number;
  /** Since the breaker was made. A stream that broke counts as a success and as a failure. */
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  /** Calls refused without being made. */
  readonly totalRefused: number;
  /** Milliseconds since the epoch, unless closed. */
  readonly openedAtMs?: number;
  /** Milliseconds until a probe is let through, in `open`; 0 when the next call is one. */
  readonly retryAfterMs?: number;
}

export interface BreakerRegistryOptions {
  readonly clock: Clock;
  /** Most targets watched at once; beyond it idle ones are forgotten. */
  readonly maxBreakers?: number;
  readonly listener?: BreakerListener;
}

export interface BreakerRegistry {
  of(target: Target): TargetBreaker;
  /** Without side effects: also for a target never called. */
  availability(target: Target): Availability;
  /** In no particular order. */
  snapshot(): readonly BreakerSnapshot[];
  /** Closes a breaker by hand; false when there is none of this name. */
  reset(name: string): boolean;
}

/** What `TargetBreaker.admit` answers instead of a permit. */
export const REFUSED = -1;

/** When all probes are out, their outcome usually decides within this time. */
const PROBE_RETRY_MS = 1000;

const MAX_BREAKERS = 4096;

const SILENT: BreakerListener = { transition: () => undefined, failure: () => undefined };

export function createBreakerRegistry(options: BreakerRegistryOptions): BreakerRegistry {
  const { clock, listener = SILENT, maxBreakers = MAX_BREAKERS } = options;
  const breakers = createBoundedMap<TargetBreaker>(maxBreakers, (breaker) => breaker.isIdle());
  return {
    of(target) {
      return (
        breakers.get(target.id) ??
        breakers.add(target.id, new TargetBreaker(target, clock, listener))
      );
    },
    availability: (target) => breakers.get(target.id)?.availability(target) ?? AVAILABLE,
    snapshot: () => Array.from(breakers.values(), (breaker) => breaker.snapshot()),
    reset(name) {
      const breaker = breakers.get(name);
      breaker?.reset();
      return breaker !== undefined;
    },
  };
}

/** One breaker with its memory. */
export class TargetBreaker {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #listener: BreakerListener;
  #state: BreakerState = closedState(0);
  /** Of the target as it was last called. */
  #settings: BreakerSettings;
  #openedAtWallMs = 0;
  #totalSuccesses = 0;
  #totalFailures = 0;
  #totalRefused = 0;

  constructor(target: Target, clock: Clock, listener: BreakerListener) {
    this.#name = target.id;
    this.#settings = target.breaker;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Lets one call pass; returns its permit, which must come back in `record`, or `REFUSED`. */
  admit(target: Target): number {
    this.#settings = target.breaker;
    const next = admitCall(this.#state, target.breaker, this.#clock.monotonicMs());
    if (next === null) {
      this.#totalRefused += 1;
      return REFUSED;
    }
    this.#become(next);
    return next.generation;
  }

  /** Gives a permit back with the outcome of its call. */
  record(permit: number, outcome: CallOutcome): void {
    if (outcome === 'success') this.#totalSuccesses += 1;
    if (outcome === 'failure') {
      this.#totalFailures += 1;
      this.#listener.failure(this.#name);
    }
    const nowMs = this.#clock.monotonicMs();
    this.#become(recordOutcome(this.#state, this.#settings, nowMs, permit, outcome));
  }

  availability(target: Target): Availability {
    const state = this.#state;
    if (state.kind === 'open') {
      const waitMs = openForMs(state, target.breaker, this.#clock.monotonicMs());
      if (waitMs > 0) return unavailable('breaker_open', Math.ceil(waitMs));
    } else if (state.kind === 'half_open' && state.running >= target.breaker.halfOpenMaxCalls) {
      return unavailable('breaker_probing', PROBE_RETRY_MS);
    }
    return AVAILABLE;
  }

  snapshot(): BreakerSnapshot {
    const state = this.#state;
    const nowMs = this.#clock.monotonicMs();
    return {
      name: this.#name,
      state: state.kind,
      failures: failures(state, nowMs),
      successes: state.kind === 'half_open' ? state.successes : 0,
      totalSuccesses: this.#totalSuccesses,
      totalFailures: this.#totalFailures,
      totalRefused: this.#totalRefused,
      ...(state.kind === 'closed' ? {} : { openedAtMs: this.#openedAtWallMs }),
      ...(state.kind === 'open'
        ? { retryAfterMs: Math.max(0, Math.ceil(openForMs(state, this.#settings, nowMs))) }
        : {}),
    };
  }

  reset(): void {
    this.#become(closedState(this.#state.generation + 1));
  }

  /** Forgetting it would lose nothing: it is closed and no failure counts. */
  isIdle(): boolean {
    return this.#state.kind === 'closed' && failures(this.#state, this.#clock.monotonicMs()) === 0;
  }

  #become(next: BreakerState): void {
    const from = this.#state.kind;
    this.#state = next;
    if (from === next.kind) return;
    if (next.kind === 'open') this.#openedAtWallMs = this.#clock.wallMs();
    this.#listener.transition(this.#name, from, next.kind);
  }
}

function unavailable(reason: UnavailableReason, retryAfterMs: number): Availability {
  return { kind: 'unavailable', reason, retryAfterMs };
}
