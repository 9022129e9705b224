/**
 * A number within the bounds of a schema: the smallest that is allowed, zero where zero is;
 * further ones step upwards as far as they may.
 */
import type { JsonValue } from '../../kernel/json.ts';
import type { Schema } from './schema-resolver.ts';

const MULTIPLES_TRIED = 1_000;

export function numberFor(schema: Schema, index: number, whole: boolean): number {
  const low = bound(schema, 'minimum', 'exclusiveMinimum', Math.max);
  const high = bound(schema, 'maximum', 'exclusiveMaximum', Math.min);
  const multipleOf = asNumber(schema.multipleOf);
  const step = multipleOf !== null && multipleOf > 0 ? multipleOf : 1;
  const fits = (value: number): boolean =>
    (low === null || value > low.at || (value === low.at && !low.exclusive)) &&
    (high === null || value < high.at || (value === high.at && !high.exclusive)) &&
    (!whole || Number.isInteger(value)) &&
    (multipleOf === null || Number.isInteger(value / step));
  const base = low === null ? (high === null || high.at > 0 ? 0 : high.at) : low.at;
  const first = Math.ceil(base / step) * step;
  const direction = low === null && high !== null && high.at <= 0 ? -1 : 1;
  const found: number[] = [];
  for (let at = 0; at < MULTIPLES_TRIED && found.length <= index; at += 1) {
    const value = first + direction * (at - (direction < 0 ? 1 : 0)) * step;
    if (fits(value)) found.push(value);
  }
  const value = found[index % Math.max(1, found.length)];
  return value ?? between(low?.at ?? base, high?.at ?? base + 1, index);
}

/** For bounds so close that no multiple of one lies between them. */
function between(low: number, high: number, index: number): number {
  return low + (high - low) / (2 + index);
}

interface Bound {
  readonly at: number;
  readonly exclusive: boolean;
}

/** The stricter one of two keywords; older drafts mark exclusiveness with a boolean. */
function bound(
  schema: Schema,
  inclusiveKey: string,
  exclusiveKey: string,
  stricter: (a: number, b: number) => number,
): Bound | null {
  const inclusive = asNumber(schema[inclusiveKey]);
  const exclusive = asNumber(schema[exclusiveKey]);
  if (inclusive === null) return exclusive === null ? null : { at: exclusive, exclusive: true };
  if (exclusive === null) return { at: inclusive, exclusive: schema[exclusiveKey] === true };
  const at = stricter(inclusive, exclusive);
  return { at, exclusive: at === exclusive };
}

function asNumber(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
