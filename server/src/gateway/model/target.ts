/**
 * A target: one provider, one model and the settings under which it can answer. Targets are
 * made from the configuration once per generation and are immutable.
 */
import type { Condition } from './condition.ts';
import type { Price } from './price.ts';

export type Dialect = 'openai' | 'anthropic' | 'gemini' | 'responses';
/** What a provider speaks: a dialect, or a wire of its own that no client speaks. */
export type Wire = Dialect | 'native';
export type Operation = 'chat' | 'completion' | 'embedding' | 'count_tokens';

export type Capability = 'tools' | 'vision' | 'json_schema' | 'reasoning';

export interface Timeouts {
  readonly connectMs: number;
  /**
   * From sending the request to the first byte of a streamed answer's body: the limit while
   * little is known of the target.
   */
  readonly firstTokenMs: number;
  /** How far the target's own history may move that limit; absent: not at all. */
  readonly firstTokenRange?: FirstTokenRange;
  /** Longest silence between two pieces of an answer. */
  readonly idleMs: number;
  /** From the first byte of the client's request to the last byte of the answer. */
  readonly totalMs: number;
}

export interface FirstTokenRange {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface RetrySettings {
  /** Attempts at one target, the first included. */
  readonly attempts: number;
  /** Retries allowed as a share of requests, 0.2 = one in five. */
  readonly budgetRatio: number;
}

export interface BreakerSettings {
  /** Infinity: switched off; it never opens and remembers nothing. */
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly openMs: number;
  readonly halfOpenMaxCalls: number;
  readonly minimumCalls: number;
  /** A first token that takes this long makes a call slow; absent: none is. */
  readonly slowCallMs?: number;
  /** Share of slow calls that opens; absent: all of them. */
  readonly slowCallRate?: number;
}

export interface ModelManner {
  /** How much to think is said as an effort, as a budget of tokens, or not at all. */
  readonly reasoning?: 'effort' | 'budget' | 'none';
  /** An answer in JSON is asked for by a field, or by a tool whose call is forced. */
  readonly structuredOutput?: 'native' | 'tool';
}

export interface Target {
  /** `provider/model`: names the breaker, the bulkhead and the rows of this target. */
  readonly id: string;
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The model's name at the provider. */
  readonly model: string;
  readonly weight: number;
  /** null: not known, booked as unpriced. */
  readonly price: Price | null;
  /** Most tokens one answer can have; null where the catalogue does not say. */
  readonly maxOutputTokens: number | null;
  readonly operations: readonly Operation[];
  /** How the model takes what models of its vendor take in several ways; absent: as the newest. */
  readonly manner?: ModelManner;
  /** What the model is known to do, and all of it; absent: nothing is known. */
  readonly capabilities?: readonly Capability[];
  /** All must hold for a request, or the target is left out; absent: it takes every request. */
  readonly when?: readonly Condition[];
  readonly timeouts: Timeouts;
  readonly retry: RetrySettings;
  readonly breaker: BreakerSettings;
  /** Calls that may run at this provider at once. */
  readonly maxConcurrency: number;
}
