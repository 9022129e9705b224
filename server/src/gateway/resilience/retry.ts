/**
 * When the same target is tried again: after how long, and whether the provider's retry budget
 * allows it.
 *
 * The budget keeps retries from multiplying the load on a provider in trouble: within any ten
 * seconds at most `budgetRatio` of the requests, though never fewer than three, are repeated.
 * Retries come before the first byte to the client only; the policy stack sees to that.
 */

import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { GatewayError } from '../model/errors.ts';
import type { RetrySettings, Target } from '../model/target.ts';

const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 2000;
/** A provider that asks for a longer pause is left alone: another target is tried. */
const LONGEST_ASKED_PAUSE_MS = 2000;

/**
 * Milliseconds to wait before retry number `retry` (from 1): a uniformly random part of a
 * pause that doubles, or what the provider asked for. null: it asked for too long.
 */
export function retryPauseMs(error: GatewayError, retry: number, random: Random): number | null {
  const askedMs = error.retryAfterMs;
  if (askedMs === null) {
    return random.float() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (retry - 1));
  }
  if (askedMs > LONGEST_ASKED_PAUSE_MS) return null;
  return askedMs + random.float() * BACKOFF_BASE_MS; // callers told the same do not return at once
}

const SLOT_MS = 1000;
const SLOTS = 10;
const RETRIES_ALWAYS_ALLOWED = 3;
/** So that 0.29 × 100 is 29, whatever floating point makes of it. */
const RATIO_TOLERANCE = 1e-9;

/** The retry budget of one provider: requests and retries of the last ten seconds. */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #requests = new Float64Array(SLOTS);
  readonly #retries = new Float64Array(SLOTS);
  #slot = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a call that is not a retry. */
  countRequest(): void {
    const at = this.#currentIndex();
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
  }

  /** Takes one retry out of the budget; false when it is used up. */
  tryTake(settings: RetrySettings): boolean {
    const at = this.#currentIndex();
    const share = Math.floor(settings.budgetRatio * sum(this.#requests) + RATIO_TOLERANCE);
    if (sum(this.#retries) >= Math.max(RETRIES_ALWAYS_ALLOWED, share)) return false;
    this.#retries[at] = (this.#retries[at] ?? 0) + 1;
    return true;
  }

  #currentIndex(): number {
    const slot = Math.floor(this.#clock.monotonicMs() / SLOT_MS);
    for (let past = Math.max(this.#slot + 1, slot - SLOTS + 1); past <= slot; past += 1) {
      this.#requests[past % SLOTS] = 0;
      this.#retries[past % SLOTS] = 0;
    }
    this.#slot = slot;
    return slot % SLOTS;
  }
}

export interface RetryBudgets {
  of(target: Target): RetryBudget;
}

/** More providers than a configuration names; names of earlier generations are forgotten. */
const MAX_PROVIDERS = 1024;

export function createRetryBudgets(clock: Clock): RetryBudgets {
  const budgets = createBoundedMap<RetryBudget>(MAX_PROVIDERS, () => false);
  return {
    of: ({ provider }) => budgets.get(provider) ?? budgets.add(provider, new RetryBudget(clock)),
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
