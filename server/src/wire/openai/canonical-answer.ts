/**
 * Answers of vendors that copy OpenAI's wire, for clients of other dialects: the canonical form
 * is OpenAI's, so that only names of the vendors' own for the same thing are unified.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/** Reasoning as text is `reasoning` with some vendors, `reasoning_content` with most. */
export function canonicalAnswer(body: JsonObject): JsonObject {
  const { choices } = body;
  return isJsonArray(choices) ? { ...body, choices: choices.map(canonicalChoice) } : body;
}

function canonicalChoice(choice: JsonValue): JsonValue {
  if (!isJsonObject(choice)) return choice;
  if (hasReasoning(choice.message)) return { ...choice, message: renamed(choice.message) };
  if (hasReasoning(choice.delta)) return { ...choice, delta: renamed(choice.delta) };
  return choice;
}

function hasReasoning(value: JsonValue | undefined): value is JsonObject {
  if (!isJsonObject(value) || value.reasoning_content != null) return false;
  return typeof value.reasoning === 'string';
}

function renamed({ reasoning, ...rest }: JsonObject): JsonObject {
  return { ...rest, reasoning_content: reasoning };
}
