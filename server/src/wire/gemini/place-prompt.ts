/**
 * Where a prompt stands in a request of this dialect: as the first part of the instruction,
 * which is a content with parts, or a text.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonEdit,
  type JsonMember,
  type JsonObject,
  type JsonValue,
} from '../../kernel/json.ts';
import { nameOf } from './fields.ts';

const MEMBER = 'systemInstruction';

export function placePrompt(
  body: JsonObject,
  members: readonly JsonMember[],
  text: string,
): JsonEdit | null {
  const name = nameOf(body, MEMBER);
  const member = members.find(({ key }) => key === name);
  if (name !== null && member !== undefined) {
    const value = JSON.stringify(together(text, body[name]));
    return { start: member.valueStart, end: member.valueEnd, text: value };
  }
  const last = members.at(-1);
  if (last === undefined) return null;
  const value = JSON.stringify({ parts: [{ text }] });
  return { start: last.valueEnd, end: last.valueEnd, text: `,"${MEMBER}":${value}` };
}

function together(text: string, own: JsonValue | undefined): JsonObject {
  if (typeof own === 'string') return { parts: [{ text }, { text: own }] };
  if (!isJsonObject(own)) return { parts: [{ text }] };
  const { parts } = own;
  const others = isJsonArray(parts) ? parts : parts == null ? [] : [parts];
  return { ...own, parts: [{ text }, ...others] };
}
