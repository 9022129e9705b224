/**
 * Signatures of calls. Newer models sign the first call of each step, and refuse a conversation
 * that goes on from it without; clients of other dialects have no place to keep a signature.
 * Google's own word says that there is none to be had, which costs quality and not the answer.
 */
import { isJsonObject, type JsonObject } from '../../kernel/json.ts';
import { textField } from './fields.ts';

const NONE_TO_BE_HAD = 'skip_thought_signature_validator';

/** null where a part has none, or one that stands for none. */
export function signatureOf(part: JsonObject): string | null {
  const signature = textField(part, 'thoughtSignature');
  return signature === NONE_TO_BE_HAD ? null : signature;
}

/** The calls of a step with the first one marked, where nobody kept a signature of any. */
export function markUnsigned(calls: readonly JsonObject[]): readonly JsonObject[] {
  const [first, ...others] = calls;
  if (first === undefined || calls.some(isSigned)) return calls;
  const bag = isJsonObject(first.esclusa) ? first.esclusa : {};
  return [{ ...first, esclusa: { ...bag, signature: NONE_TO_BE_HAD } }, ...others];
}

/** Steps before this message are over: what they were signed with is no longer looked at. */
export function currentTurnStart(messages: readonly JsonObject[]): number {
  return messages.findLastIndex(({ role }) => role === 'user');
}

function isSigned({ esclusa }: JsonObject): boolean {
  return isJsonObject(esclusa) && typeof esclusa.signature === 'string';
}
