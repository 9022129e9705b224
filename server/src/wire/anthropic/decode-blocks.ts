/**
 * Content blocks as parts of canonical messages: text, images and documents. Blocks that only
 * Anthropic has (search results, its own tools' results) are noted as needed.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { bagOf, compact, listOf, objectOf, textOf, withBag } from '../values.ts';
import type { DecodeReport } from './decode-report.ts';

/** A text stays a text; blocks become parts, a single plain text block a text. */
export function decodeContent(
  content: JsonValue | undefined,
  path: string,
  report: DecodeReport,
): string | JsonObject[] {
  if (typeof content === 'string') return content;
  const parts: JsonObject[] = [];
  for (const [index, block] of listOf(content).entries()) {
    const part = decodePart(objectOf(block), `${path}[${index}]`, report);
    if (part !== null) parts.push(part);
  }
  return simplest(parts);
}

/** A list of one plain text is that text, which every provider understands. */
export function simplest(parts: JsonObject[]): string | JsonObject[] {
  const [only] = parts;
  const isPlain = parts.length === 1 && only?.type === 'text' && only.esclusa === undefined;
  if (isPlain && typeof only?.text === 'string') return only.text;
  return parts.length === 0 ? '' : parts;
}

/** null where the block has no canonical form, which is noted. */
export function decodePart(
  block: JsonObject,
  path: string,
  report: DecodeReport,
): JsonObject | null {
  const bag = withBag({ cache_control: cacheControlOf(block, path, report) });
  const stored = storedFile(block);
  if (stored !== null) {
    report.need(path); // it lies at the vendor; what it costs must be known all the same
    return { type: 'file', file: { file_id: stored }, ...bag };
  }
  switch (block.type) {
    case 'text':
      if (listOf(block.citations).length > 0) report.drop(`${path}.citations`);
      return { type: 'text', text: textOf(block.text) ?? '', ...bag };
    case 'image': {
      const url = mediaUrl(objectOf(block.source));
      if (url === null) break;
      return { type: 'image_url', image_url: { url }, ...bag };
    }
    case 'document': {
      const file = fileOf(objectOf(block.source));
      if (file === null) break;
      if (isJsonObject(block.citations)) report.drop(`${path}.citations`);
      if (typeof block.context === 'string') report.drop(`${path}.context`);
      const filename = textOf(block.title) ?? undefined;
      return { type: 'file', file: compact({ ...file, filename }), ...bag };
    }
    default:
      break;
  }
  report.need(path);
  return null;
}

/** The marker in the shape of the bag; others than the known one are noted. */
export function cacheControlOf(
  holder: JsonObject,
  path: string,
  report: DecodeReport,
): JsonObject | undefined {
  const marker = holder.cache_control;
  if (!isJsonObject(marker)) return undefined;
  if (marker.type === 'ephemeral') {
    return compact({ type: 'ephemeral', ttl: textOf(marker.ttl) ?? undefined });
  }
  report.drop(`${path}.cache_control`);
  return undefined;
}

/** The id of a file that lies at the vendor. */
function storedFile({ type, source }: JsonObject): string | null {
  const { type: kind, file_id: id } = objectOf(source);
  const isMedia = type === 'image' || type === 'document';
  return isMedia && kind === 'file' ? textOf(id) : null;
}

/** An address, or a data URL. */
function mediaUrl(source: JsonObject): string | null {
  if (source.type === 'url') return textOf(source.url);
  const type = textOf(source.media_type);
  const data = textOf(source.data);
  if (source.type !== 'base64' || type === null || data === null) return null;
  return `data:${type};base64,${data}`;
}

function fileOf(source: JsonObject): JsonObject | null {
  const data = textOf(source.data);
  if (source.type === 'url' && typeof source.url === 'string') return { file_url: source.url };
  if (source.type === 'text' && data !== null) {
    return { file_data: `data:text/plain;base64,${Buffer.from(data).toString('base64')}` };
  }
  const url = mediaUrl(source);
  return url === null ? null : { file_data: url };
}

/** The bag of a canonical part or message, for encoding it back. */
export function markerOf(holder: JsonValue | undefined): JsonObject | undefined {
  const marker = bagOf(holder).cache_control;
  return isJsonObject(marker) ? marker : undefined;
}
