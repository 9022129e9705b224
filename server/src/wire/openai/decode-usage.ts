/**
 * The `usage` object of a body or chunk as token counts.
 *
 * What cannot be believed is not used: a main figure that is missing, negative, fractional or
 * absurd makes the whole usage unknown, so that the exchange is estimated instead; a detail
 * that cannot be part of its whole counts as zero, which never grants a discount by mistake.
 */
import { isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ProviderUsage } from '../decoded.ts';

/** More tokens than any model takes or gives in one call. */
const MAX_TOKENS = 100_000_000;

export function decodeUsage(value: JsonValue | undefined): ProviderUsage | null {
  if (!isJsonObject(value)) return null;
  const inputTokens = tokens(value.prompt_tokens);
  const outputTokens = value.completion_tokens == null ? 0 : tokens(value.completion_tokens);
  if (inputTokens === null || outputTokens === null) return null;
  const reasoning = detail(value.completion_tokens_details, 'reasoning_tokens') ?? 0;
  const apart =
    reasoning > 0 && tokens(value.total_tokens) === inputTokens + outputTokens + reasoning;
  const cached =
    detail(value.prompt_tokens_details, 'cached_tokens') ?? tokens(value.prompt_cache_hit_tokens);
  const output = apart ? outputTokens + reasoning : outputTokens;
  return {
    inputTokens,
    cachedInputTokens: partOf(inputTokens, cached ?? 0),
    outputTokens: output,
    reasoningTokens: partOf(output, reasoning),
    source: 'provider',
  };
}

function detail(details: JsonValue | undefined, name: string): number | null {
  return isJsonObject(details) ? tokens(details[name]) : null;
}

function partOf(whole: number, part: number): number {
  return part <= whole ? part : 0;
}

function tokens(value: JsonValue | undefined): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  return value >= 0 && value <= MAX_TOKENS ? value : null;
}
