/**
 * The decision over rate and concurrency limits, as pure functions over the use of each scope:
 * the generic cell rate algorithm in its leaky-bucket form. Every store of limits decides by
 * it, in memory or in a script.
 *
 * 1. A level is counted in units of 1/60 000 of a request or token: a limit of L per minute
 *    frees exactly L units in a millisecond, so levels are integers and never drift.
 * 2. The burst is the limit itself: an idle scope may use its whole minute at once.
 * 3. A level may rise above its capacity only by a correction (an answer took more tokens than
 *    estimated); the scope then waits until the excess has drained.
 * 4. Deciding changes nothing; a refused request costs nothing.
 */

import type { LimitFigures } from '../gateway/model/holds.ts';
import type { Limits } from '../gateway/model/principal.ts';
import type { LimitScope, LimitState } from '../gateway/ports/limit-store.ts';

const UNITS = 60_000;

/** What a scope has used, as of `atMs`. */
export interface ScopeUse {
  /** Units of requests not drained yet. */
  readonly requests: number;
  /** Units of tokens not drained yet. */
  readonly tokens: number;
  /** Requests that hold a place. */
  readonly running: number;
  /** Whole milliseconds of a clock that never goes back. */
  readonly atMs: number;
}

export interface Refusal {
  readonly scope: string;
  readonly reason: 'requests' | 'tokens' | 'concurrency';
  /** Infinity: the request could never pass. null: nobody knows. */
  readonly waitMs: number | null;
}

export const UNUSED: ScopeUse = { requests: 0, tokens: 0, running: 0, atMs: 0 };

/**
 * Why a request of `tokens` may not pass now; null when it may. Of several reasons the one
 * with the longest wait is told, so that a caller who waits for it is not refused again; a
 * full concurrency only when it is the only one.
 */
export function refusalOf(
  scopes: readonly LimitScope[],
  uses: readonly ScopeUse[],
  tokens: number,
  nowMs: number,
): Refusal | null {
  let worst: Refusal | null = null;
  const consider = (scope: string, reason: Refusal['reason'], waitMs: number | null): void => {
    if (worst === null || (waitMs ?? 0) > (worst.waitMs ?? 0)) worst = { scope, reason, waitMs };
  };
  for (const [i, { id, limits }] of scopes.entries()) {
    const use = drained(uses[i] ?? UNUSED, limits, nowMs);
    if (limits.concurrency !== undefined && use.running >= limits.concurrency) {
      consider(id, 'concurrency', limits.concurrency === 0 ? Number.POSITIVE_INFINITY : null);
    }
    const requestWaitMs = waitFor(use.requests, 1, limits.requestsPerMinute);
    if (requestWaitMs > 0) consider(id, 'requests', requestWaitMs);
    const tokenWaitMs = waitFor(use.tokens, tokens, limits.tokensPerMinute);
    if (tokenWaitMs > 0) consider(id, 'tokens', tokenWaitMs);
  }
  return worst;
}

/** The use of a scope after it let one request of `tokens` pass. */
export function charged(use: ScopeUse, limits: Limits, tokens: number, nowMs: number): ScopeUse {
  const now = drained(use, limits, nowMs);
  return {
    requests: limits.requestsPerMinute === undefined ? 0 : now.requests + UNITS,
    tokens: limits.tokensPerMinute === undefined ? 0 : now.tokens + tokens * UNITS,
    running: limits.concurrency === undefined ? now.running : now.running + 1,
    atMs: now.atMs,
  };
}

/** The use of a scope when a request took `moreTokens` more (or fewer) than it was charged. */
export function corrected(
  use: ScopeUse,
  limits: Limits,
  moreTokens: number,
  nowMs: number,
): ScopeUse {
  if (limits.tokensPerMinute === undefined) return use;
  const now = drained(use, limits, nowMs);
  return { ...now, tokens: Math.max(0, now.tokens + moreTokens * UNITS) };
}

/** The tightest scope of each kind, for the headers. */
export function limitState(
  scopes: readonly LimitScope[],
  uses: readonly ScopeUse[],
  nowMs: number,
): LimitState {
  let requests: LimitFigures | null = null;
  let tokens: LimitFigures | null = null;
  for (const [i, { limits }] of scopes.entries()) {
    const use = drained(uses[i] ?? UNUSED, limits, nowMs);
    requests = tighter(requests, figures(use.requests, limits.requestsPerMinute));
    tokens = tighter(tokens, figures(use.tokens, limits.tokensPerMinute));
  }
  return { requests, tokens };
}

/**
 * When the scope will be as good as never used, if nothing more happens; Infinity while a
 * request runs.
 */
export function idleAtMs(use: ScopeUse, limits: Limits): number {
  if (use.running > 0) return Number.POSITIVE_INFINITY;
  const requestsMs = drainMs(use.requests, limits.requestsPerMinute);
  return use.atMs + Math.max(requestsMs, drainMs(use.tokens, limits.tokensPerMinute));
}

function drained(use: ScopeUse, limits: Limits, nowMs: number): ScopeUse {
  const elapsedMs = nowMs - use.atMs;
  if (elapsedMs <= 0) return use;
  return {
    requests: Math.max(0, use.requests - (limits.requestsPerMinute ?? 0) * elapsedMs),
    tokens: Math.max(0, use.tokens - (limits.tokensPerMinute ?? 0) * elapsedMs),
    running: use.running,
    atMs: nowMs,
  };
}

/** Milliseconds until `amount` fits under the limit; Infinity when it never will. */
function waitFor(level: number, amount: number, limit: number | undefined): number {
  if (limit === undefined) return 0;
  if (limit === 0 || amount > limit) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.ceil((level + amount * UNITS - limit * UNITS) / limit));
}

function figures(level: number, limit: number | undefined): LimitFigures | null {
  if (limit === undefined) return null;
  const remaining = Math.max(0, Math.floor((limit * UNITS - level) / UNITS));
  return { limit, remaining, resetMs: drainMs(level, limit) };
}

function drainMs(level: number, limit: number | undefined): number {
  return limit === undefined || limit === 0 ? 0 : Math.ceil(level / limit);
}

function tighter(a: LimitFigures | null, b: LimitFigures | null): LimitFigures | null {
  if (a === null || b === null) return a ?? b;
  return b.remaining < a.remaining ? b : a;
}
