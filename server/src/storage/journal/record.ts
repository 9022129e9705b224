/**
 * One ledger entry as one line of the journal: eight hexadecimal digits of CRC-32, a space, a
 * JSON list, a line feed. The list starts with the number of this layout, so that a later one
 * can be told apart; enumerations are codes, the rest is as in the entry.
 *
 * Writing happens on the main thread for every exchange, reading in the database worker.
 * Invariant: a line never holds a raw line feed, so that one torn record never hides its
 * neighbours.
 */
import { crc32 } from 'node:zlib';
import type { LedgerEntry } from '../../gateway/model/ledger-entry.ts';
import { assert } from '../../kernel/assert.ts';
import { CACHE_STATUSES, codeOf, DIALECTS, OPERATIONS, OUTCOMES, USAGE_SOURCES } from '../codes.ts';

/** No record is longer: texts from outside are cut, and everything else is small. */
export const RECORD_MAX_BYTES = 16_384;

const LAYOUT = 2;
/** Without what came with the second: journals of before an update are read, too. */
const FIRST_LAYOUT = 1;
const TEXT_MAX_CHARS = 256;
const CHECKSUM_LENGTH = 8;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** The members of a record in the order of the list, without the layout number. */
export interface JournalRecord {
  readonly id: string;
  readonly createdAtMs: number;
  readonly tenant: string;
  readonly keyId: string;
  /** null where it is the entry's own id. */
  readonly correlationId: string | null;
  readonly dialect: number;
  readonly operation: number;
  readonly model: string;
  readonly provider: string | null;
  readonly providerModel: string | null;
  readonly stream: number;
  readonly status: number;
  readonly outcome: number;
  readonly errorCode: string | null;
  readonly cache: number;
  readonly attempts: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly usageSource: number;
  readonly costNanousd: number | null;
  readonly priceId: string | null;
  readonly durationUs: number;
  readonly firstTokenUs: number | null;
  readonly configGeneration: number;
  /** Of an experiment; null: there was none. */
  readonly arm: string | null;
  /** Of the operator's; null, and not written: there was none. */
  readonly prompt: string | null;
}

type Field = 'text' | 'text?' | 'integer' | 'integer?';

const FIELDS: readonly (readonly [keyof JournalRecord, Field])[] = [
  ['id', 'text'],
  ['createdAtMs', 'integer'],
  ['tenant', 'text'],
  ['keyId', 'text'],
  ['correlationId', 'text?'],
  ['dialect', 'integer'],
  ['operation', 'integer'],
  ['model', 'text'],
  ['provider', 'text?'],
  ['providerModel', 'text?'],
  ['stream', 'integer'],
  ['status', 'integer'],
  ['outcome', 'integer'],
  ['errorCode', 'text?'],
  ['cache', 'integer'],
  ['attempts', 'integer'],
  ['inputTokens', 'integer'],
  ['cachedInputTokens', 'integer'],
  ['cacheWriteTokens', 'integer'],
  ['outputTokens', 'integer'],
  ['reasoningTokens', 'integer'],
  ['usageSource', 'integer'],
  ['costNanousd', 'integer?'],
  ['priceId', 'text?'],
  ['durationUs', 'integer'],
  ['firstTokenUs', 'integer?'],
  ['configGeneration', 'integer'],
  ['arm', 'text?'],
  ['prompt', 'text?'],
];

const NAMES = FIELDS.map(([name]) => name);
const KINDS = FIELDS.map(([, field]) => field);
const BLANK = Object.fromEntries(NAMES.map((name) => [name, null])) as Record<
  keyof JournalRecord,
  unknown
>;

/**
 * Writes the record of `entry` into `target` at byte `at`, where `RECORD_MAX_BYTES` are free.
 * Returns the offset behind it. Throws, having written nothing that counts, when a figure is
 * not an integer: whoever made the entry is wrong.
 */
export function writeRecord(target: Buffer, at: number, entry: LedgerEntry): number {
  const start = at + CHECKSUM_LENGTH + 1;
  const end = start + target.write(listOf(entry), start);
  writeHex(target, at, crc32(target.subarray(start, end)));
  target[start - 1] = SPACE;
  target[end] = LINE_FEED;
  return end + 1;
}

/**
 * Reads one line without its line feed. `corrupt`: the checksum does not fit. `unknown`: it
 * fits, but this program does not know the layout.
 */
export function readRecord(line: Buffer): JournalRecord | 'corrupt' | 'unknown' {
  const list = line.subarray(CHECKSUM_LENGTH + 1);
  if (line[CHECKSUM_LENGTH] !== SPACE || !isHex(line, crc32(list))) return 'corrupt';
  const values = parsed(list.toString());
  if (!Array.isArray(values)) return 'unknown';
  if (values[0] !== FIRST_LAYOUT && values[0] !== LAYOUT) return 'unknown';
  // Every member from the start: all records have one shape, and are quick to make and to read.
  const record: Record<keyof JournalRecord, unknown> = { ...BLANK };
  for (let i = 0; i < NAMES.length; i += 1) {
    const value: unknown = values[i + 1] ?? null;
    if (!fits(value, KINDS[i] as Field)) return 'unknown';
    record[NAMES[i] as keyof JournalRecord] = value;
  }
  return record as JournalRecord;
}

/** A checksum of 32 bits fits one damaged line in four thousand millions. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function listOf(entry: LedgerEntry): string {
  const { usage } = entry;
  return JSON.stringify([
    LAYOUT,
    entry.id,
    whole(entry.createdAtMs),
    cut(entry.tenant),
    cut(entry.keyId),
    entry.correlationId === entry.id ? null : cut(entry.correlationId),
    codeOf(DIALECTS, entry.dialect),
    codeOf(OPERATIONS, entry.operation),
    cut(entry.model),
    cut(entry.provider),
    cut(entry.providerModel),
    entry.stream ? 1 : 0,
    whole(entry.status),
    codeOf(OUTCOMES, entry.outcome),
    entry.errorCode,
    codeOf(CACHE_STATUSES, entry.cache),
    whole(entry.attempts),
    whole(usage.inputTokens),
    whole(usage.cachedInputTokens),
    whole(usage.cacheWriteTokens ?? 0),
    whole(usage.outputTokens),
    whole(usage.reasoningTokens),
    codeOf(USAGE_SOURCES, usage.source),
    entry.costNanousd === null ? null : whole(entry.costNanousd),
    cut(entry.priceId),
    microseconds(entry.durationMs),
    entry.firstTokenMs === null ? null : microseconds(entry.firstTokenMs),
    whole(entry.configGeneration),
    cut(entry.arm ?? null),
    ...(entry.prompt == null ? [] : [cut(entry.prompt)]),
  ]);
}

function cut<Text extends string | null>(text: Text): Text | string {
  return text !== null && text.length > TEXT_MAX_CHARS ? text.slice(0, TEXT_MAX_CHARS) : text;
}

function whole(value: number): number {
  assert(Number.isSafeInteger(value), `a ledger entry holds ${value}, which is no integer`);
  return value;
}

function microseconds(ms: number): number {
  return whole(Math.round(ms * 1000));
}

function fits(value: unknown, field: Field): boolean {
  if (value === null) return field === 'text?' || field === 'integer?';
  if (field === 'text' || field === 'text?') return typeof value === 'string';
  return Number.isSafeInteger(value);
}

function writeHex(target: Buffer, at: number, value: number): void {
  for (let i = CHECKSUM_LENGTH - 1, rest = value; i >= 0; i -= 1, rest >>>= 4) {
    target[at + i] = HEX_DIGITS[rest & 15] as number;
  }
}

/** Whether the line begins with it, as `writeHex` writes it. */
function isHex(line: Buffer, value: number): boolean {
  for (let i = CHECKSUM_LENGTH - 1, rest = value; i >= 0; i -= 1, rest >>>= 4) {
    if (line[i] !== HEX_DIGITS[rest & 15]) return false;
  }
  return true;
}
