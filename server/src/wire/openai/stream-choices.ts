/**
 * Keeps count of the choices of one stream: how much text their deltas carry and which of them
 * have ended. A stream without its end marker is complete only if every choice that it began
 * has given its finish reason.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { FinishReason } from '../decoded.ts';
import { finishReason } from './finish-reason.ts';

/** Prompts times answers of the largest request that a vendor takes. */
const MAX_CHOICES = 262_144;

export class StreamChoices {
  readonly #ended = new Map<number, boolean>();
  #open = 0;

  get seen(): boolean {
    return this.#ended.size > 0;
  }

  get allEnded(): boolean {
    return this.#ended.size > 0 && this.#open === 0;
  }

  /** Takes one choice of a chunk; null where it is none, or where there are too many. */
  take(choice: JsonValue): { characters: number; reason: FinishReason | null } | null {
    if (!isJsonObject(choice)) return null;
    const index = typeof choice.index === 'number' ? choice.index : 0;
    const reason = finishReason(choice.finish_reason);
    const ended = this.#ended.get(index);
    if (ended === undefined) {
      if (this.#ended.size >= MAX_CHOICES) return null;
      if (reason === null) this.#open += 1;
      this.#ended.set(index, reason !== null);
    } else if (!ended && reason !== null) {
      this.#open -= 1;
      this.#ended.set(index, true);
    }
    return { characters: countCharacters(choice), reason };
  }
}

function countCharacters(choice: JsonObject): number {
  const { delta } = choice;
  if (!isJsonObject(delta)) return length(choice.text);
  let characters =
    length(delta.content) +
    length(delta.reasoning_content) +
    length(delta.reasoning) +
    length(delta.refusal) +
    argumentsLength(delta.function_call);
  if (isJsonArray(delta.tool_calls)) {
    for (const call of delta.tool_calls) {
      if (isJsonObject(call)) characters += argumentsLength(call.function);
    }
  }
  return characters;
}

function argumentsLength(call: JsonValue | undefined): number {
  return isJsonObject(call) ? length(call.arguments) : 0;
}

function length(value: JsonValue | undefined): number {
  return typeof value === 'string' ? value.length : 0;
}
