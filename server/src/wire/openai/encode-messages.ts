/**
 * Canonical messages as OpenAI's wire takes them: without their extension bags, and with what
 * the wire cannot say where it stands said in another way.
 *
 * - A failed tool says so in its text; this wire has no mark for it.
 * - Images and documents in a tool's result follow in a message of the user, because results
 *   are text here. They come behind the last result, which must follow the calls at once.
 * - A document always has a name.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Report } from './limits.ts';

const BAG = 'esclusa';
const FAILED = 'Error: ';
const DOCUMENT_NAME = 'document.pdf';

type Members = Record<string, JsonValue | undefined>;

export function encodeMessages(
  messages: readonly JsonValue[],
  reasoningInput: boolean,
  report: Report,
): readonly JsonValue[] {
  const encoded: JsonValue[] = [];
  let attached: JsonValue[] = [];
  const attach = (): void => {
    if (attached.length > 0) encoded.push({ role: 'user', content: attached });
    attached = [];
  };
  for (const message of messages) {
    if (!isJsonObject(message)) {
      encoded.push(message);
      continue;
    }
    if (message.role !== 'tool') attach();
    const plain = encodeMessage(message, reasoningInput, report);
    encoded.push(message.role === 'tool' ? withoutFiles(plain, attached) : plain);
  }
  attach();
  return encoded;
}

function encodeMessage(message: JsonObject, reasoningInput: boolean, report: Report): JsonObject {
  const { [BAG]: bag, ...rest } = message;
  const plain: Members = rest;
  if (plain.reasoning_content !== undefined && !reasoningInput) {
    delete plain.reasoning_content;
    report.drop('messages[].reasoning_content');
  }
  if (isJsonObject(bag)) {
    if (isBeyondText(bag.thinking_blocks)) report.drop('messages[].thinking_blocks');
    if (bag.signature !== undefined) report.drop('messages[].signature');
    if (bag.cache_control !== undefined) report.drop('cache_control');
    if (bag.is_error === true) plain.content = failed(plain.content);
  }
  if (isJsonArray(plain.content)) {
    plain.content = plain.content.map((part) => encodePart(part, report));
  }
  if (isJsonArray(plain.tool_calls)) {
    plain.tool_calls = plain.tool_calls.map((call) => encodeCall(call, report));
  }
  return plain;
}

/** Signed or hidden pieces; of others the text is all there is. */
function isBeyondText(blocks: JsonValue | undefined): boolean {
  const pieces = isJsonArray(blocks) ? blocks : [];
  return pieces.some(
    (piece) => isJsonObject(piece) && (piece.type === 'redacted' || piece.signature !== undefined),
  );
}

function encodePart(part: JsonValue, report: Report): JsonValue {
  if (!isJsonObject(part)) return part;
  const { [BAG]: bag, ...rest } = part;
  if (isJsonObject(bag) && bag.cache_control !== undefined) report.drop('cache_control');
  if (!isJsonObject(rest.file)) return rest;
  if (rest.file.file_url !== undefined) throw report.refuse('messages[].content[].file.file_url');
  const isNamed = rest.file.filename !== undefined || rest.file.file_data === undefined;
  return isNamed ? rest : { ...rest, file: { filename: DOCUMENT_NAME, ...rest.file } };
}

function encodeCall(call: JsonValue, report: Report): JsonValue {
  if (!isJsonObject(call)) return call;
  const { [BAG]: bag, ...rest } = call;
  if (isJsonObject(bag) && bag.signature !== undefined) {
    report.drop('messages[].tool_calls[].signature');
  }
  return rest;
}

function failed(content: JsonValue | undefined): JsonValue {
  if (typeof content === 'string') return `${FAILED}${content}`;
  const parts = isJsonArray(content) ? content : [];
  return [{ type: 'text', text: FAILED }, ...parts];
}

/** The result's texts stay; the rest is put into `attached`, with the call it belongs to. */
function withoutFiles(message: JsonObject, attached: JsonValue[]): JsonObject {
  const { content } = message;
  if (!isJsonArray(content)) return message;
  const isText = (part: JsonValue): boolean => isJsonObject(part) && part.type === 'text';
  const files = content.filter((part) => !isText(part));
  if (files.length === 0) return message;
  const whose = `Result of the tool call ${String(message.tool_call_id)}:`;
  attached.push({ type: 'text', text: whose }, ...files);
  const texts = content.filter(isText);
  return { ...message, content: texts.length > 0 ? texts : 'The result follows.' };
}
