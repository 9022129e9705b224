/**
 * The nesting order of what protects a call to one target, in one place:
 *
 *   deadline > retry > breaker > bulkhead > first-token limit > attempt (> key > connection)
 *
 * 1. The signal ends everything at once, the pause before a retry included; a retry whose
 *    pause does not fit the deadline is not made.
 * 2. Every attempt passes the breaker by itself and takes a place of its own; both are held
 *    during no pause.
 * 3. An attempt that resolved is the breaker's success, at the first piece of a stream; the
 *    place is held until `finish`, and a stream that breaks later counts as a failure.
 * 4. Nothing is counted against a target for a caller that left. The deadline counts against
 *    the target that had most of the time and was silent in it.
 * 5. A target that asks for a pause rests that long, for those who have another choice.
 * 6. An attempt tries the keys of its provider in turn: to all above it is one attempt.
 *
 * The next target, if any, is the caller's business; so is not calling this after the first
 * byte went to the client.
 */
import type { Clock } from '../../kernel/clock.ts';
import { type Deadline, sleep } from '../../kernel/deadline.ts';
import type { Random } from '../../kernel/random.ts';
import { AVAILABLE, type Availability, isLastResort } from '../model/availability.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import { REFUSED } from '../ports/breaker.ts';
import type { BreakerRegistry } from './breaker-registry.ts';
import type { Bulkhead, Bulkheads } from './bulkhead.ts';
import type { FirstTokenBook } from './first-token-budget.ts';
import type { LiveBreaker } from './live-breaker.ts';
import { isTransient, mayRetry, restMs } from './reactions.ts';
import { type RetryBudgets, retryPauseMs } from './retry.ts';

export { mayFailOver } from './reactions.ts';

export interface PolicyStackDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly breakers: BreakerRegistry;
  readonly bulkheads: Bulkheads;
  readonly retryBudgets: RetryBudgets;
  readonly firstTokens: FirstTokenBook;
}

/** One call as its policies see it. */
export interface GuardedCall {
  readonly target: Target;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  /** The attempt resolves with the first piece of a stream, and not with a complete answer. */
  readonly streamed: boolean;
}

/**
 * One attempt at a target, to get its first byte within `firstByteMs`. Resolves with the first
 * piece of a stream or with a complete answer, rejects with a `GatewayError` or, when the
 * signal aborted, with anything.
 */
export type Attempt<C, T> = (context: C, call: GuardedCall, firstByteMs: number) => Promise<T>;

/** A call that succeeded so far, and the place it holds. */
export interface HeldCall<T> {
  readonly value: T;
  /**
   * Ends the call; to be called on every exit, the first time counts. null: it ended well, or
   * nobody wants the rest. A transient error counts against the target.
   */
  finish(error: GatewayError | null): void;
}

export interface PolicyStack {
  /**
   * Makes attempts at one target until one succeeds or no more are allowed. `context` is
   * handed to each attempt, so that no closure is needed.
   *
   * Throws the signal's reason; `no_target_available` when the breaker lets nothing pass and
   * `overloaded` when the provider's places are taken, both with `retryAfterMs` and nothing
   * sent; else the last attempt's error.
   */
  run<C, T>(call: GuardedCall, context: C, attempt: Attempt<C, T>): Promise<HeldCall<T>>;
  /** Whether a call would pass now, and if not, when. Without side effects. */
  availability(target: Target): Availability;
}

/** A place usually becomes free within this time. */
const PLACE_RETRY_MS = 1000;

const FULL: Availability = {
  kind: 'unavailable',
  reason: 'bulkhead_full',
  retryAfterMs: PLACE_RETRY_MS,
};

export function createPolicyStack(deps: PolicyStackDeps): PolicyStack {
  const { clock, breakers, bulkheads, retryBudgets } = deps;

  function availability(target: Target): Availability {
    const byBreaker = breakers.availability(target);
    if (byBreaker !== AVAILABLE) return byBreaker;
    return bulkheads.running(target.provider) < target.maxConcurrency ? AVAILABLE : FULL;
  }

  /** Milliseconds to wait before the next attempt; null: there is none. */
  function pauseBeforeRetry(error: GatewayError, tries: number, target: Target): number | null {
    if (tries >= target.retry.attempts || !mayRetry(error)) return null;
    const state = availability(target);
    if (state.kind === 'unavailable' && !isLastResort(state.reason)) return null;
    return retryPauseMs(error, tries, deps.random);
  }

  return {
    availability,
    async run(call, context, attempt) {
      const { target, deadline, signal } = call;
      const breaker = breakers.of(target);
      const bulkhead = bulkheads.of(target);
      const budget = retryBudgets.of(target);
      let failed: GatewayError | null = null;
      for (let tries = 1; ; tries += 1) {
        if (signal.aborted) throw signal.reason;
        const permit = enter(target, breaker, bulkhead, failed);
        if (tries === 1) budget.countRequest();
        const firstByteMs = firstByteLimitMs(deps, call);
        const startedMs = clock.monotonicMs();
        try {
          const value = await attempt(context, call, firstByteMs);
          succeeded(deps, call, breaker, permit, clock.monotonicMs() - startedMs);
          return new RunningCall(value, breaker, bulkhead, permit);
        } catch (thrown) {
          failed = asGatewayError(signal.aborted ? signal.reason : thrown);
          const tookMs = clock.monotonicMs() - startedMs;
          if (tookMs >= firstByteMs && call.streamed) deps.firstTokens.missed(target.id);
          blame(breaker, permit, failed, tookMs >= target.timeouts.totalMs / 2);
          bulkhead.leave();
        }
        const pauseMs = pauseBeforeRetry(failed, tries, target);
        const allowed =
          pauseMs !== null && pauseMs < deadline.remainingMs() && budget.tryTake(target.retry);
        if (!allowed) throw failed;
        await sleep(clock, pauseMs, signal);
      }
    },
  };
}

/** A plain answer's first byte comes when it is complete: only the total time bounds it. */
function firstByteLimitMs({ firstTokens }: PolicyStackDeps, call: GuardedCall): number {
  const { id, timeouts } = call.target;
  return call.streamed ? firstTokens.limitMs(id, timeouts) : timeouts.totalMs;
}

function succeeded(
  { firstTokens }: PolicyStackDeps,
  { target, streamed }: GuardedCall,
  breaker: LiveBreaker,
  permit: number,
  tookMs: number,
): void {
  if (!streamed) {
    breaker.record(permit, 'success');
    return;
  }
  breaker.recordTimed(permit, tookMs);
  firstTokens.came(target.id, tookMs);
}

/** Counts a failed attempt against its target, where it is the target's. */
function blame(
  breaker: LiveBreaker,
  permit: number,
  failed: GatewayError,
  hadMostOfTheTime: boolean,
): void {
  const wasSilent = failed.code === 'deadline_exceeded' && hadMostOfTheTime;
  breaker.record(permit, wasSilent || isTransient(failed) ? 'failure' : 'ignored');
  const askedMs = restMs(failed);
  if (askedMs !== null) breaker.restFor(askedMs);
}

/** Passes the breaker and takes a place; throws `failed`, the error before, when it cannot. */
function enter(
  target: Target,
  breaker: LiveBreaker,
  bulkhead: Bulkhead,
  failed: GatewayError | null,
): number {
  const permit = breaker.admit();
  if (permit === REFUSED) throw failed ?? breakerRefusal(target, breaker);
  if (bulkhead.tryEnter(target.maxConcurrency)) return permit;
  breaker.record(permit, 'ignored');
  throw (
    failed ??
    new GatewayError('overloaded', {
      message: `All ${target.maxConcurrency} places at ${target.provider} are taken.`,
      retryAfterMs: PLACE_RETRY_MS,
    })
  );
}

function breakerRefusal(target: Target, breaker: LiveBreaker): GatewayError {
  const state = breaker.availability(target.breaker);
  return new GatewayError('no_target_available', {
    message: `${target.id} failed repeatedly and is left alone for a while.`,
    ...(state.kind === 'unavailable' ? { retryAfterMs: state.retryAfterMs } : {}),
  });
}

class RunningCall<T> implements HeldCall<T> {
  readonly value: T;
  readonly #breaker: LiveBreaker;
  readonly #bulkhead: Bulkhead;
  readonly #permit: number;
  #ended = false;

  constructor(value: T, breaker: LiveBreaker, bulkhead: Bulkhead, permit: number) {
    this.value = value;
    this.#breaker = breaker;
    this.#bulkhead = bulkhead;
    this.#permit = permit;
  }

  finish(error: GatewayError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#bulkhead.leave();
    if (error !== null && isTransient(error)) this.#breaker.recordLateFailure(this.#permit);
  }
}
