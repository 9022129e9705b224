/**
 * The contents of a request as canonical messages.
 *
 * One content can become several messages: results of functions are messages of their own, and
 * stand before the rest of what the user said. Calls get the ids of `calls.ts`.
 */
import { isJsonArray, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { jsonItems, jsonSource } from '../../../kernel/json-source.ts';
import { type LossNotes, objectField, objectsOf } from '../fields.ts';
import { toResult } from '../tool-result.ts';
import { type ArgumentsOf, argumentsIn } from './arguments.ts';
import { CallIds } from './calls.ts';
import { decodeModelParts } from './model-parts.ts';
import { decodeInputPart, hasHints, hasMore, mediaStandIn } from './parts.ts';

type Message = Record<string, JsonValue | undefined>;

/** `source` is the text of the list of contents, wanted only where there are calls. */
export function decodeContents(
  contents: readonly JsonObject[],
  source: () => string | undefined,
  notes: LossNotes,
): readonly JsonObject[] {
  const ids = new CallIds();
  let items: readonly string[] | null = null;
  const textOf = (index: number): string => {
    items ??= jsonItems(source() ?? '[]');
    return items[index] ?? '{}';
  };
  return contents.flatMap((content, index) => {
    const path = `contents[${index}]`;
    const parts = objectsOf(content.parts);
    if (content.role === 'model') {
      const argumentsOf = argumentsIn(() => jsonSource(textOf(index), ['parts']));
      return modelMessages(parts, path, ids, argumentsOf, notes);
    }
    return userMessages(parts, path, ids, notes);
  });
}

/** The instruction to the model, as one message; null where it says nothing. */
export function decodeInstruction(value: JsonValue | undefined, notes: LossNotes) {
  if (typeof value === 'string') return { role: 'system', content: value };
  const parts = isJsonArray(value) ? value : partsOf(value);
  const texts: string[] = [];
  for (const part of objectsOf(parts)) {
    if (typeof part.text === 'string') texts.push(part.text);
    else notes.need('systemInstruction.parts');
  }
  return texts.length === 0 ? null : { role: 'system', content: contentOf(texts.map(textPart)) };
}

function partsOf(value: JsonValue | undefined): JsonValue | undefined {
  return typeof value === 'object' && value !== null && !isJsonArray(value)
    ? (value as JsonObject).parts
    : undefined;
}

function modelMessages(
  parts: readonly JsonObject[],
  path: string,
  ids: CallIds,
  argumentsOf: ArgumentsOf,
  notes: LossNotes,
): readonly JsonObject[] {
  const said = decodeModelParts(parts, argumentsOf, (name, given) => ids.ofCall(name, given));
  for (const at of said.unknown) notes.need(`${path}.parts[${at}]`);
  const message: Message = { role: 'assistant', ...said.message };
  if (message.content === undefined) message.content = null;
  return [message as JsonObject];
}

function userMessages(
  parts: readonly JsonObject[],
  path: string,
  ids: CallIds,
  notes: LossNotes,
): readonly JsonObject[] {
  const results: JsonObject[] = [];
  const said: JsonObject[] = [];
  for (const [at, part] of parts.entries()) {
    const response = objectField(part, 'functionResponse');
    if (response !== null) {
      results.push(resultMessage(response, `${path}.parts[${at}].functionResponse`, ids, notes));
      continue;
    }
    const decoded = decodeInputPart(part);
    if (decoded === null || hasMore(part)) notes.need(`${path}.parts[${at}]`);
    const stand = decoded ?? mediaStandIn(part);
    if (stand !== null) said.push(stand);
    if (hasHints(part)) notes.drop(`${path}.parts[${at}] (hints)`);
  }
  if (said.length === 0 && results.length > 0) return results;
  return [...results, { role: 'user', content: contentOf(said) }];
}

function resultMessage(
  response: JsonObject,
  path: string,
  ids: CallIds,
  notes: LossNotes,
): JsonObject {
  const name = typeof response.name === 'string' ? response.name : '';
  const given = typeof response.id === 'string' && response.id !== '' ? response.id : null;
  const object = (response.response ?? {}) as JsonObject;
  const { content, isError } = toResult(object);
  const media = objectsOf(response.parts).map((part) => {
    const decoded = decodeInputPart(part);
    if (decoded === null) notes.need(`${path}.parts`);
    return decoded;
  });
  const parts = media.filter((part) => part !== null);
  return {
    role: 'tool',
    tool_call_id: ids.ofResult(name, given),
    content: parts.length === 0 ? content : [textPart(content), ...parts],
    ...(isError ? { esclusa: { is_error: true } } : {}),
  };
}

/** One text is the usual content, and every vendor takes it. */
function contentOf(parts: readonly JsonObject[]): JsonValue {
  const [first] = parts;
  if (parts.length === 1 && first?.type === 'text') return first.text as string;
  return parts.length === 0 ? '' : parts;
}

function textPart(text: string): JsonObject {
  return { type: 'text', text };
}
