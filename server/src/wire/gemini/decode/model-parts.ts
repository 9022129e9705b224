/**
 * What a model said, part by part, as the members of one canonical message: text, thoughts with
 * their signatures, function calls, pictures. Requests (history) and answers share it.
 */
import type { JsonObject, JsonValue } from '../../../kernel/json.ts';
import { objectField, textField } from '../fields.ts';
import { dataUrl } from '../media.ts';
import { signatureOf } from '../signatures.ts';
import type { ArgumentsOf } from './arguments.ts';
import { hasMore } from './parts.ts';

export interface ModelSaid {
  /** `content`, `reasoning_content`, `tool_calls`, `images`, `esclusa`, where there are any. */
  readonly message: JsonObject;
  /** Indexes of parts that the canonical form cannot say, or not whole. */
  readonly unknown: readonly number[];
  readonly calls: number;
}

interface Said {
  readonly texts: string[];
  readonly thoughts: JsonObject[];
  readonly calls: JsonObject[];
  readonly images: JsonObject[];
  readonly unknown: number[];
  /** Of the last text that had one. */
  signature: string | null;
}

export function decodeModelParts(
  parts: readonly JsonObject[],
  argumentsOf: ArgumentsOf,
  idOf: (name: string, given: string | null) => string,
): ModelSaid {
  const said: Said = {
    texts: [],
    thoughts: [],
    calls: [],
    images: [],
    unknown: [],
    signature: null,
  };
  for (const [index, part] of parts.entries()) {
    const known = take(said, index, part, argumentsOf, idOf);
    if (!known || hasMore(part)) said.unknown.push(index);
  }
  return { message: messageOf(said), unknown: said.unknown, calls: said.calls.length };
}

function take(
  said: Said,
  index: number,
  part: JsonObject,
  argumentsOf: ArgumentsOf,
  idOf: (name: string, given: string | null) => string,
): boolean {
  const signature = signatureOf(part);
  const signed = signature === null ? {} : { signature };
  const call = objectField(part, 'functionCall');
  if (call !== null) {
    const name = typeof call.name === 'string' ? call.name : '';
    const given = typeof call.id === 'string' && call.id !== '' ? call.id : null;
    said.calls.push({
      id: idOf(name, given),
      type: 'function',
      function: { name, arguments: argumentsOf(index, part) },
      ...(signature === null ? {} : { esclusa: signed }),
    });
    return true;
  }
  if (typeof part.text === 'string') {
    if (part.thought === true) {
      said.thoughts.push({ type: 'thinking', thinking: part.text, ...signed });
    } else {
      said.texts.push(part.text);
      said.signature = signature ?? said.signature;
    }
    return true;
  }
  const inline = objectField(part, 'inlineData');
  const mimeType = inline === null ? null : textField(inline, 'mimeType');
  if (inline === null || mimeType === null || typeof inline.data !== 'string') {
    return Object.keys(part).length === 0;
  }
  const url = dataUrl({ mimeType, data: inline.data });
  said.images.push({ type: 'image_url', image_url: { url } });
  return mimeType.startsWith('image/');
}

function messageOf({ texts, thoughts, calls, images, signature }: Said): JsonObject {
  const message: Record<string, JsonValue> = {};
  const content = texts.join('');
  if (content !== '') message.content = content;
  if (thoughts.length > 0) {
    message.reasoning_content = thoughts.map(({ thinking }) => thinking).join('');
  }
  if (calls.length > 0) message.tool_calls = calls;
  if (images.length > 0) message.images = images;
  if (thoughts.length > 0 || signature !== null) {
    message.esclusa = {
      ...(thoughts.length > 0 ? { thinking_blocks: thoughts } : {}),
      ...(signature === null ? {} : { signature }),
    };
  }
  return message;
}
