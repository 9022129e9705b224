/**
 * A canonical answer as bytes of OpenAI's wire: the same shape without the extension bag,
 * which no client of this dialect knows.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

export const DONE_EVENT = Buffer.from('data: [DONE]\n\n');

/** Members below which an extension bag may stand in an answer or a chunk. */
const CARRIERS: ReadonlySet<string> = new Set(['choices', 'message', 'delta', 'tool_calls']);
const BAG = 'esclusa';

export function encodeBody(body: JsonObject): Buffer {
  return Buffer.from(JSON.stringify(withoutBags(body)));
}

/** One complete event. */
export function encodeChunk(chunk: object): string {
  return `data: ${JSON.stringify(withoutBags(chunk as JsonObject))}\n\n`;
}

function withoutBags(value: JsonObject): JsonObject {
  const kept: Record<string, JsonValue | undefined> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === BAG) continue;
    kept[name] = CARRIERS.has(name) ? inside(member) : member;
  }
  return kept;
}

function inside(value: JsonValue | undefined): JsonValue | undefined {
  if (isJsonArray(value)) return value.map((item) => inside(item) ?? null);
  return isJsonObject(value) ? withoutBags(value) : value;
}
