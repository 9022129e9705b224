/**
 * Token counts, both ways. Anthropic counts input that its prompt cache served or stored apart
 * from the rest; everywhere else in this program the input is all of it.
 *
 * A figure that is missing, negative, fractional or absurd makes a usage unknown, so that the
 * exchange is estimated instead; a detail that cannot be part of its whole counts as zero.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ProviderUsage } from '../decoded.ts';
import { objectOf } from '../values.ts';
import type { UsageBody } from './types.ts';

/** More tokens than any model takes or gives in one call. */
const MAX_TOKENS = 100_000_000;

export interface TokenCounts {
  readonly uncached: number;
  readonly cacheRead: number;
  readonly cacheCreation: number;
  readonly output: number;
  readonly thinking: number;
}

/** Reads a `usage` object; what it leaves out is taken from `earlier`, as streams report it. */
export function readUsage(
  value: JsonValue | undefined,
  earlier: TokenCounts | null = null,
): TokenCounts | null {
  if (!isJsonObject(value)) return earlier;
  const uncached = tokens(value.input_tokens) ?? earlier?.uncached ?? null;
  const output = tokens(value.output_tokens);
  if (uncached === null || output === null) return null;
  const thinking =
    tokens(objectOf(value.output_tokens_details).thinking_tokens) ?? earlier?.thinking ?? 0;
  return {
    uncached,
    cacheRead: tokens(value.cache_read_input_tokens) ?? earlier?.cacheRead ?? 0,
    cacheCreation: tokens(value.cache_creation_input_tokens) ?? earlier?.cacheCreation ?? 0,
    output,
    thinking: thinking <= output ? thinking : 0,
  };
}

export function toProviderUsage(counts: TokenCounts): ProviderUsage {
  return {
    inputTokens: inputOf(counts),
    cachedInputTokens: counts.cacheRead,
    ...(counts.cacheCreation > 0 && { cacheWriteTokens: counts.cacheCreation }),
    outputTokens: counts.output,
    reasoningTokens: counts.thinking,
    source: 'provider',
  };
}

export function toCanonicalUsage(counts: TokenCounts): UsageBody {
  return {
    prompt_tokens: inputOf(counts),
    completion_tokens: counts.output,
    total_tokens: inputOf(counts) + counts.output,
    prompt_tokens_details: { cached_tokens: counts.cacheRead },
    completion_tokens_details: { reasoning_tokens: counts.thinking },
  };
}

/** Reads canonical usage; null where it is missing or cannot be believed. */
export function fromCanonicalUsage(
  value: JsonValue | undefined,
  cacheCreation: JsonValue | undefined,
): TokenCounts | null {
  const usage = objectOf(value);
  const input = tokens(usage.prompt_tokens);
  const output = tokens(usage.completion_tokens);
  if (input === null || output === null) return null;
  const read = tokens(objectOf(usage.prompt_tokens_details).cached_tokens) ?? 0;
  const created = tokens(cacheCreation) ?? 0;
  const isPart = read + created <= input;
  return {
    uncached: isPart ? input - read - created : input,
    cacheRead: isPart ? read : 0,
    cacheCreation: isPart ? created : 0,
    output,
    thinking: tokens(objectOf(usage.completion_tokens_details).reasoning_tokens) ?? 0,
  };
}

/** The counts as an event that ends a stream tells them. */
export function writeUsage(counts: TokenCounts): JsonObject {
  return {
    input_tokens: counts.uncached,
    cache_creation_input_tokens: counts.cacheCreation,
    cache_read_input_tokens: counts.cacheRead,
    output_tokens: counts.output,
    output_tokens_details: counts.thinking === 0 ? null : { thinking_tokens: counts.thinking },
    server_tool_use: null,
  };
}

/** The counts as a message tells them, with every member that its readers expect. */
export function writeMessageUsage(counts: TokenCounts): JsonObject {
  return {
    ...writeUsage(counts),
    cache_creation: null,
    inference_geo: null,
    service_tier: null,
    speed: null,
  };
}

function inputOf(counts: TokenCounts): number {
  return counts.uncached + counts.cacheRead + counts.cacheCreation;
}

function tokens(value: JsonValue | undefined): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  return value >= 0 && value <= MAX_TOKENS ? value : null;
}
