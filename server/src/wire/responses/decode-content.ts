/**
 * Parts of this dialect's messages and tool results as canonical ones.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { DecodeReport } from '../anthropic/decode-report.ts';
import { compact, listOf, objectOf, textOf } from '../values.ts';

/** One text where that says it all; else the parts. */
export function decodeContent(
  content: JsonValue | undefined,
  path: string,
  report: DecodeReport,
): JsonValue {
  if (typeof content === 'string') return content;
  const parts = decodeParts(content, path, report);
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? (textOf(only.text) ?? '') : parts;
}

export function decodeParts(
  content: JsonValue | undefined,
  path: string,
  report: DecodeReport,
): JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return listOf(content).flatMap((item, index) => {
    const part = decodePart(objectOf(item), `${path}[${index}]`, report);
    return part === null ? [] : [part];
  });
}

function decodePart(part: JsonObject, path: string, report: DecodeReport): JsonObject | null {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: textOf(part.text) ?? '' };
    case 'refusal':
      return { type: 'refusal', refusal: textOf(part.refusal) ?? '' };
    case 'input_image':
      return decodeImage(part, path, report);
    case 'input_file':
      return decodeFile(part);
    case 'input_audio':
      return { type: 'input_audio', input_audio: objectOf(part.input_audio) };
    default:
      report.need(path);
      return null;
  }
}

function decodeImage(part: JsonObject, path: string, report: DecodeReport): JsonObject | null {
  const url = textOf(part.image_url);
  if (url === null) {
    report.need(`${path}.file_id`); // a file that lies with the vendor
    return null;
  }
  const detail = textOf(part.detail) ?? undefined;
  return { type: 'image_url', image_url: compact({ url, detail }) };
}

function decodeFile(part: JsonObject): JsonObject {
  return {
    type: 'file',
    file: compact({
      file_data: textOf(part.file_data) ?? undefined,
      file_id: textOf(part.file_id) ?? undefined,
      file_url: textOf(part.file_url) ?? undefined,
      filename: textOf(part.filename) ?? undefined,
    }),
  };
}
