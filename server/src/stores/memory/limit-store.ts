/**
 * Limits counted in this process. Decides in one synchronous step, so that several scopes are
 * charged together or not at all.
 *
 * Invariants: the number of scopes is bounded, and only one whose use has drained whole is
 * forgotten; where none has, a new scope is refused rather than left uncounted. Ending a lease
 * twice is harmless.
 */

import type { LimitLease } from '../../gateway/model/holds.ts';
import type {
  LimitDecision,
  LimitScope,
  LimitState,
  LimitStore,
} from '../../gateway/ports/limit-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import {
  charged,
  corrected,
  idleAtMs,
  limitState,
  refusalOf,
  type ScopeUse,
  UNUSED,
} from '../limit-decision.ts';

export interface MemoryLimitStoreOptions {
  readonly clock: Clock;
  /** Most scopes counted at once. */
  readonly maxScopes?: number;
}

interface Counted {
  use: ScopeUse;
  /** When forgetting it loses nothing. */
  idleAtMs: number;
}

const MAX_SCOPES = 100_000;
/** How many of the oldest scopes are looked at to make room, so that a full store stays fast. */
const EVICTION_SCAN = 64;
const FULL_RETRY_MS = 1000;

/** Scopes are told apart by their ids alone, so nobody needs to say whose they are. */
export interface MemoryLimitStore extends LimitStore {
  take(scopes: readonly LimitScope[], tokens: number): LimitDecision;
}

export function createMemoryLimitStore(options: MemoryLimitStoreOptions): MemoryLimitStore {
  return new ScopeCounters(options);
}

class ScopeCounters implements MemoryLimitStore {
  readonly #clock: Clock;
  readonly #maxScopes: number;
  readonly #scopes = new Map<string, Counted>();

  constructor({ clock, maxScopes = MAX_SCOPES }: MemoryLimitStoreOptions) {
    this.#clock = clock;
    this.#maxScopes = maxScopes;
  }

  take(scopes: readonly LimitScope[], tokens: number): LimitDecision {
    const nowMs = this.#nowMs();
    const uses = scopes.map((scope) => this.#useOf(scope.id));
    const refusal = refusalOf(scopes, uses, tokens, nowMs);
    if (refusal !== null) {
      const { scope, reason, waitMs } = refusal;
      const retryAfterMs = waitMs === Number.POSITIVE_INFINITY ? null : waitMs;
      const state = limitState(scopes, uses, nowMs);
      return { kind: 'refused', scope, reason, retryAfterMs, state };
    }
    const homeless = this.#makeRoom(scopes, nowMs);
    if (homeless !== null) return full(homeless, limitState(scopes, uses, nowMs));
    const after = scopes.map((scope, i) => {
      const use = charged(uses[i] ?? UNUSED, scope.limits, tokens, nowMs);
      this.#keep(scope, use);
      return use;
    });
    const lease = new MemoryLease(this, scopes, tokens);
    return { kind: 'granted', lease, state: limitState(scopes, after, nowMs) };
  }

  correct(scopes: readonly LimitScope[], moreTokens: number): void {
    const nowMs = this.#nowMs();
    for (const scope of scopes) {
      if (!this.#scopes.has(scope.id) && this.#makeRoom([scope], nowMs) !== null) continue;
      this.#keep(scope, corrected(this.#useOf(scope.id), scope.limits, moreTokens, nowMs));
    }
  }

  leave(scopes: readonly LimitScope[]): void {
    for (const scope of scopes) {
      if (scope.limits.concurrency === undefined) continue;
      const use = this.#useOf(scope.id);
      this.#keep(scope, { ...use, running: use.running - 1 });
    }
  }

  #nowMs(): number {
    return Math.floor(this.#clock.monotonicMs());
  }

  #useOf(id: string): ScopeUse {
    return this.#scopes.get(id)?.use ?? UNUSED;
  }

  #keep(scope: LimitScope, use: ScopeUse): void {
    const counted = this.#scopes.get(scope.id);
    const idle = idleAtMs(use, scope.limits);
    if (counted === undefined) {
      this.#scopes.set(scope.id, { use, idleAtMs: idle });
      return;
    }
    counted.use = use;
    counted.idleAtMs = idle;
  }

  /** The first scope for which there is no room; null when there is room for all. */
  #makeRoom(scopes: readonly LimitScope[], nowMs: number): string | null {
    let missing = 0;
    for (const scope of scopes) {
      if (this.#scopes.has(scope.id)) continue;
      missing += 1;
      while (this.#scopes.size + missing > this.#maxScopes) {
        if (!this.#forgetOne(scopes, nowMs)) return scope.id;
      }
    }
    return null;
  }

  /** Forgets an idle scope among the oldest; those in use move behind the others. */
  #forgetOne(needed: readonly LimitScope[], nowMs: number): boolean {
    let scanned = 0;
    for (const [id, counted] of this.#scopes) {
      if (scanned === EVICTION_SCAN) return false;
      scanned += 1;
      this.#scopes.delete(id);
      const isNeeded = needed.some((scope) => scope.id === id);
      if (counted.idleAtMs <= nowMs && !isNeeded) return true;
      this.#scopes.set(id, counted);
    }
    return false;
  }
}

class MemoryLease implements LimitLease {
  readonly #store: ScopeCounters;
  readonly #scopes: readonly LimitScope[];
  #tokens: number;
  #released = false;

  constructor(store: ScopeCounters, scopes: readonly LimitScope[], tokens: number) {
    this.#store = store;
    this.#scopes = scopes;
    this.#tokens = tokens;
  }

  correctTokens(actualTokens: number): void {
    this.#store.correct(this.#scopes, actualTokens - this.#tokens);
    this.#tokens = actualTokens;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#store.leave(this.#scopes);
  }
}

function full(scope: string, state: LimitState): LimitDecision {
  return { kind: 'refused', scope, reason: 'requests', retryAfterMs: FULL_RETRY_MS, state };
}
