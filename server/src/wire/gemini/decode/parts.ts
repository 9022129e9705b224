/**
 * One part of a user's content as a canonical one: text, media within the request, media at an
 * address. What the canonical form cannot say answers null.
 */
import type { JsonObject } from '../../../kernel/json.ts';
import { field, objectField, othersThan, textField } from '../fields.ts';
import { audioFormat, dataUrl } from '../media.ts';

/** Members of a part that only steer how it is looked at. */
const HINTS: ReadonlySet<string> = new Set(['mediaResolution', 'partMetadata', 'mediaProcessing']);
const CARRIED: ReadonlySet<string> = new Set([
  ...HINTS,
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'thought',
  'thoughtSignature',
]);

/** True where a part has members that the canonical form cannot say. */
export function hasMore(part: JsonObject): boolean {
  return othersThan(part, CARRIED).length > 0;
}

/**
 * What stands for media that only Google takes: a file, so that its tokens are reckoned with.
 * null where a part holds no media.
 */
export function mediaStandIn(part: JsonObject): JsonObject | null {
  const source = objectField(part, 'inlineData') ?? objectField(part, 'fileData');
  return source === null ? null : { type: 'file', file: named(source) };
}

/** True where a part has members that may be left out. */
export function hasHints(part: JsonObject): boolean {
  return Object.keys(part).some((name) => HINTS.has(name));
}

export function decodeInputPart(part: JsonObject): JsonObject | null {
  if (typeof part.text === 'string') return { type: 'text', text: part.text };
  const inline = objectField(part, 'inlineData');
  if (inline !== null) return decodeInline(inline);
  const file = objectField(part, 'fileData');
  return file === null ? null : decodeFile(file);
}

function decodeInline(inline: JsonObject): JsonObject | null {
  const mimeType = textField(inline, 'mimeType');
  const { data } = inline;
  if (mimeType === null || typeof data !== 'string') return null;
  const url = dataUrl({ mimeType, data: standardBase64(data) });
  if (mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  const format = audioFormat(mimeType);
  if (format !== null) {
    return { type: 'input_audio', input_audio: { data: standardBase64(data), format } };
  }
  if (mimeType.startsWith('video/')) return null;
  return { type: 'file', file: { file_data: url, ...named(inline) } };
}

function decodeFile(file: JsonObject): JsonObject | null {
  const uri = textField(file, 'fileUri');
  const mimeType = textField(file, 'mimeType') ?? '';
  if (uri === null || !/^https:\/\//i.test(uri)) return null;
  if (/^(?:video|audio)\//.test(mimeType) || isUpload(uri)) return null;
  if (mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url: uri } };
  return { type: 'file', file: { file_url: uri, ...named(file) } };
}

/** A file that was uploaded to Google's own store, which nobody else can read. */
function isUpload(uri: string): boolean {
  return /^https:\/\/generativelanguage\.googleapis\.com\//i.test(uri);
}

function named(source: JsonObject): JsonObject {
  const name = field(source, 'displayName');
  return typeof name === 'string' ? { filename: name } : {};
}

/** This wire takes the alphabet for addresses as well. */
function standardBase64(data: string): string {
  return /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data;
}
