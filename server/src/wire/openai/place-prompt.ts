/**
 * Where a prompt stands in a chat of this dialect: as the first message, of the role `system`.
 */
import { isJsonArray, type JsonEdit, type JsonMember, type JsonObject } from '../../kernel/json.ts';

/** null where the bytes hold no list of messages. */
export function placePrompt(
  { messages }: JsonObject,
  members: readonly JsonMember[],
  text: string,
): JsonEdit | null {
  const member = members.find(({ key }) => key === 'messages');
  if (member === undefined || !isJsonArray(messages)) return null;
  const message = JSON.stringify({ role: 'system', content: text });
  const inside = member.valueStart + 1;
  return { start: inside, end: inside, text: messages.length === 0 ? message : `${message},` };
}
