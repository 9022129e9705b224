/**
 * What the body of a provider's 2xx answer must be before anything is read from it: a JSON
 * object in UTF-8. What the object must hold, each wire knows for itself.
 */
import { isUtf8 } from 'node:buffer';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json.ts';
import { invalid } from './answer-head.ts';

/** The body as text; empty, and so no JSON, where it is not UTF-8. */
export function answerText(bytes: Buffer): string {
  if (bytes.length === 0) throw invalid('The provider answered with an empty body.');
  return isUtf8(bytes) ? bytes.toString('utf8') : '';
}

export function requireObject(body: JsonValue | undefined): JsonObject {
  if (!isJsonObject(body)) throw invalid('The provider’s answer is not a JSON object.');
  return body;
}
