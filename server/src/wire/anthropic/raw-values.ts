/**
 * The texts of nested values in bytes that were parsed, and so are valid JSON, already. A
 * tool's arguments are JSON written by a model: parsing them and writing them again would change
 * numbers, escapes and the order of members.
 *
 * Each function looks at every byte once; whoever walks down level by level stays linear.
 */
import { scanObject } from '../../kernel/json.ts';

/** The bytes of a member of the outermost object; the last one counts, as in parsing. */
export function rawMember(bytes: Buffer, key: string): Buffer | null {
  const scan = scanObject(bytes, Number.POSITIVE_INFINITY);
  if (scan.kind !== 'members') return null;
  const member = scan.members.findLast((candidate) => candidate.key === key);
  return member === undefined ? null : bytes.subarray(member.valueStart, member.valueEnd);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The bytes of each item of a list; none where the bytes are no list. */
export function rawItems(bytes: Buffer): readonly Buffer[] {
  const items: Buffer[] = [];
  if (bytes[0] !== OPEN_BRACKET) return items;
  let depth = 0;
  let start = 1;
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = closingQuote(bytes, at);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (depth > 0) {
      if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    } else if (byte === COMMA || byte === CLOSE_BRACKET) {
      const item = trimmed(bytes, start, at);
      if (item.length > 0) items.push(item);
      start = at + 1;
      if (byte === CLOSE_BRACKET) break;
    }
  }
  return items;
}

const LAST_WHITESPACE = 0x20;

function trimmed(bytes: Buffer, from: number, to: number): Buffer {
  let start = from;
  let end = to;
  while (start < end && (bytes[start] as number) <= LAST_WHITESPACE) start += 1;
  while (end > start && (bytes[end - 1] as number) <= LAST_WHITESPACE) end -= 1;
  return bytes.subarray(start, end);
}

/** Offset of the quote that closes the string opening at `start`. */
function closingQuote(bytes: Buffer, start: number): number {
  for (let quote = bytes.indexOf(QUOTE, start + 1); quote >= 0; ) {
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    quote = bytes.indexOf(QUOTE, quote + 1);
  }
  return bytes.length;
}
