/**
 * Tokens of one exchange, and where the figures come from.
 *
 * `cachedInputTokens` is part of `inputTokens`, `reasoningTokens` is part of `outputTokens`,
 * as OpenAI counts them; translators of other vendors convert to this sense.
 */

export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Part of the input that was written to the provider's prompt cache; absent: none. */
  readonly cacheWriteTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** `provider`: the upstream said so. `estimated`: counted here, because it did not. */
  readonly source: 'provider' | 'estimated';
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
};
