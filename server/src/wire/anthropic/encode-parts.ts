/**
 * Parts of canonical messages as Anthropic's content blocks. Sound and unknown kinds are
 * refused: without them the question would be another one.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { compact, listOf, objectOf, textOf } from '../values.ts';
import { markerOf } from './decode-blocks.ts';
import type { EncodeReport } from './encode-report.ts';

/** A text stays a text; parts become blocks. */
export function encodeContent(
  content: JsonValue | undefined,
  path: string,
  report: EncodeReport,
): string | JsonObject[] {
  if (typeof content === 'string') return content;
  return encodeBlocks(content, path, report);
}

/** The blocks of a content in either form; an empty text gives none. */
export function encodeBlocks(
  content: JsonValue | undefined,
  path: string,
  report: EncodeReport,
): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content).map((item, index) => {
    const part = objectOf(item);
    const block = encodePart(part, `${path}[${index}]`, report);
    return withMarker(block, markerOf(part));
  });
}

export function withMarker(block: JsonObject, marker: JsonObject | undefined): JsonObject {
  return marker === undefined ? block : { ...block, cache_control: marker };
}

/** The blocks with the marker on the last one, where a whole message carries it. */
export function withLastMarker(
  blocks: readonly JsonObject[],
  marker: JsonObject | undefined,
): readonly JsonObject[] {
  const last = blocks.at(-1);
  if (marker === undefined || last === undefined) return blocks;
  return [...blocks.slice(0, -1), withMarker(last, marker)];
}

function encodePart(part: JsonObject, path: string, report: EncodeReport): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: textOf(part.text) ?? '' };
    case 'refusal':
      return { type: 'text', text: textOf(part.refusal) ?? '' };
    case 'image_url':
      return encodeImage(objectOf(part.image_url), path, report);
    case 'file':
      return encodeFile(objectOf(part.file), path, report);
    default:
      throw report.refuse(path, 'This content is of a kind that the provider does not take.');
  }
}

function encodeImage(image: JsonObject, path: string, report: EncodeReport): JsonObject {
  const url = textOf(image.url) ?? '';
  if (image.detail !== undefined && image.detail !== 'auto') {
    report.drop(`${path}.image_url.detail`);
  }
  const data = readDataUrl(url);
  if (data !== null) {
    return {
      type: 'image',
      source: { type: 'base64', media_type: data.mediaType, data: data.base64 },
    };
  }
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  throw report.refuse(`${path}.image_url.url`, 'An image is an https address or a data URL.');
}

function encodeFile(file: JsonObject, path: string, report: EncodeReport): JsonObject {
  const title = textOf(file.filename) ?? undefined;
  const document = (source: JsonObject): JsonObject => compact({ type: 'document', source, title });
  if (typeof file.file_url === 'string') return document({ type: 'url', url: file.file_url });
  if (typeof file.file_id === 'string') return document({ type: 'file', file_id: file.file_id });
  const data = readDataUrl(textOf(file.file_data) ?? '');
  if (data?.mediaType === 'application/pdf') {
    return document({ type: 'base64', media_type: data.mediaType, data: data.base64 });
  }
  if (data?.mediaType === 'text/plain') {
    const text = Buffer.from(data.base64, 'base64').toString('utf8');
    return document({ type: 'text', media_type: data.mediaType, data: text });
  }
  if (data?.mediaType.startsWith('image/') === true) {
    return {
      type: 'image',
      source: { type: 'base64', media_type: data.mediaType, data: data.base64 },
    };
  }
  throw report.refuse(`${path}.file`, 'A file is a PDF, a plain text or an image, as a data URL.');
}

interface DataUrl {
  readonly mediaType: string;
  readonly base64: string;
}

function readDataUrl(url: string): DataUrl | null {
  const found = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[a-z0-9=-]+)*;base64,/i.exec(url);
  if (found === null) return null;
  return { mediaType: (found[1] as string).toLowerCase(), base64: url.slice(found[0].length) };
}
