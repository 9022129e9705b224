/**
 * What SQLite's result codes mean to us: the database is out of reach for now, a row broke a
 * rule, or our statement is wrong. The lower eight bits are the primary code.
 */
import type { Failure } from '../thread/protocol.ts';

const PRIMARY = 0xff;

/** Primary codes of a database that may work later: busy, locked, full, I/O, and their kin. */
const UNAVAILABLE = new Set([
  3, // SQLITE_PERM
  5, // SQLITE_BUSY
  6, // SQLITE_LOCKED
  7, // SQLITE_NOMEM
  8, // SQLITE_READONLY
  9, // SQLITE_INTERRUPT
  10, // SQLITE_IOERR
  11, // SQLITE_CORRUPT
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN
  15, // SQLITE_PROTOCOL
  26, // SQLITE_NOTADB
]);
/** Primary codes of what is wrong with the values of one row. */
const OF_VALUES = new Set([
  18, // SQLITE_TOOBIG
  19, // SQLITE_CONSTRAINT
  20, // SQLITE_MISMATCH
]);
const CONSTRAINT = 19;
const CONSTRAINT_FOREIGN_KEY = 787;
const CONSTRAINT_PRIMARY_KEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** SQLite's extended result code of whatever was thrown; null when it was not SQLite. */
export function resultCodeOf(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return null;
  return typeof thrown.errcode === 'number' ? thrown.errcode : null;
}

/** True where the same statement may succeed later. */
export function isUnavailable(resultCode: number | null): boolean {
  return resultCode !== null && UNAVAILABLE.has(resultCode & PRIMARY);
}

/** True where the same row would be refused by any database of this kind. */
export function refusesValues(resultCode: number | null): boolean {
  return resultCode !== null && OF_VALUES.has(resultCode & PRIMARY);
}

export function failureOf(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { message, kind: kindOf(resultCodeOf(thrown)) };
}

function kindOf(resultCode: number | null): Failure['kind'] {
  if (resultCode === null) return 'broken';
  if (isUnavailable(resultCode)) return 'unavailable';
  if ((resultCode & PRIMARY) !== CONSTRAINT) return 'broken';
  if (resultCode === CONSTRAINT_FOREIGN_KEY) return 'foreign_key';
  const isUnique = resultCode === CONSTRAINT_UNIQUE || resultCode === CONSTRAINT_PRIMARY_KEY;
  return isUnique ? 'unique' : 'constraint';
}
