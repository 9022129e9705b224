/**
 * What is wrong with one field of a request, and the checks that several dialects share. A check
 * answers null for what it accepts; absent and null always pass, as they do at the vendor.
 */
import type { JsonValue } from '../kernel/json.ts';

export interface RequestProblem {
  /** As the client wrote it: `messages[2].role`. */
  readonly field: string;
  /** What was wrong, where, and what is expected. */
  readonly message: string;
}

/** What reading a request comes to: what the gateway must know of it, or why it is refused. */
export type ReadResult<Facts, More = unknown> =
  | ({ readonly kind: 'read'; readonly facts: Facts } & More)
  | { readonly kind: 'refused'; readonly problem: RequestProblem };

const MAX_MODEL_CHARACTERS = 256;
/** More than any model gives; keeps amounts of money within safe integers. */
export const MAX_OUTPUT_TOKENS = 10_000_000;

export function expected(field: string, what: string): RequestProblem {
  return { field, message: `\`${field}\` must be ${what}.` };
}

export function checkModel(model: JsonValue | undefined): RequestProblem | null {
  if (typeof model !== 'string' || model === '' || model.length > MAX_MODEL_CHARACTERS) {
    return expected('model', `the name of a model, of 1 to ${MAX_MODEL_CHARACTERS} characters`);
  }
  if (/\p{Cc}/u.test(model) || !model.isWellFormed()) {
    return expected('model', 'a name without control characters');
  }
  return null;
}

export function checkBoolean(field: string, value: JsonValue | undefined): RequestProblem | null {
  if (value == null || typeof value === 'boolean') return null;
  return expected(field, 'a boolean');
}

export function checkNumber(field: string, value: JsonValue | undefined): RequestProblem | null {
  if (value == null || (typeof value === 'number' && Number.isFinite(value))) return null;
  return expected(field, 'a number');
}

export function checkInteger(
  field: string,
  value: JsonValue | undefined,
  range: { readonly min: number; readonly max: number },
): RequestProblem | null {
  if (value == null) return null;
  const whole = typeof value === 'number' && Number.isInteger(value);
  if (whole && value >= range.min && value <= range.max) return null;
  return expected(field, `an integer from ${range.min} to ${range.max}`);
}

/** The first problem among the items of a list. */
export function firstProblem<T>(
  items: readonly T[],
  check: (item: T, index: number) => RequestProblem | null,
): RequestProblem | null {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== null) return problem;
  }
  return null;
}
