/**
 * Why a choice ended, in the words of the core. Vendors add reasons of their own (`eos`,
 * `insufficient_system_resource`): those end a choice too, under the name `other`.
 */
import { isJsonArray, isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { FinishReason } from '../decoded.ts';

/** null while the choice goes on: null, absent, or the empty text some vendors send. */
export function finishReason(value: JsonValue | undefined): FinishReason | null {
  switch (value) {
    case null:
    case undefined:
    case '':
      return null;
    case 'stop':
    case 'length':
    case 'tool_calls':
    case 'content_filter':
    case 'function_call':
      return value;
    default:
      return 'other';
  }
}

/** The reasons of a complete answer's choices, in their order. */
export function finishReasons(choices: JsonValue | undefined): FinishReason[] {
  const reasons: FinishReason[] = [];
  for (const choice of isJsonArray(choices) ? choices : []) {
    const reason = isJsonObject(choice) ? finishReason(choice.finish_reason) : null;
    if (reason !== null) reasons.push(reason);
  }
  return reasons;
}
