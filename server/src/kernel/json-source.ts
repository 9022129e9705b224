/**
 * JSON whose text matters: values written exactly as they came, and the text a nested value was
 * read from. Some wires have objects where others have JSON in a text (a tool's arguments);
 * parsing and writing anew would change large numbers, the order of keys and white space.
 *
 * Both functions take for granted that the text is valid JSON: parse it before.
 */
import type { JsonValue } from './json.ts';

/** A value that is written as the text it holds. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type WritableJson =
  | JsonValue
  | RawJson
  | readonly WritableJson[]
  | { readonly [key: string]: WritableJson | undefined };

/** As `JSON.stringify`, with `RawJson` written verbatim. */
export function writeJson(value: WritableJson): string {
  if (value instanceof RawJson) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  let text = '';
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${writeJson(member)}`;
  }
  return `{${text}}`;
}

/** The text of the value at `path`; of several members with one name the last, as in parsing. */
export function jsonSource(text: string, path: readonly (string | number)[]): string | undefined {
  let start = skipSpace(text, 0);
  let end = valueEnd(text, start);
  for (const step of path) {
    const found = text[start] === '{' ? memberOf(text, start, step) : itemOf(text, start, step);
    if (found === undefined) return undefined;
    [start, end] = found;
  }
  return text.slice(start, end);
}

/** The texts of a list's items, in one pass; none where the text is no list. */
export function jsonItems(text: string): string[] {
  const items: string[] = [];
  const open = skipSpace(text, 0);
  if (text[open] !== '[') return items;
  let at = skipSpace(text, open + 1);
  while (at < text.length && text[at] !== ']') {
    const end = valueEnd(text, at);
    items.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return items;
}

type Range = readonly [start: number, end: number];

function memberOf(text: string, open: number, name: string | number): Range | undefined {
  let found: Range | undefined;
  let at = skipSpace(text, open + 1);
  while (at < text.length && text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1); // behind the colon
    const end = valueEnd(text, start);
    if (JSON.parse(text.slice(at, keyEnd)) === name) found = [start, end];
    at = skipSpace(text, end);
    if (text[at] !== ',') break;
    at = skipSpace(text, at + 1);
  }
  return found;
}

function itemOf(text: string, open: number, index: string | number): Range | undefined {
  if (text[open] !== '[') return undefined;
  let at = skipSpace(text, open + 1);
  for (let item = 0; at < text.length && text[at] !== ']'; item += 1) {
    const end = valueEnd(text, at);
    if (item === index) return [at, end];
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return undefined;
}

function valueEnd(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  if (first !== '{' && first !== '[') {
    let at = start;
    while (at < text.length && !/[\s,\]}]/.test(text[at] as string)) at += 1;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** Offset behind the closing quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] as string)) at += 1;
  return at;
}
