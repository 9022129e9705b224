/**
 * The content of a user's or a tool's message as parts: text, pictures, documents and sounds,
 * within the request where they are, at their address where they have one.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import type { WritableJson } from '../../../kernel/json-source.ts';
import { type LossNotes, objectsOf } from '../fields.ts';
import { audioType, mimeTypeOfUrl, parseDataUrl } from '../media.ts';
import type { Refuse } from './refuse.ts';

type Written = { readonly [name: string]: WritableJson | undefined };

export function encodeInputParts(
  message: JsonObject,
  path: string,
  notes: LossNotes,
  refuse: Refuse,
): readonly Written[] {
  const { content } = message;
  if (content == null || typeof content === 'string') return [{ text: content ?? '' }];
  return objectsOf(content).map((part, index) => {
    const at = `${path}.content[${index}]`;
    const encoded = encodePart(part, at, notes);
    if (encoded === null) throw refuse({ kind: 'unsupported', field: at });
    return encoded;
  });
}

function encodePart(part: JsonObject, path: string, notes: LossNotes): Written | null {
  switch (part.type) {
    case 'text':
      return typeof part.text === 'string' ? { text: part.text } : null;
    case 'refusal':
      return typeof part.refusal === 'string' ? { text: part.refusal } : null;
    case 'image_url':
      return encodeImage(part.image_url, path, notes);
    case 'file':
      return encodeFile(part.file);
    case 'input_audio':
      return encodeAudio(part.input_audio);
    default:
      return null;
  }
}

function encodeImage(image: JsonValue | undefined, path: string, notes: LossNotes): Written | null {
  if (!isJsonObject(image) || typeof image.url !== 'string') return null;
  if (image.detail != null && image.detail !== 'auto') notes.drop(`${path}.image_url.detail`);
  return inlineOrLink(image.url, 'image/jpeg', {});
}

function encodeFile(file: JsonValue | undefined): Written | null {
  if (!isJsonObject(file)) return null;
  const { file_data: data, file_url: url, filename } = file;
  const named = typeof filename === 'string' ? { displayName: filename } : {};
  if (typeof data === 'string') {
    const inline = parseDataUrl(data);
    return inline === null ? null : { inlineData: { ...inline, ...named } };
  }
  return typeof url === 'string' ? inlineOrLink(url, 'application/pdf', named) : null;
}

function encodeAudio(audio: JsonValue | undefined): Written | null {
  if (!isJsonObject(audio)) return null;
  const { data, format } = audio;
  if (typeof data !== 'string' || typeof format !== 'string') return null;
  return { inlineData: { mimeType: audioType(format), data } };
}

/** The type of what lies at an address is told by its ending, else by what it was sent as. */
function inlineOrLink(url: string, usualType: string, named: Written): Written | null {
  const inline = parseDataUrl(url);
  if (inline !== null) return { inlineData: { ...inline, ...named } };
  if (!/^https?:\/\//i.test(url)) return null;
  const mimeType = mimeTypeOfUrl(url) ?? usualType;
  return { fileData: { mimeType, fileUri: url, ...named } };
}
