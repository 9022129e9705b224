/**
 * What the mock looks for in the messages of a chat: the last thing the user said, its images,
 * and results of tools that wait for an answer.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { countTokens } from './tokens.ts';

export interface Conversation {
  /** Text of the last user message; empty where there is none. */
  readonly text: string;
  readonly images: number;
  /** Results given since the user last spoke; empty unless they are the last messages. */
  readonly results: readonly { readonly name: string; readonly text: string }[];
  readonly promptTokens: number;
}

const IMAGE_TOKENS = 85;
const MESSAGE_TOKENS = 3;

export function readConversation(body: JsonObject): Conversation {
  const messages = (isJsonArray(body.messages) ? body.messages : []).filter(isJsonObject);
  const user = messages.findLast((message) => message.role === 'user');
  const tools = isJsonArray(body.tools) ? countTokens(JSON.stringify(body.tools)) : 0;
  return {
    text: contentText(user?.content),
    images: contentImages(user?.content),
    results: readResults(messages),
    promptTokens: messages.reduce((sum, message) => sum + messageTokens(message), tools),
  };
}

function readResults(messages: readonly JsonObject[]): { name: string; text: string }[] {
  if (messages.at(-1)?.role !== 'tool') return [];
  const turn = messages.slice(messages.findLastIndex((message) => message.role === 'user') + 1);
  const calls = turn.flatMap(({ tool_calls: made }) => (isJsonArray(made) ? made : []));
  return turn
    .filter((message) => message.role === 'tool')
    .map((message) => ({
      name: callName(calls, message.tool_call_id) ?? 'tool',
      text: contentText(message.content),
    }));
}

function callName(calls: readonly JsonValue[], id: JsonValue | undefined): string | null {
  for (const call of calls) {
    if (!isJsonObject(call) || call.id !== id || !isJsonObject(call.function)) continue;
    return typeof call.function.name === 'string' ? call.function.name : null;
  }
  return null;
}

function messageTokens(message: JsonObject): number {
  const calls = isJsonArray(message.tool_calls) ? JSON.stringify(message.tool_calls) : '';
  const images = contentImages(message.content) * IMAGE_TOKENS;
  return MESSAGE_TOKENS + countTokens(contentText(message.content)) + countTokens(calls) + images;
}

function contentText(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  if (!isJsonArray(content)) return '';
  const texts = content.map((part) => (isJsonObject(part) ? part.text : null));
  return texts.filter((text) => typeof text === 'string').join('\n');
}

function contentImages(content: JsonValue | undefined): number {
  if (!isJsonArray(content)) return 0;
  return content.filter((part) => isJsonObject(part) && part.type === 'image_url').length;
}
