/**
 * One breaker with its memory: keeps the state of `breaker.ts`, tells it the time, counts
 * totals and announces transitions. Whose breaker it is, it does not know.
 *
 * Invariants: `admit`, `record` and `reset` are all that changes it; a transition and a failure
 * are announced once each.
 */
import type { Clock } from '../../kernel/clock.ts';
import { AVAILABLE, type Availability, type UnavailableReason } from '../model/availability.ts';
import type { BreakerSettings } from '../model/target.ts';
import { type Breaker, type CallOutcome, REFUSED } from '../ports/breaker.ts';
import {
  admitCall,
  type BreakerState,
  closedState,
  failures,
  openForMs,
  recordOutcome,
} from './breaker.ts';

export type BreakerKind = BreakerState['kind'];

/** Told synchronously; must neither throw nor wait. */
export interface BreakerListener {
  transition(name: string, from: BreakerKind, to: BreakerKind): void;
  /** One failure was counted. */
  failure(name: string): void;
}

export interface BreakerSnapshot {
  /** The target's id, `provider/model`, or the name of a dependency. */
  readonly name: string;
  readonly state: BreakerKind;
  /** Failures that count towards opening, or that led to it. */
  readonly failures: number;
  /** Successful probes so far, in `half_open`. */
  readonly successes: number;
  /** Since the breaker was made: calls let through, running ones included. */
  readonly totalCalls: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  /** Calls refused without being made. */
  readonly totalRefused: number;
  /** Time spent open so far. */
  readonly totalOpenMs: number;
  /** Milliseconds since the epoch, unless closed. */
  readonly openedAtMs?: number;
  /** Milliseconds until a probe is let through, in `open`; 0 when the next call is one. */
  readonly retryAfterMs?: number;
}

/** When all probes are out, their outcome usually decides within this time. */
const PROBE_RETRY_MS = 1000;

export class LiveBreaker implements Breaker {
  readonly name: string;
  /** As last given: those of the configuration in force. */
  settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #listener: BreakerListener;
  #state: BreakerState = closedState(0);
  #openedAtWallMs = 0;
  #openMs = 0;
  #totalCalls = 0;
  #totalSuccesses = 0;
  #totalFailures = 0;
  #totalRefused = 0;

  constructor(name: string, settings: BreakerSettings, clock: Clock, listener: BreakerListener) {
    this.name = name;
    this.settings = settings;
    this.#clock = clock;
    this.#listener = listener;
  }

  admit(): number {
    const next = admitCall(this.#state, this.settings, this.#clock.monotonicMs());
    if (next === null) {
      this.#totalRefused += 1;
      return REFUSED;
    }
    this.#totalCalls += 1;
    this.#become(next);
    return next.generation;
  }

  record(permit: number, outcome: CallOutcome): void {
    if (outcome === 'success') this.#totalSuccesses += 1;
    if (outcome === 'failure') this.#countFailure();
    this.#settle(permit, outcome);
  }

  /** A call that was recorded as a success has failed after all. */
  recordLateFailure(permit: number): void {
    this.#totalSuccesses -= 1;
    this.#countFailure();
    this.#settle(permit, 'failure');
  }

  lets(): boolean {
    return this.availability(this.settings) === AVAILABLE;
  }

  availability(settings: BreakerSettings): Availability {
    const state = this.#state;
    if (state.kind === 'open') {
      const waitMs = openForMs(state, settings, this.#clock.monotonicMs());
      if (waitMs > 0) return unavailable('breaker_open', Math.ceil(waitMs));
    } else if (state.kind === 'half_open' && state.running >= settings.halfOpenMaxCalls) {
      return unavailable('breaker_probing', PROBE_RETRY_MS);
    }
    return AVAILABLE;
  }

  snapshot(): BreakerSnapshot {
    const state = this.#state;
    const nowMs = this.#clock.monotonicMs();
    return {
      name: this.name,
      state: state.kind,
      failures: failures(state, nowMs),
      successes: state.kind === 'half_open' ? state.successes : 0,
      totalCalls: this.#totalCalls,
      totalSuccesses: this.#totalSuccesses,
      totalFailures: this.#totalFailures,
      totalRefused: this.#totalRefused,
      totalOpenMs: this.#openMs + openSoFarMs(state, nowMs),
      ...(state.kind === 'closed' ? {} : { openedAtMs: this.#openedAtWallMs }),
      ...(state.kind === 'open'
        ? { retryAfterMs: Math.max(0, Math.ceil(openForMs(state, this.settings, nowMs))) }
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

  #countFailure(): void {
    this.#totalFailures += 1;
    this.#listener.failure(this.name);
  }

  #settle(permit: number, outcome: CallOutcome): void {
    const nowMs = this.#clock.monotonicMs();
    this.#become(recordOutcome(this.#state, this.settings, nowMs, permit, outcome));
  }

  #become(next: BreakerState): void {
    const before = this.#state;
    this.#state = next;
    if (before.kind === next.kind) return;
    this.#openMs += openSoFarMs(before, this.#clock.monotonicMs());
    if (next.kind === 'open') this.#openedAtWallMs = this.#clock.wallMs();
    this.#listener.transition(this.name, before.kind, next.kind);
  }
}

function openSoFarMs(state: BreakerState, nowMs: number): number {
  return state.kind === 'open' ? nowMs - state.openedAtMs : 0;
}

function unavailable(reason: UnavailableReason, retryAfterMs: number): Availability {
  return { kind: 'unavailable', reason, retryAfterMs };
}
