/**
 * A cached answer as the bytes that a shared store keeps, and back.
 *
 *   1 byte   format: 1 plain, 2 compressed (zstd); another one is another version's
 *   4 bytes  checksum over all that follows, begun with tenant and key
 *   4 bytes  length of the head
 *   head     JSON: everything but the bytes
 *   rest     the answer and then the end marker, as one piece
 *
 * 1. What is read back is what was written, under the same tenant and key, or null: a value
 *    that was cut, mixed up, moved to another key or written by another version is a miss.
 * 2. It is compressed above 2 KiB, and kept so only where that is smaller. zstd at its lowest
 *    level: of what Node has it makes JSON and streams the smallest for the least time.
 * 3. Above 64 KiB that work is not done on the event loop. Below, handing it to another thread
 *    and taking it back costs the event loop more than the work: three times as much at 2 KiB.
 * 4. No value makes more bytes than its head announces, nor more than `MOST_BYTES`.
 */
import { promisify } from 'node:util';
import {
  constants,
  crc32,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import type { CacheEntry } from '../../gateway/ports/cache-store.ts';
import { isJsonArray, isJsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';

export interface EncodedEntry {
  readonly value: Buffer;
  /** Of answer and end marker as they were, and as they are kept. */
  readonly plainBytes: number;
  readonly keptBytes: number;
}

const PLAIN = 1;
const COMPRESSED = 2;
const HEAD_AT = 9;
const LENGTH_AT = 5;
const CHECKED_FROM = LENGTH_AT;
const SUM_AT = 1;

const COMPRESS_ABOVE_BYTES = 2048;
const ASIDE_ABOVE_BYTES = 64 * 1024;
const MOST_BYTES = 128 * 1024 * 1024;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compressAside = promisify(zstdCompress);
const decompressAside = promisify(zstdDecompress);

/** Never rejects for an entry whose bytes are within `MOST_BYTES`. */
export async function encodeEntry(
  tenant: string,
  key: string,
  entry: CacheEntry,
  compressAboveBytes: number = COMPRESS_ABOVE_BYTES,
): Promise<EncodedEntry> {
  const { bytes, terminal } = entry;
  const plain = terminal === null ? bytes : Buffer.concat([bytes, terminal]);
  const small = plain.length > compressAboveBytes ? await compressed(plain) : plain;
  const isSmaller = small.length < plain.length;
  const rest = isSmaller ? small : plain;
  const head = Buffer.from(JSON.stringify(headOf(entry)));
  const value = Buffer.allocUnsafe(HEAD_AT + head.length + rest.length);
  value[0] = isSmaller ? COMPRESSED : PLAIN;
  value.writeUInt32BE(head.length, LENGTH_AT);
  head.copy(value, HEAD_AT);
  rest.copy(value, HEAD_AT + head.length);
  value.writeUInt32BE(sumOf(tenant, key, value), SUM_AT);
  return { value, plainBytes: plain.length, keptBytes: rest.length };
}

/** null: it is no entry of this tenant and key that this version can read. Never rejects. */
export async function decodeEntry(
  tenant: string,
  key: string,
  value: Buffer,
): Promise<CacheEntry | null> {
  const format = value[0];
  if (value.length < HEAD_AT || (format !== PLAIN && format !== COMPRESSED)) return null;
  if (value.readUInt32BE(SUM_AT) !== sumOf(tenant, key, value)) return null;
  const restAt = HEAD_AT + value.readUInt32BE(LENGTH_AT);
  const head = readHead(parseJson(value.toString('utf8', HEAD_AT, restAt)));
  if (head === null) return null;
  const total = head.body + (head.end ?? 0);
  if (total > MOST_BYTES) return null;
  const rest = value.subarray(restAt);
  const plain = format === PLAIN ? rest : await decompressed(rest, total);
  if (plain === null || plain.length !== total) return null;
  const { body, end: _end, ...entry } = head;
  return {
    ...entry,
    bytes: plain.subarray(0, body),
    terminal: head.end === null ? null : plain.subarray(body),
  };
}

/** What a value says of itself, without its answer. */
export interface EntryFacts {
  readonly provider: string;
  readonly providerModel: string;
  readonly generation: string;
}

/** Format, checksum and length: as good as the whole value to tell two apart. */
export const MARK_BYTES = HEAD_AT;

/** As much of a value as `readFacts` needs. */
export const HEAD_BYTES = 4096;

/** Reads the beginning of a value, unchecked; null: it is none of this version. */
export function readFacts(start: Buffer): EntryFacts | null {
  if (start.length < HEAD_AT || (start[0] !== PLAIN && start[0] !== COMPRESSED)) return null;
  const headBytes = start.readUInt32BE(LENGTH_AT);
  return readHead(parseJson(start.toString('utf8', HEAD_AT, HEAD_AT + headBytes)));
}

/** Tenant and key begin the sum, so that a value under another name does not fit. */
function sumOf(tenant: string, key: string, value: Buffer): number {
  const name = crc32(`${tenant.length}:${tenant}${key}`);
  return crc32(value.subarray(CHECKED_FROM), crc32(value.subarray(0, SUM_AT), name));
}

async function compressed(plain: Buffer): Promise<Buffer> {
  return plain.length > ASIDE_ABOVE_BYTES
    ? compressAside(plain, LEVEL)
    : zstdCompressSync(plain, LEVEL);
}

async function decompressed(rest: Buffer, totalBytes: number): Promise<Buffer | null> {
  const limit = { maxOutputLength: Math.max(totalBytes, 1) };
  try {
    return totalBytes > ASIDE_ABOVE_BYTES
      ? await decompressAside(rest, limit)
      : zstdDecompressSync(rest, limit);
  } catch {
    return null;
  }
}

type Head = Omit<CacheEntry, 'bytes' | 'terminal'> & {
  /** Bytes of the answer. */
  readonly body: number;
  /** Bytes of the end marker; null: there is none. */
  readonly end: number | null;
};

function headOf({ bytes, terminal, ...rest }: CacheEntry): Head {
  return { ...rest, body: bytes.length, end: terminal?.length ?? null };
}

/** The sum vouches for what we wrote; this for the shape that the types promise. */
function readHead(head: JsonValue | undefined): Head | null {
  if (!isJsonObject(head)) return null;
  const { dialect, contentType, provider, providerModel, generation, finishReasons } = head;
  const { usage, storedAtMs, freshUntilMs, keepUntilMs, body, end, dropped = [] } = head;
  const texts = [dialect, contentType, provider, providerModel, generation];
  const numbers = [storedAtMs, freshUntilMs, keepUntilMs];
  const isRight =
    texts.every((text) => typeof text === 'string') &&
    numbers.every((number) => typeof number === 'number') &&
    isCount(body) &&
    (end === null || isCount(end)) &&
    (usage === null || isUsage(usage)) &&
    isTexts(finishReasons) &&
    isTexts(dropped);
  return isRight ? (head as unknown as Head) : null; // checked member by member
}

function isTexts(value: JsonValue | undefined): boolean {
  return isJsonArray(value) && value.every((item) => typeof item === 'string');
}

function isUsage(usage: JsonValue | undefined): boolean {
  if (!isJsonObject(usage)) return false;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens, source } = usage;
  const counts = [inputTokens, cachedInputTokens, outputTokens, reasoningTokens];
  return counts.every(isCount) && (source === 'provider' || source === 'estimated');
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
