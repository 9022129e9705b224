/**
 * The circuit breaker of one target or dependency, as pure functions from a state, the
 * settings and an instant to the next state. `live-breaker.ts` keeps the state.
 *
 *   closed ──(enough failures or slow calls among the recent ones)──► open
 *   open ──(openMs over, and a call comes)──► half_open
 *   half_open ──(any failure)──► open      half_open ──(successThreshold successes)──► closed
 *
 * 1. Time is the monotonic clock's, and is judged when a call asks to pass, never by a getter:
 *    reading a state cannot change it, and recovery depends on no reader.
 * 2. Every transition starts a new generation with fresh counts; the outcome of a call that
 *    was admitted in an earlier generation changes nothing.
 * 3. In `half_open` at most `halfOpenMaxCalls` calls run at once; each gives its place back,
 *    whatever its outcome, so that probing can never come to a standstill.
 * 4. Recent means: at most 60 s old, and among the last max(2 × failureThreshold,
 *    minimumCalls) calls. So a threshold of 5 opens on 5 failures in a row or on every second
 *    call failing, and not on 5 failures scattered over hundreds of good calls.
 * 5. Only an outcome opens; the passing of time alone counts nothing.
 * 6. What opened it is what the probes are asked: a slow probe opens again only what slowness
 *    had opened, a failed one always.
 */
import type { BreakerSettings } from '../model/target.ts';
import type { CallOutcome } from '../ports/breaker.ts';

/** `slow`: a success that took longer than a call should. */
export type Outcome = CallOutcome | 'slow';
export type OpenCause = 'failures' | 'slowness';

export interface RecentCall {
  readonly atMs: number;
  readonly outcome: Exclude<Outcome, 'ignored'>;
}

export interface ClosedState {
  readonly kind: 'closed';
  readonly generation: number;
  /** Oldest first. */
  readonly recent: readonly RecentCall[];
}

export interface OpenState {
  readonly kind: 'open';
  readonly generation: number;
  readonly cause: OpenCause;
  readonly openedAtMs: number;
  /** Failures that count at its opening. */
  readonly failures: number;
}

export interface HalfOpenState {
  readonly kind: 'half_open';
  readonly generation: number;
  readonly cause: OpenCause;
  /** Probes under way. */
  readonly running: number;
  readonly successes: number;
}

export type BreakerState = ClosedState | OpenState | HalfOpenState;

/** A call counts for at most this long. */
const WINDOW_MS = 60_000;

export function closedState(generation: number): ClosedState {
  return { kind: 'closed', generation, recent: [] };
}

/**
 * Lets one call pass: returns the state with the call in it, or null when it is refused. The
 * generation of the returned state is the call's permit, to be handed to `recordOutcome`.
 */
export function admitCall(
  state: BreakerState,
  settings: BreakerSettings,
  nowMs: number,
): BreakerState | null {
  if (state.kind === 'closed') return state;
  if (state.kind === 'half_open') {
    if (state.running >= settings.halfOpenMaxCalls) return null;
    return { ...state, running: state.running + 1 };
  }
  if (openForMs(state, settings, nowMs) > 0) return null;
  const { cause, generation } = state;
  return { kind: 'half_open', generation: generation + 1, cause, running: 1, successes: 0 };
}

/**
 * Counts the outcome of a call admitted in `generation` and gives its place back. A stream
 * that was counted as a success at its first byte and breaks later is counted once more, as
 * a failure.
 */
export function recordOutcome(
  state: BreakerState,
  settings: BreakerSettings,
  nowMs: number,
  generation: number,
  outcome: Outcome,
): BreakerState {
  if (generation !== state.generation || state.kind === 'open') return state;
  if (state.kind === 'half_open') return afterProbe(state, settings, nowMs, outcome);
  if (outcome === 'ignored') return state;
  if (settings.failureThreshold === Number.POSITIVE_INFINITY) return state; // never opens
  const recent = state.recent.slice(1 - windowCalls(settings));
  recent.push({ atMs: nowMs, outcome });
  const next: ClosedState = { kind: 'closed', generation, recent };
  const cause = causeToOpen(next, settings, nowMs, outcome);
  return cause === null ? next : opened(next, cause, nowMs, failures(next, nowMs));
}

/** Milliseconds until an open breaker lets a probe pass; zero or less: at once. */
export function openForMs(state: OpenState, settings: BreakerSettings, nowMs: number): number {
  return state.openedAtMs + settings.openMs - nowMs;
}

/** Failures that count at this instant. */
export function failures(state: BreakerState, nowMs: number): number {
  if (state.kind === 'open') return state.failures;
  return state.kind === 'half_open' ? 0 : recentCalls(state, nowMs, 'failure');
}

function afterProbe(
  state: HalfOpenState,
  settings: BreakerSettings,
  nowMs: number,
  outcome: Outcome,
): BreakerState {
  if (outcome === 'failure') return opened(state, 'failures', nowMs, 1);
  if (outcome === 'slow' && state.cause === 'slowness') return opened(state, 'slowness', nowMs, 0);
  const successes = outcome === 'ignored' ? state.successes : state.successes + 1;
  if (successes >= settings.successThreshold) return closedState(state.generation + 1);
  return { ...state, running: state.running - 1, successes };
}

function causeToOpen(
  state: ClosedState,
  settings: BreakerSettings,
  nowMs: number,
  outcome: Outcome,
): OpenCause | null {
  const calls = recentCalls(state, nowMs);
  if (outcome === 'success' || calls < settings.minimumCalls) return null;
  if (outcome === 'failure') {
    return failures(state, nowMs) >= settings.failureThreshold ? 'failures' : null;
  }
  const { slowCallRate = 1 } = settings;
  return recentCalls(state, nowMs, 'slow') >= slowCallRate * calls ? 'slowness' : null;
}

function opened(
  { generation }: BreakerState,
  cause: OpenCause,
  openedAtMs: number,
  count: number,
): OpenState {
  return { kind: 'open', generation: generation + 1, cause, openedAtMs, failures: count };
}

function recentCalls(state: ClosedState, nowMs: number, outcome?: Outcome): number {
  let count = 0;
  for (const call of state.recent) {
    const counts = outcome === undefined || call.outcome === outcome;
    if (counts && nowMs - call.atMs < WINDOW_MS) count += 1;
  }
  return count;
}

function windowCalls(settings: BreakerSettings): number {
  return Math.max(2 * settings.failureThreshold, settings.minimumCalls);
}
