/**
 * Token counts of a response, both ways. A figure that is missing, negative, fractional or
 * absurd makes a usage unknown, so that the exchange is estimated instead.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ProviderUsage } from '../decoded.ts';
import { decodeUsage } from '../openai/decode-usage.ts';
import { numberOf, objectOf } from '../values.ts';

/** Reads the `usage` of a response. */
export function readUsage(value: JsonValue | undefined): ProviderUsage | null {
  if (!isJsonObject(value)) return null;
  return decodeUsage({
    prompt_tokens: value.input_tokens,
    completion_tokens: value.output_tokens ?? null,
    total_tokens: value.total_tokens,
    prompt_tokens_details: value.input_tokens_details,
    completion_tokens_details: value.output_tokens_details,
  });
}

/** Canonical usage in the words of a response; undefined where it is missing or not believed. */
export function writeUsage(usage: JsonValue | undefined, body: JsonObject): JsonObject | undefined {
  const counts = decodeUsage(usage);
  if (counts === null) return undefined;
  const written = numberOf(objectOf(body.esclusa).cache_creation_tokens) ?? 0;
  return {
    input_tokens: counts.inputTokens,
    input_tokens_details: {
      cached_tokens: counts.cachedInputTokens,
      cache_write_tokens: written <= counts.inputTokens ? written : 0,
    },
    output_tokens: counts.outputTokens,
    output_tokens_details: { reasoning_tokens: counts.reasoningTokens },
    total_tokens: counts.inputTokens + counts.outputTokens,
  };
}
