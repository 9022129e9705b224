/**
 * A text that a string schema allows: by format, by pattern, or the hint or the property's own
 * name brought to the length that is asked for.
 */
import type { JsonValue } from '../../kernel/json.ts';
import { textForPattern } from './pattern-text.ts';
import type { Schema } from './schema-resolver.ts';

const MAX_LENGTH = 10_000;

const FORMATS: Readonly<Record<string, (index: number) => string>> = {
  date: (index) => `2026-01-${two(1 + (index % 28))}`,
  'date-time': (index) => `2026-01-${two(1 + (index % 28))}T12:00:00Z`,
  duration: (index) => `PT${1 + index}H`,
  email: (index) => `person${index + 1}@example.com`,
  hostname: (index) => `host${index + 1}.example.com`,
  'idn-email': (index) => `person${index + 1}@example.com`,
  ipv4: (index) => `192.0.2.${1 + (index % 254)}`,
  ipv6: (index) => `2001:db8::${(1 + index).toString(16)}`,
  'json-pointer': (index) => `/items/${index}`,
  regex: () => '^[a-z]+$',
  time: (index) => `12:00:${two(index % 60)}Z`,
  uri: (index) => `https://example.com/${index + 1}`,
  'uri-reference': (index) => `/path/${index + 1}`,
  url: (index) => `https://example.com/${index + 1}`,
  uuid: (index) => `123e4567-e89b-42d3-a456-${String(index).padStart(12, '0')}`,
};

export interface TextPlace {
  readonly name: string;
  readonly index: number;
  /** What free texts say; null: the name of the property. */
  readonly hint: string | null;
}

export function textFor(schema: Schema, place: TextPlace): string {
  const minLength = Math.min(length(schema.minLength) ?? 0, MAX_LENGTH);
  const maxLength = length(schema.maxLength) ?? MAX_LENGTH;
  const { format, pattern } = schema;
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) {
    return FORMATS[format]?.(place.index) ?? '';
  }
  if (typeof pattern === 'string') {
    const text = textForPattern(pattern, minLength);
    if (text !== null) return text;
  }
  const base = place.hint ?? (place.name.replaceAll(/[_-]+/g, ' ').trim() || 'text');
  const numbered = place.index === 0 ? base : `${place.index + 1} ${base}`;
  return resize(numbered, minLength, maxLength);
}

/** Lengths count characters, not code units, as JSON schema does. */
function resize(text: string, minLength: number, maxLength: number): string {
  const characters = [...text];
  if (characters.length > maxLength) return characters.slice(0, maxLength).join('');
  return text + 'x'.repeat(Math.max(0, minLength - characters.length));
}

function length(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
