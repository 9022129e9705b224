/**
 * Tokens in Gemini's words. Its prompt count holds the cached ones; its thoughts stand beside
 * the answer and not within it; what its own tools brought in counts as input.
 *
 * What cannot be believed is not used: a main figure that is missing, negative, fractional or
 * absurd makes the whole usage unknown, and a part larger than its whole counts as zero.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ProviderUsage } from '../decoded.ts';

/** More tokens than any model takes or gives in one call. */
const MAX_TOKENS = 100_000_000;

export function decodeUsage(value: JsonValue | undefined): ProviderUsage | null {
  if (!isJsonObject(value)) return null;
  const prompt = tokens(value.promptTokenCount);
  const answer = value.candidatesTokenCount == null ? 0 : tokens(value.candidatesTokenCount);
  if (prompt === null || answer === null) return null;
  const inputTokens = prompt + (tokens(value.toolUsePromptTokenCount) ?? 0);
  const reasoningTokens = tokens(value.thoughtsTokenCount) ?? 0;
  const cached = tokens(value.cachedContentTokenCount) ?? 0;
  return {
    inputTokens,
    cachedInputTokens: cached <= inputTokens ? cached : 0,
    outputTokens: answer + reasoningTokens,
    reasoningTokens,
    source: 'provider',
  };
}

export interface UsageFigures {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export function encodeUsage(usage: UsageFigures): JsonObject {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens - reasoningTokens,
    totalTokenCount: inputTokens + outputTokens,
    ...(reasoningTokens > 0 ? { thoughtsTokenCount: reasoningTokens } : {}),
    ...(cachedInputTokens > 0 ? { cachedContentTokenCount: cachedInputTokens } : {}),
  };
}

/** As the canonical form has them. */
export function toCanonicalUsage(usage: UsageFigures): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** null where the canonical usage is missing or is none. */
export function fromCanonicalUsage(value: JsonValue | undefined): UsageFigures | null {
  if (!isJsonObject(value)) return null;
  const inputTokens = tokens(value.prompt_tokens);
  const outputTokens = tokens(value.completion_tokens ?? 0);
  if (inputTokens === null || outputTokens === null) return null;
  const cached = detail(value.prompt_tokens_details, 'cached_tokens');
  const reasoning = detail(value.completion_tokens_details, 'reasoning_tokens');
  return {
    inputTokens,
    cachedInputTokens: cached <= inputTokens ? cached : 0,
    outputTokens,
    reasoningTokens: reasoning <= outputTokens ? reasoning : 0,
  };
}

function detail(details: JsonValue | undefined, name: string): number {
  return isJsonObject(details) ? (tokens(details[name]) ?? 0) : 0;
}

function tokens(value: JsonValue | undefined): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  return value >= 0 && value <= MAX_TOKENS ? value : null;
}
