/**
 * The error in a body or an event: `{"type":"error","error":{"type","message"}}`.
 */
import { isJsonObject, type JsonValue } from '../../kernel/json.ts';
import { objectOf, textOf } from '../values.ts';
import type { ErrorBody } from './types.ts';

/** null where the value names no error. */
export function readError(body: JsonValue | undefined): ErrorBody | null {
  const { error } = objectOf(body);
  if (typeof error === 'string') return { type: null, message: error, code: null };
  if (!isJsonObject(error)) return null;
  return {
    type: textOf(error.type),
    message: textOf(error.message),
    code: textOf(objectOf(error.details).error_code),
  };
}
