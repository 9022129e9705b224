/**
 * What is wrong with one field of a request, and the checks that several fields share. A check
 * answers null for what it accepts; absent and null always pass, as they do at the vendor.
 */
import type { JsonValue } from '../../kernel/json.ts';

export interface RequestProblem {
  /** As the client wrote it: `messages[2].role`. */
  readonly field: string;
  /** What was wrong, where, and what is expected. */
  readonly message: string;
}

export function expected(field: string, what: string): RequestProblem {
  return { field, message: `\`${field}\` must be ${what}.` };
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
