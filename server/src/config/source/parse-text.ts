/**
 * From text to the value a setting wants: what variables hold, and what `${NAME}` expands to.
 * The only boolean parser. Ranges and forms are the schema's business.
 */
import { z } from 'zod';
import { bare } from '../schema/walk.ts';

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** `true`, `1`, `yes`, `on` and their opposites in any case; undefined for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}

/** The value of `text` for a setting of this type; undefined where it cannot be one. */
export function parseText(schema: z.core.$ZodType, text: string): unknown {
  const { schema: inner, meta } = bare(schema);
  if (inner instanceof z.ZodBoolean) return parseBoolean(text);
  if (inner instanceof z.ZodNumber) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (!(inner instanceof z.ZodEnum)) return text;
  const word = text.toLowerCase();
  return (
    inner.options.find((option) => option === word || option === text) ?? meta.spellings?.[word]
  );
}
