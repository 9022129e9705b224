/**
 * Canonical messages as Anthropic's. Instructions stand apart from the conversation; results of
 * tools are blocks of the user's message that follows the calls, together with what the user
 * says next. Ids, names and arguments stay byte for byte.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import { RawJson, type WritableJson } from '../../kernel/json-source.ts';
import { bagOf, compact, listOf, objectOf, textOf } from '../values.ts';
import { markerOf } from './decode-blocks.ts';
import { encodeBlocks, encodeContent, withLastMarker, withMarker } from './encode-parts.ts';
import type { EncodeReport } from './encode-report.ts';

type Block = { readonly [key: string]: WritableJson | undefined };

export interface EncodedMessages {
  /** undefined where there are no instructions. */
  readonly system: WritableJson | undefined;
  readonly messages: readonly WritableJson[];
}

interface Turn {
  readonly role: 'user' | 'assistant';
  content: string | readonly Block[];
  /** It holds results of tools, and what the user says next belongs to it. */
  readonly open: boolean;
}

export function encodeMessages(
  value: JsonValue | undefined,
  report: EncodeReport,
): EncodedMessages {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  for (const [index, item] of listOf(value).entries()) {
    const message = objectOf(item);
    const path = `messages[${index}]`;
    if (typeof message.name === 'string') report.drop(`${path}.name`);
    switch (message.role) {
      case 'system':
      case 'developer':
        if (turns.length > 0) report.drop(`${path}.role`); // it loses its place
        system.push(...instructions(message, path, report));
        break;
      case 'user':
        addUser(turns, message, path, report);
        break;
      case 'assistant':
        addAssistant(turns, message, path, report);
        break;
      case 'tool':
        addResult(turns, message, path, report);
        break;
      default:
        throw report.refuse(`${path}.role`, 'The provider knows no such role.');
    }
  }
  const messages = turns.map(({ role, content }) => ({ role, content }));
  return { system: simplest(system), messages };
}

function instructions(message: JsonObject, path: string, report: EncodeReport): JsonObject[] {
  const blocks = encodeBlocks(message.content, `${path}.content`, report);
  return [...withLastMarker(blocks, markerOf(message))];
}

/** A single plain text is given as text. */
function simplest(blocks: readonly JsonObject[]): WritableJson | undefined {
  const [only] = blocks;
  if (only === undefined) return undefined;
  const isPlain = blocks.length === 1 && only.cache_control === undefined;
  return isPlain && typeof only.text === 'string' ? only.text : blocks;
}

function addUser(turns: Turn[], message: JsonObject, path: string, report: EncodeReport): void {
  const last = turns.at(-1);
  const marker = markerOf(message);
  if (last?.open === true) {
    const blocks = encodeBlocks(message.content, `${path}.content`, report);
    last.content = [...(last.content as readonly Block[]), ...withLastMarker(blocks, marker)];
    return;
  }
  const content =
    marker === undefined
      ? encodeContent(message.content, `${path}.content`, report)
      : withLastMarker(encodeBlocks(message.content, `${path}.content`, report), marker);
  turns.push({ role: 'user', content, open: false });
}

function addResult(turns: Turn[], message: JsonObject, path: string, report: EncodeReport): void {
  const block = withMarker(
    compact({
      type: 'tool_result',
      tool_use_id: textOf(message.tool_call_id) ?? '',
      content: encodeContent(message.content ?? '', `${path}.content`, report),
      is_error: bagOf(message).is_error === true ? true : undefined,
    }),
    markerOf(message),
  );
  const last = turns.at(-1);
  if (last?.open === true) last.content = [...(last.content as readonly Block[]), block];
  else turns.push({ role: 'user', content: [block], open: true });
}

function addAssistant(
  turns: Turn[],
  message: JsonObject,
  path: string,
  report: EncodeReport,
): void {
  const thoughts = encodeThoughts(message, path, report);
  const calls = listOf(message.tool_calls).map((call, index) =>
    encodeCall(objectOf(call), `${path}.tool_calls[${index}]`, report),
  );
  if (message.function_call != null) {
    throw report.refuse(`${path}.function_call`, 'Use `tool_calls` instead.');
  }
  const { content } = message;
  if (bagOf(message).signature !== undefined) report.drop(`${path}.signature`);
  const refusal = textOf(message.refusal);
  const isText = typeof content === 'string' && thoughts.length + calls.length === 0;
  if (isText && refusal === null && markerOf(message) === undefined) {
    turns.push({ role: 'assistant', content, open: false });
    return;
  }
  const said = encodeBlocks(content, `${path}.content`, report);
  if (refusal !== null) said.push({ type: 'text', text: refusal });
  const blocks: Block[] = [...thoughts, ...withLastMarker(said, markerOf(message)), ...calls];
  if (blocks.length > 0) turns.push({ role: 'assistant', content: blocks, open: false });
}

/** Only thoughts that the provider signed itself may be shown to it again. */
function encodeThoughts(message: JsonObject, path: string, report: EncodeReport): JsonObject[] {
  const blocks: JsonObject[] = [];
  const pieces = listOf(bagOf(message).thinking_blocks);
  if (pieces.length === 0 && typeof message.reasoning_content === 'string') {
    report.drop(`${path}.reasoning_content`);
  }
  for (const item of pieces) {
    const { type, thinking, signature, data } = objectOf(item);
    if (type === 'redacted' && typeof data === 'string') {
      blocks.push({ type: 'redacted_thinking', data });
    } else if (typeof signature === 'string' && signature !== '') {
      blocks.push({ type: 'thinking', thinking: textOf(thinking) ?? '', signature });
    } else {
      report.drop(`${path}.reasoning_content`);
    }
  }
  return blocks;
}

function encodeCall(call: JsonObject, path: string, report: EncodeReport): Block {
  if (call.type !== undefined && call.type !== 'function') {
    throw report.refuse(`${path}.type`, 'The provider takes calls of functions alone.');
  }
  const { name, arguments: written } = objectOf(call.function);
  const text = textOf(written) ?? '';
  if (text.trim() !== '' && !isJsonObject(parseJson(text))) {
    throw report.refuse(`${path}.function.arguments`, 'The provider takes JSON objects alone.');
  }
  const marker = markerOf(call);
  if (typeof bagOf(call).signature === 'string') report.drop(`${path}.signature`);
  return {
    type: 'tool_use',
    id: textOf(call.id) ?? '',
    name: textOf(name) ?? '',
    input: new RawJson(text.trim() === '' ? '{}' : text),
    ...(marker === undefined ? {} : { cache_control: marker }),
  };
}
