/**
 * Where a prompt stands in a request of this dialect: at the beginning of `system`, which is a
 * text or a list of blocks.
 */
import {
  isJsonArray,
  type JsonEdit,
  type JsonMember,
  type JsonObject,
  type JsonValue,
} from '../../kernel/json.ts';

export function placePrompt(
  { system }: JsonObject,
  members: readonly JsonMember[],
  text: string,
): JsonEdit | null {
  const member = members.find(({ key }) => key === 'system');
  const value = JSON.stringify(together(text, system));
  if (member !== undefined) return { start: member.valueStart, end: member.valueEnd, text: value };
  const last = members.at(-1);
  if (last === undefined) return null;
  return { start: last.valueEnd, end: last.valueEnd, text: `,"system":${value}` };
}

function together(text: string, own: JsonValue | undefined): JsonValue {
  if (isJsonArray(own)) return [{ type: 'text', text }, ...own];
  return typeof own === 'string' && own !== '' ? `${text}\n\n${own}` : text;
}
