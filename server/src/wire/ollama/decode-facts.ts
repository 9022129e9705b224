/**
 * What answers and lines of a stream have in common: when and by whom they were made, why they
 * ended, what they cost. Ollama gives neither answers nor (from older servers) calls an
 * identifier; they are derived from what was said and when, so that the same bytes always have
 * the same ones and no two answers share any.
 */
import { createHash } from 'node:crypto';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { jsonSource } from '../../kernel/json-source.ts';
import type { FinishReason, ProviderUsage } from '../decoded.ts';

const ID_CHARACTERS = 24;
/** More tokens than any model takes or gives in one call. */
const MAX_TOKENS = 100_000_000;

/** Identifies an answer by its first line. */
export function answerId(prefix: string, first: JsonObject, text: string): string {
  return `${prefix}${digest(`${String(first.created_at)}\n${text}`)}`;
}

/** Seconds since the epoch; 0 where the server does not say. */
export function createdSeconds({ created_at: at }: JsonObject): number {
  const ms = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/**
 * The calls of a message, their arguments as they were written. `text` is the JSON that `body`
 * was parsed from; calls count from `firstIndex` on within one answer.
 */
export function decodeCalls(body: JsonObject, text: string, firstIndex: number): JsonObject[] {
  const message = isJsonObject(body.message) ? body.message : {};
  const calls = isJsonArray(message.tool_calls) ? message.tool_calls : [];
  return calls.map((call, index) => {
    const described = isJsonObject(call) && isJsonObject(call.function) ? call.function : {};
    const path = ['message', 'tool_calls', index, 'function', 'arguments'];
    const source = jsonSource(text, path) ?? '{}';
    const name = String(described.name ?? '');
    const said = `${String(body.created_at)}\n${firstIndex + index}\n${name}\n${source}`;
    const id = isJsonObject(call) && typeof call.id === 'string' && call.id !== '' ? call.id : null;
    return {
      id: id ?? `call_${digest(said)}`,
      type: 'function',
      function: { name, arguments: argumentsText(described.arguments, source) },
    };
  });
}

/** A server that writes arguments as a text is taken at its word. */
function argumentsText(value: JsonValue | undefined, source: string): string {
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? source : '{}';
}

/** Why an answer ended; a reason of a later version ends it as well. */
export function finishReasonOf(
  { done_reason: reason }: JsonObject,
  hasCalls: boolean,
): FinishReason {
  if (reason === 'length') return 'length';
  return hasCalls ? 'tool_calls' : 'stop';
}

/** The vendor's own word, where ours is coarser. */
export function ownReason({ done_reason: reason }: JsonObject): { esclusa?: JsonObject } {
  const isCommon = reason === 'stop' || reason === 'length';
  if (typeof reason !== 'string' || reason === '' || isCommon) return {};
  return { esclusa: { stop_reason: reason } };
}

/** null where the prompt was not counted, as older servers do with a prompt they had cached. */
export function decodeUsage(body: JsonObject): ProviderUsage | null {
  const inputTokens = tokens(body.prompt_eval_count);
  const outputTokens = body.eval_count === undefined ? 0 : tokens(body.eval_count);
  if (inputTokens === null || outputTokens === null) return null;
  return {
    inputTokens,
    cachedInputTokens: 0,
    outputTokens,
    reasoningTokens: 0,
    source: 'provider',
  };
}

export function encodeUsage(usage: ProviderUsage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

/** `logprobs` of a choice, of those that came with these tokens; none where there are none. */
export function decodeLogprobs({ logprobs }: JsonObject): { logprobs?: JsonObject } {
  return isJsonArray(logprobs) ? { logprobs: { content: logprobs, refusal: null } } : {};
}

function tokens(value: JsonValue | undefined): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  return value >= 0 && value <= MAX_TOKENS ? value : null;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, ID_CHARACTERS);
}
