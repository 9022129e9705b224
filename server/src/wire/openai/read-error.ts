/**
 * The error a vendor put into a body or an event, whatever of the usual shapes it took:
 * `{"error":{…}}`, `{"error":"text"}`, a list around either, or a bare `message`/`detail`.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { ErrorBody } from './types.ts';

/** Reads the body of a failed answer; null where it names no error. */
export function readErrorBody(body: JsonValue | undefined): ErrorBody | null {
  const value = isJsonArray(body) ? body[0] : body;
  if (!isJsonObject(value)) return null;
  const inner = readErrorMember(value);
  if (inner !== null) return inner;
  if (typeof value.message === 'string') return fromObject(value);
  if (typeof value.detail === 'string') return fromText(value.detail);
  return null;
}

/** Reads the `error` member alone: a 2xx body or a chunk is an error only if it has one. */
export function readErrorMember(body: JsonObject): ErrorBody | null {
  const { error } = body;
  if (isJsonObject(error)) return fromObject(error);
  return typeof error === 'string' ? fromText(error) : null;
}

export function fromText(message: string): ErrorBody {
  return { message, type: null, param: null, code: null };
}

function fromObject(error: JsonObject): ErrorBody {
  const { code } = error;
  return {
    message: text(error.message),
    type: text(error.type),
    param: text(error.param),
    code: typeof code === 'number' ? code : text(code),
  };
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
