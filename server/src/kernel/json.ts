/**
 * JSON beyond `JSON.parse`: where the members of the outermost object lie in the bytes (so
 * that one value can be replaced without re-serialising the rest), how deep the text nests,
 * and one canonical text for equal values.
 *
 * The scan runs before parsing and promises nothing about validity: `JSON.parse` judges that.
 */

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

export interface JsonMember {
  readonly key: string;
  /** Offset of the first byte of the value. */
  readonly valueStart: number;
  /** Offset behind the last byte of the value. */
  readonly valueEnd: number;
}

/** A range of bytes, and what is to stand there. */
export interface JsonEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export type JsonScan =
  | { readonly kind: 'members'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'not_an_object' }
  | { readonly kind: 'too_deep' };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LAST_WHITESPACE = 0x20;

/** Lists the members of the outermost object; stops at a nesting deeper than `maxDepth`. */
export function scanObject(bytes: Buffer, maxDepth: number): JsonScan {
  let at = skipWhitespace(bytes, 0);
  if (bytes[at] !== OPEN_BRACE) return { kind: 'not_an_object' };
  const members: JsonMember[] = [];
  let depth = 1;
  let key: string | null = null;
  let valueStart = -1;
  const endMember = (end: number): void => {
    if (key !== null && valueStart >= 0) {
      members.push({ key, valueStart, valueEnd: trimEnd(bytes, valueStart, end) });
    }
    key = null;
    valueStart = -1;
  };
  for (at += 1; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte <= LAST_WHITESPACE) continue;
    if (byte === COLON && depth === 1 && valueStart < 0) continue;
    if (byte === COMMA && depth === 1) {
      endMember(at);
      continue;
    }
    if (depth === 1 && key !== null && valueStart < 0 && byte !== CLOSE_BRACE) valueStart = at;
    if (byte === QUOTE) {
      const end = stringEnd(bytes, at);
      if (depth === 1 && key === null) key = decodeKey(bytes, at, end);
      at = end - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > maxDepth) return { kind: 'too_deep' };
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 1) {
        endMember(at);
        break;
      }
      depth -= 1;
    }
  }
  return { kind: 'members', members };
}

/** Copies `bytes` with the given ranges replaced; `edits` are in rising order of `start`. */
export function spliceBytes(bytes: Buffer, edits: readonly JsonEdit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of edits) {
    parts.push(bytes.subarray(at, edit.start), Buffer.from(edit.text));
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

/**
 * The bytes of an object without one of its members, and where the others then lie. `members`
 * are those of `scanObject`, each key once; without the key among them nothing changes.
 */
export function withoutMember(
  bytes: Buffer,
  members: readonly JsonMember[],
  key: string,
): { readonly bytes: Buffer; readonly members: readonly JsonMember[] } {
  const index = members.findIndex((member) => member.key === key);
  const member = members[index];
  if (member === undefined) return { bytes, members };
  const before = members[index - 1];
  const isLast = index === members.length - 1;
  const start = before === undefined ? bytes.indexOf(OPEN_BRACE) + 1 : before.valueEnd;
  const isFirstOfMany = before === undefined && !isLast;
  const end = isFirstOfMany ? bytes.indexOf(COMMA, member.valueEnd) + 1 : member.valueEnd;
  const moved = members.slice(index + 1).map(({ key, valueStart, valueEnd }) => ({
    key,
    valueStart: valueStart - (end - start),
    valueEnd: valueEnd - (end - start),
  }));
  return {
    bytes: spliceBytes(bytes, [{ start, end, text: '' }]),
    members: [...members.slice(0, index), ...moved],
  };
}

/**
 * One text for equal values: members sorted by key, no white space, `undefined` left out, and
 * of the outermost object the members in `omitted`.
 */
export function canonicalJson(value: JsonValue, omitted?: ReadonlySet<string>): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isJsonArray(value)) return canonicalArray(value);
  let text = '';
  for (const key of sortedKeys(value)) {
    const member = value[key];
    if (member === undefined || omitted?.has(key)) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

function canonicalArray(items: readonly JsonValue[]): string {
  let text = '';
  for (const item of items) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
  return `[${text}]`;
}

/** Beyond so many keys the general sort is the quicker one. */
const FEW_KEYS = 16;

/** By code units. Few keys are sorted where they lie, without the copy that `sort` makes. */
function sortedKeys(value: JsonObject): readonly string[] {
  const keys = Object.keys(value);
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let at = 1; at < keys.length; at += 1) {
    const key = keys[at] as string;
    let to = at;
    for (; to > 0 && (keys[to - 1] as string) > key; to -= 1) keys[to] = keys[to - 1] as string;
    keys[to] = key;
  }
  return keys;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** `JSON.parse` that answers `undefined` where the text is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function skipWhitespace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) <= LAST_WHITESPACE) at += 1;
  return at;
}

function trimEnd(bytes: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && (bytes[end - 1] as number) <= LAST_WHITESPACE) end -= 1;
  return end;
}

/** Offset behind the closing quote of the string that opens at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return bytes.length;
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function decodeKey(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  const decoded = parseJson(`"${text}"`);
  return typeof decoded === 'string' ? decoded : text;
}
