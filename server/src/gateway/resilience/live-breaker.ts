/**
 * One breaker with its memory: keeps the state of `breaker.ts`, tells it the time, counts
 * totals and announces transitions. Whose breaker it is, it does not know.
 *
 * What opened for failures refuses. What opened for slowness, or was asked to rest, works: it
 * is told to be unavailable, so that whoever has another choice takes it, but refuses nobody
 * who has none. Calls that pass in that way are counted in the totals and decide nothing.
 *
 * Invariants: reading changes nothing; a transition and a failure are announced once each.
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
  type OpenCause,
  type Outcome,
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
  /** What opened it, unless closed. */
  readonly cause?: OpenCause;
  /** Failures that count towards opening, or that led to it. */
  readonly failures: number;
  /** Successful probes so far, in `half_open`. */
  readonly successes: number;
  /** Since the breaker was made: calls let through, running ones included. */
  readonly totalCalls: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  /** Time spent open so far. */
  readonly totalOpenMs: number;
  /** Milliseconds since the epoch, unless closed. */
  readonly openedAtMs?: number;
  /** Milliseconds until a probe is let through, in `open`; 0 when the next call is one. */
  readonly retryAfterMs?: number;
  /** Milliseconds for which the other side asked to be left alone. */
  readonly restingMs?: number;
}

/** When all probes are out, their outcome usually decides within this time. */
const PROBE_RETRY_MS = 1000;

/** However long a rest the other side asks for. */
const LONGEST_REST_MS = 24 * 3_600_000;

/** The permit of a call that passes beside the state: no generation is its own. */
const UNCOUNTED = -2;

export class LiveBreaker implements Breaker {
  readonly name: string;
  /** As last given: those of the configuration in force. */
  settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #listener: BreakerListener;
  #state: BreakerState = closedState(0);
  #openedAtWallMs = 0;
  #openMs = 0;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #totalCalls = 0;
  #totalSuccesses = 0;
  #totalFailures = 0;

  constructor(name: string, settings: BreakerSettings, clock: Clock, listener: BreakerListener) {
    this.name = name;
    this.settings = settings;
    this.#clock = clock;
    this.#listener = listener;
  }

  admit(): number {
    const state = this.#state;
    const next = admitCall(state, this.settings, this.#clock.monotonicMs());
    if (next === null && causeOf(state) === 'failures') return REFUSED;
    this.#totalCalls += 1;
    if (next === null) return UNCOUNTED;
    this.#become(next);
    return next.generation;
  }

  record(permit: number, outcome: CallOutcome): void {
    if (outcome === 'success') this.#totalSuccesses += 1;
    if (outcome === 'failure') this.#countFailure();
    this.#settle(permit, outcome);
  }

  /** A success, and how long it took as its settings measure slowness. */
  recordTimed(permit: number, tookMs: number): void {
    this.#totalSuccesses += 1;
    const { slowCallMs = Number.POSITIVE_INFINITY } = this.settings;
    this.#settle(permit, tookMs >= slowCallMs ? 'slow' : 'success');
  }

  /** The other side asked to be left alone for so long; a rest that ends later stays. */
  restFor(durationMs: number): void {
    const untilMs = this.#clock.monotonicMs() + Math.min(durationMs, LONGEST_REST_MS);
    this.#restUntilMs = Math.max(this.#restUntilMs, untilMs);
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
    const nowMs = this.#clock.monotonicMs();
    const isSlow = causeOf(state) === 'slowness';
    if (state.kind === 'open') {
      const waitMs = openForMs(state, settings, nowMs);
      const reason = isSlow ? 'breaker_slow' : 'breaker_open';
      if (waitMs > 0) return unavailable(reason, Math.ceil(waitMs));
    } else if (state.kind === 'half_open' && state.running >= settings.halfOpenMaxCalls) {
      return unavailable(isSlow ? 'breaker_slow' : 'breaker_probing', PROBE_RETRY_MS);
    }
    const restMs = this.#restUntilMs - nowMs;
    return restMs > 0 ? unavailable('resting', Math.ceil(restMs)) : AVAILABLE;
  }

  snapshot(): BreakerSnapshot {
    const state = this.#state;
    const nowMs = this.#clock.monotonicMs();
    return {
      name: this.name,
      state: state.kind,
      ...(state.kind === 'closed' ? {} : { cause: state.cause }),
      failures: failures(state, nowMs),
      successes: state.kind === 'half_open' ? state.successes : 0,
      totalCalls: this.#totalCalls,
      totalSuccesses: this.#totalSuccesses,
      totalFailures: this.#totalFailures,
      totalOpenMs: this.#openMs + openSoFarMs(state, nowMs),
      ...(state.kind === 'closed' ? {} : { openedAtMs: this.#openedAtWallMs }),
      ...(state.kind === 'open'
        ? { retryAfterMs: Math.max(0, Math.ceil(openForMs(state, this.settings, nowMs))) }
        : {}),
      ...(this.#restUntilMs > nowMs ? { restingMs: Math.ceil(this.#restUntilMs - nowMs) } : {}),
    };
  }

  reset(): void {
    this.#restUntilMs = Number.NEGATIVE_INFINITY;
    this.#become(closedState(this.#state.generation + 1));
  }

  /** Forgetting it would lose nothing: it is closed, no failure counts, and it does not rest. */
  isIdle(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#state.kind !== 'closed' || this.#restUntilMs > nowMs) return false;
    return failures(this.#state, nowMs) === 0;
  }

  #countFailure(): void {
    this.#totalFailures += 1;
    this.#listener.failure(this.name);
  }

  #settle(permit: number, outcome: Outcome): void {
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

function causeOf(state: BreakerState): OpenCause | null {
  return state.kind === 'closed' ? null : state.cause;
}

function openSoFarMs(state: BreakerState, nowMs: number): number {
  return state.kind === 'open' ? nowMs - state.openedAtMs : 0;
}

function unavailable(reason: UnavailableReason, retryAfterMs: number): Availability {
  return { kind: 'unavailable', reason, retryAfterMs };
}
