/**
 * Canonical messages as those of `/api/chat`: one text each, images beside it, tool arguments as
 * objects, and results that name the tool as well as the call they answer.
 *
 * The arguments of a call go out as the text they came in; parsing them only proves that they
 * are an object.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '../../kernel/json.ts';
import { RawJson, type WritableJson } from '../../kernel/json-source.ts';
import type { Report } from './limits.ts';

const FAILED = 'Error: ';
const PART_SEPARATOR = '\n';
const BASE64_URL = /^data:[^,]*;base64,/;

const ROLES: ReadonlyMap<unknown, string> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
]);

export function encodeMessages(messages: readonly JsonValue[], report: Report): WritableJson[] {
  const toolNames = new Map<string, string>();
  return messages.map((message, index) => {
    const at = `messages[${index}]`;
    const role = isJsonObject(message) ? ROLES.get(message.role) : undefined;
    if (!isJsonObject(message) || role === undefined) {
      throw report.refuse('messages[].role', `${at}.role`);
    }
    if (message.name !== undefined) report.drop('messages[].name');
    const bag = isJsonObject(message.esclusa) ? message.esclusa : {};
    if (isBeyondText(bag.thinking_blocks)) report.drop('messages[].thinking_blocks');
    if (bag.signature !== undefined) report.drop('messages[].signature');
    if (bag.cache_control !== undefined) report.drop('cache_control');
    const { text, images } = contentOf(message, at, report);
    return {
      role,
      content: bag.is_error === true ? `${FAILED}${text}` : text,
      ...(images.length === 0 ? {} : { images }),
      ...(role === 'assistant' ? assistantMembers(message, at, toolNames, report) : {}),
      ...(role === 'tool' ? resultMembers(message, toolNames) : {}),
    };
  });
}

/** Signed or hidden pieces; of others the text is all there is. */
function isBeyondText(blocks: JsonValue | undefined): boolean {
  const pieces = isJsonArray(blocks) ? blocks : [];
  return pieces.some(
    (piece) => isJsonObject(piece) && (piece.type === 'redacted' || piece.signature !== undefined),
  );
}

interface Content {
  readonly text: string;
  readonly images: readonly string[];
}

function contentOf({ content, refusal }: JsonObject, at: string, report: Report): Content {
  if (typeof content === 'string') return { text: content, images: [] };
  if (!isJsonArray(content)) {
    return { text: typeof refusal === 'string' ? refusal : '', images: [] };
  }
  const texts: string[] = [];
  const images: string[] = [];
  for (const [index, part] of content.entries()) {
    if (!isJsonObject(part)) continue;
    if (isJsonObject(part.esclusa)) report.drop('cache_control');
    const path = `${at}.content[${index}]`;
    if (part.type === 'text') texts.push(String(part.text));
    else if (part.type === 'refusal') texts.push(String(part.refusal));
    else if (part.type === 'image_url') images.push(imageOf(part, path, report));
    else throw unknownPart(part, path, report);
  }
  return { text: texts.join(PART_SEPARATOR), images };
}

function imageOf(part: JsonObject, path: string, report: Report): string {
  const image = isJsonObject(part.image_url) ? part.image_url : {};
  const url = typeof image.url === 'string' ? image.url : '';
  const prefix = BASE64_URL.exec(url)?.[0];
  if (prefix === undefined) {
    throw report.refuse('messages[].content[].image_url.url', `${path}.image_url.url`);
  }
  if (image.detail != null && image.detail !== 'auto') {
    report.drop('messages[].content[].image_url.detail');
  }
  return url.slice(prefix.length);
}

function unknownPart(part: JsonObject, path: string, report: Report): Error {
  if (part.type === 'file') return report.refuse('messages[].content[].file', `${path}.file`);
  if (part.type === 'input_audio') {
    return report.refuse('messages[].content[].input_audio', `${path}.input_audio`);
  }
  return report.refuse('messages[].content[].type', `${path}.type`);
}

function assistantMembers(
  message: JsonObject,
  at: string,
  toolNames: Map<string, string>,
  report: Report,
): { readonly [key: string]: WritableJson } {
  const { reasoning_content: reasoning, tool_calls: calls } = message;
  const encoded = (isJsonArray(calls) ? calls : []).map((call, index) =>
    encodeCall(call, `${at}.tool_calls[${index}]`, toolNames, report),
  );
  return {
    ...(typeof reasoning === 'string' ? { thinking: reasoning } : {}),
    ...(encoded.length === 0 ? {} : { tool_calls: encoded }),
  };
}

function encodeCall(
  call: JsonValue,
  at: string,
  toolNames: Map<string, string>,
  report: Report,
): WritableJson {
  if (!isJsonObject(call) || !isJsonObject(call.function)) {
    throw report.refuse('messages[].tool_calls[].type', `${at}.type`);
  }
  if (isJsonObject(call.esclusa)) report.drop('messages[].tool_calls[].signature');
  const name = String(call.function.name);
  const id = String(call.id);
  toolNames.set(id, name);
  const text = typeof call.function.arguments === 'string' ? call.function.arguments.trim() : '';
  const isEmpty = text === '';
  if (!isEmpty && !isJsonObject(parseJson(text))) {
    throw report.refuse('messages[].tool_calls[].function.arguments', `${at}.function.arguments`);
  }
  return { id, function: { name, arguments: isEmpty ? {} : new RawJson(text) } };
}

function resultMembers(
  { tool_call_id: id }: JsonObject,
  toolNames: ReadonlyMap<string, string>,
): { readonly [key: string]: WritableJson } {
  const name = toolNames.get(String(id));
  return {
    ...(name === undefined ? {} : { tool_name: name }),
    ...(typeof id === 'string' ? { tool_call_id: id } : {}),
  };
}
