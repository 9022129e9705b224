/**
 * Complete answers of Ollama's API in canonical form; null for what is no answer.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import {
  answerId,
  createdSeconds,
  decodeCalls,
  decodeLogprobs,
  decodeUsage,
  encodeUsage,
  finishReasonOf,
  ownReason,
} from './decode-facts.ts';
import type { DecodedAnswer } from './types.ts';

/** `text` is the JSON that `body` was parsed from. */
export function decodeChat(body: JsonObject, text: string): DecodedAnswer | null {
  const { message } = body;
  if (!isJsonObject(message) || body.done !== true) return null;
  const calls = decodeCalls(body, text, 0);
  const reason = finishReasonOf(body, calls.length > 0);
  const content = typeof message.content === 'string' ? message.content : '';
  const usage = decodeUsage(body);
  const choice = {
    index: 0,
    message: {
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      ...thoughtOf(message.thinking),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    finish_reason: reason,
    ...decodeLogprobs(body),
    ...ownReason(body),
  };
  const facts = { id: answerId('chatcmpl-', body, text), created: createdSeconds(body) };
  return {
    body: { ...facts, object: 'chat.completion', ...common(body, choice, usage) },
    usage,
    finishReasons: [reason],
  };
}

export function decodeCompletion(body: JsonObject, text: string): DecodedAnswer | null {
  if (typeof body.response !== 'string' || body.done !== true) return null;
  const reason = finishReasonOf(body, false);
  const usage = decodeUsage(body);
  const choice = { index: 0, text: body.response, logprobs: null, finish_reason: reason };
  const facts = { id: answerId('cmpl-', body, text), created: createdSeconds(body) };
  return {
    body: { ...facts, object: 'text_completion', ...common(body, choice, usage) },
    usage,
    finishReasons: [reason],
  };
}

/** `asBase64`: vectors as the client asked for them, 32-bit floats in base 64. */
export function decodeEmbedding(body: JsonObject, asBase64: boolean): DecodedAnswer | null {
  const { embeddings } = body;
  if (!isJsonArray(embeddings) || !embeddings.every(isVector)) return null;
  const usage = decodeUsage(body);
  const data = embeddings.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: asBase64 ? toBase64(vector as readonly number[]) : vector,
  }));
  const counted = usage === null ? {} : { usage: embeddingUsage(usage.inputTokens) };
  const model = String(body.model ?? '');
  return { body: { object: 'list', data, model, ...counted }, usage, finishReasons: [] };
}

/** `thinking` as the canonical form has it. */
export function thoughtOf(thinking: JsonValue | undefined): { reasoning_content?: string } {
  return typeof thinking === 'string' && thinking !== '' ? { reasoning_content: thinking } : {};
}

function common(body: JsonObject, choice: JsonObject, usage: DecodedAnswer['usage']): JsonObject {
  return {
    model: String(body.model ?? ''),
    choices: [choice],
    ...(usage === null ? {} : { usage: encodeUsage(usage) }),
  };
}

function embeddingUsage(inputTokens: number): JsonObject {
  return { prompt_tokens: inputTokens, total_tokens: inputTokens };
}

function isVector(value: JsonValue): boolean {
  return isJsonArray(value) && value.every((item) => typeof item === 'number');
}

function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries()) {
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes.toString('base64');
}
