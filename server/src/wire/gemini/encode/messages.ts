/**
 * Canonical messages as contents, and the instruction that stands beside them.
 *
 * Instructions go to the one place this wire has for them, wherever they stood. Results of
 * several calls in a row are one content, as the API wants them. Ids that were made by
 * `made-ids.ts` are not sent: there the API had given none, and matches by name and order.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import type { WritableJson } from '../../../kernel/json-source.ts';
import { type LossNotes, objectsOf } from '../fields.ts';
import { isMadeId } from '../made-ids.ts';
import { currentTurnStart, markUnsigned } from '../signatures.ts';
import { toResponse } from '../tool-result.ts';
import { encodeCall, textParts, thoughtParts } from './answer.ts';
import { encodeInputParts } from './parts.ts';
import type { Refuse } from './refuse.ts';

type Written = { readonly [name: string]: WritableJson | undefined };

export interface Contents {
  readonly contents: readonly Written[];
  readonly systemInstruction: Written | null;
}

interface Building {
  readonly contents: Written[];
  readonly instructions: Written[];
  /** Results that are being gathered, with the place of their call. */
  results: { readonly order: number; readonly part: Written }[];
  /** Name and place of each call so far. */
  readonly calls: Map<string, { readonly name: string; readonly order: number }>;
  readonly notes: LossNotes;
  readonly refuse: Refuse;
}

export function encodeMessages(
  messages: JsonValue | undefined,
  notes: LossNotes,
  refuse: Refuse,
): Contents {
  const building: Building = {
    ...{ contents: [], instructions: [], results: [], calls: new Map(), notes, refuse },
  };
  const all = objectsOf(messages);
  const turnStart = currentTurnStart(all);
  for (const [index, message] of all.entries()) {
    const path = `messages[${index}]`;
    if (message.name !== undefined && message.role !== 'tool') notes.drop(`${path}.name`);
    if (isMarked(message)) notes.drop('cache_control');
    if (message.role !== 'tool') closeResults(building);
    addMessage(building, index > turnStart ? signed(message) : message, path);
  }
  closeResults(building);
  const { contents, instructions } = building;
  return {
    contents,
    systemInstruction: instructions.length === 0 ? null : { parts: instructions },
  };
}

/** A message of the model in the turn that goes on. */
function signed(message: JsonObject): JsonObject {
  if (message.role !== 'assistant' || message.tool_calls == null) return message;
  return { ...message, tool_calls: markUnsigned(objectsOf(message.tool_calls)) };
}

/** The provider keeps prompts as it likes, and takes no marks. */
function isMarked({ content, esclusa }: JsonObject): boolean {
  return [esclusa, ...objectsOf(content).map((part) => part.esclusa)].some(
    (bag) => isJsonObject(bag) && bag.cache_control !== undefined,
  );
}

function addMessage(building: Building, message: JsonObject, path: string): void {
  const { contents, instructions, notes, refuse } = building;
  switch (message.role) {
    case 'system':
    case 'developer':
      if (contents.length > 0) notes.drop(`${path}.role`); // it loses its place
      instructions.push(...textParts(message));
      return;
    case 'assistant':
      contents.push({ role: 'model', parts: modelParts(building, message, path) });
      return;
    case 'tool':
      building.results.push(resultOf(building, message, path));
      return;
    case 'user':
      contents.push({ role: 'user', parts: encodeInputParts(message, path, notes, refuse) });
      return;
    default:
      throw refuse({ kind: 'unsupported', field: `${path}.role` });
  }
}

function modelParts(building: Building, message: JsonObject, path: string): readonly Written[] {
  const { calls, notes, refuse } = building;
  if (message.function_call != null) {
    throw refuse({ kind: 'unsupported', field: `${path}.function_call` });
  }
  const bag = isJsonObject(message.esclusa) ? message.esclusa : {};
  const isRedacted = objectsOf(bag.thinking_blocks).some(({ type }) => type !== 'thinking');
  if (isRedacted) notes.drop(`${path}.thinking_blocks`);
  const parts = [...thoughtParts(message), ...textParts(message)];
  for (const [index, call] of objectsOf(message.tool_calls).entries()) {
    const { id, function: named } = call;
    const name = isJsonObject(named) && typeof named.name === 'string' ? named.name : '';
    const field = `${path}.tool_calls[${index}]`;
    const part = isJsonObject(named) ? encodeCall(isMadeId(id) ? { ...call, id: '' } : call) : null;
    if (part === null) {
      const at = isJsonObject(named) ? `${field}.function.arguments` : `${field}.type`;
      throw refuse({ kind: 'unsupported', field: at });
    }
    if (typeof id === 'string') calls.set(id, { name, order: calls.size });
    parts.push(part);
  }
  return parts.length === 0 ? [{ text: '' }] : parts;
}

function resultOf(building: Building, message: JsonObject, path: string) {
  const { calls, notes, refuse } = building;
  const { tool_call_id: id, esclusa } = message;
  const call = typeof id === 'string' ? calls.get(id) : undefined;
  if (call === undefined || typeof id !== 'string') {
    throw refuse({ kind: 'invalid', field: `${path}.tool_call_id` });
  }
  const isError = isJsonObject(esclusa) && esclusa.is_error === true;
  const { text, media } = contentOf(message, path, notes, refuse);
  const given = isMadeId(id) ? {} : { id };
  const functionResponse: Written = {
    ...given,
    name: call.name,
    response: toResponse({ content: text, isError }),
    ...(media.length === 0 ? {} : { parts: media }),
  };
  // Without ids only the order tells which call of a name a result belongs to.
  const order = isMadeId(id) ? call.order : Number.MAX_SAFE_INTEGER;
  return { order, part: { functionResponse } };
}

function contentOf(message: JsonObject, path: string, notes: LossNotes, refuse: Refuse) {
  if (typeof message.content === 'string') return { text: message.content, media: [] };
  const parts = encodeInputParts(message, path, notes, refuse);
  const texts = parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  const media = parts.filter(({ text }) => text === undefined);
  return { text: texts.join('\n'), media };
}

function closeResults(building: Building): void {
  const { results, contents } = building;
  if (results.length === 0) return;
  const sorted = [...results].sort((a, b) => a.order - b.order);
  contents.push({ role: 'user', parts: sorted.map(({ part }) => part) });
  building.results = [];
}
