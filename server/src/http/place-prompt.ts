/**
 * Puts an operator's prompt before a client's request: into the bytes, where its dialect has a
 * place for it, so that they still pass through; and into the canonical body for all others.
 *
 * Responses tell their client the instructions that they were asked with. So of that dialect,
 * and where tokens are counted of what has no place for a prompt, the bytes stay as they are
 * and the canonical body alone goes on: what the operator wrote is not told to clients.
 */
import type { InferenceRequest, PlacePrompt } from '../gateway/index.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonEdit,
  type JsonObject,
  parseJson,
  scanObject,
  spliceBytes,
} from '../kernel/json.ts';
import { placePrompt as inAnthropic } from '../wire/anthropic/place-prompt.ts';
import { placePrompt as inGemini } from '../wire/gemini/place-prompt.ts';
import { placePrompt as inOpenai } from '../wire/openai/place-prompt.ts';

export const placePrompt: PlacePrompt = (request, text) => {
  const { foreign } = request;
  const edit = editOf(request, text);
  const body = withSystem(request.body, text);
  if (edit === null) {
    const contextBytes = (request.contextBytes ?? 0) + Buffer.byteLength(text);
    const extended = foreign && { foreign: { ...foreign, isExtended: true } };
    return { ...request, body, contextBytes, ...extended };
  }
  const bytes = spliceBytes(request.bytes, [edit]);
  const scan = scanObject(bytes, Number.POSITIVE_INFINITY); // its depth was judged as it came
  const members = scan.kind === 'members' ? scan.members : [];
  const parsed = foreign && parseJson(bytes.toString('utf8'));
  const own = foreign && isJsonObject(parsed) && { foreign: { ...foreign, body: parsed } };
  return { ...request, body, bytes, members, sentBytes: request.bytes, ...own };
};

/** null where the bytes have no place for it. */
function editOf(request: InferenceRequest, text: string): JsonEdit | null {
  const { dialect, operation, members, body, foreign } = request;
  switch (dialect) {
    case 'openai':
      return inOpenai(body, members, text);
    case 'anthropic':
      return inAnthropic(foreign?.body ?? {}, members, text);
    case 'gemini':
      return operation === 'chat' ? inGemini(foreign?.body ?? {}, members, text) : null;
    default:
      return null;
  }
}

function withSystem(body: JsonObject, content: string): JsonObject {
  const messages = isJsonArray(body.messages) ? body.messages : [];
  return { ...body, messages: [{ role: 'system', content }, ...messages] };
}
