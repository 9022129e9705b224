/**
 * Responses as they are kept and given again: the items of a request in the full form in which
 * they are listed, and the response out of the event that ended its stream.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import { compact, textOf } from '../values.ts';
import { itemsOf } from './decode-items.ts';

const PREFIXES: ReadonlyMap<JsonValue | undefined, string> = new Map([
  ['message', 'msg'],
  ['reasoning', 'rs'],
  ['function_call', 'fc'],
  ['function_call_output', 'fco'],
]);

/** The items of `input`, each with an id and its parts; `responseId` keeps the ids apart. */
export function keptItems(input: JsonValue | undefined, responseId: string): JsonObject[] {
  const suffix = responseId.replace(/^resp_/, '');
  return itemsOf(input).map((item, index) => {
    const type = textOf(item.type) ?? 'message';
    const made = `${PREFIXES.get(type) ?? 'item'}_${suffix}_in${index}`;
    const id = textOf(item.id) ?? made;
    if (type === 'message') return message({ ...item, type, id });
    return type === 'reasoning' ? { ...item, id } : { ...item, id, status: statusOf(item) };
  });
}

function message(item: JsonObject): JsonObject {
  const { content, role } = item;
  const text = textOf(content);
  const status = statusOf(item);
  if (text === null) return { ...item, status };
  const part =
    role === 'assistant'
      ? { type: 'output_text', text, annotations: [], logprobs: [] }
      : { type: 'input_text', text };
  return { ...item, status, content: [part] };
}

function statusOf({ status }: JsonObject): string {
  return textOf(status) ?? 'completed';
}

/** The response that a plain answer is, or that the event ending a stream carries. */
export function eventResponse(answer: Buffer): Buffer {
  const event = /^event: [\w.]+\ndata: /.exec(answer.toString('latin1', 0, 64));
  if (event === null) return answer;
  const parsed = JSON.parse(answer.toString('utf8', event[0].length)) as { response: JsonObject };
  return Buffer.from(JSON.stringify(parsed.response));
}

/** Complete events of a stream in which each response that an event carries is adopted. */
export function adoptEvents(events: Buffer, source: JsonObject, id: string): Buffer {
  const text = events.toString('utf8');
  if (!text.includes('"response"')) return events;
  const own = text.replace(/^data: (\{.*\})(?=\r?$)/gm, (line, data: string) => {
    const event = parseJson(data);
    if (!isJsonObject(event) || !isJsonObject(event.response)) return line;
    const response = adoptResponse(event.response, source, id);
    return `data: ${JSON.stringify({ ...event, response })}`;
  });
  return Buffer.from(own);
}

/** A response that was made for an equal request, with the id and the labels of this one. */
export function adoptResponse(response: JsonObject, source: JsonObject, id: string): JsonObject {
  return compact({
    ...response,
    id,
    prompt_cache_key: textOf(source.prompt_cache_key),
    safety_identifier: textOf(source.safety_identifier),
    user: textOf(source.user) ?? undefined,
    metadata: source.metadata ?? {},
  });
}
