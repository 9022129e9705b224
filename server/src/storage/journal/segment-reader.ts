/**
 * Reads records back out of a segment, for the one that writes them to the database.
 *
 * A torn or damaged line never hides its neighbours: lines are told apart by line feeds, and
 * each is judged by its own checksum. Bytes behind the last line feed are not a line yet. A file
 * that is gone is an empty one: nothing of it will ever come back.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type JournalRecord, RECORD_MAX_BYTES, readRecord } from './record.ts';

export interface SegmentRead {
  readonly records: readonly JournalRecord[];
  /** Lines that are no record this program knows, as they are. */
  readonly unreadable: readonly Buffer[];
  /** Where to go on. */
  readonly offset: number;
  /** Nothing whole is left before the limit. */
  readonly done: boolean;
}

const CHUNK_BYTES = 262_144;
const LINE_FEED = 0x0a;

export class SegmentReader {
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);

  /**
   * Reads up to `maxRecords` records between `offset` and `limit` bytes. Throws what the disk
   * said.
   */
  read(path: string, offset: number, limit: number, maxRecords: number): SegmentRead {
    const wanted = Math.min(CHUNK_BYTES, limit - offset);
    const bytes = this.#chunk.subarray(0, wanted > 0 ? this.#fill(path, offset, wanted) : 0);
    const records: JournalRecord[] = [];
    const unreadable: Buffer[] = [];
    let at = 0;
    while (records.length < maxRecords) {
      const end = bytes.indexOf(LINE_FEED, at);
      if (end < 0) break;
      const line = bytes.subarray(at, end);
      const record = readRecord(line);
      if (typeof record === 'string') unreadable.push(Buffer.from(line));
      else records.push(record);
      at = end + 1;
    }
    const isShort = bytes.length < CHUNK_BYTES;
    if (at === 0 && !isShort) {
      at = bytes.length - RECORD_MAX_BYTES; // garbage without an end
      unreadable.push(Buffer.from(bytes.subarray(0, at)));
    }
    return {
      records,
      unreadable,
      offset: offset + at,
      done: isShort && records.length < maxRecords,
    };
  }

  #fill(path: string, offset: number, wanted: number): number {
    const fd = openExisting(path);
    if (fd === null) return 0;
    try {
      let filled = 0;
      while (filled < wanted) {
        const read = readSync(fd, this.#chunk, filled, wanted - filled, offset + filled);
        if (read === 0) break;
        filled += read;
      }
      return filled;
    } finally {
      closeSync(fd);
    }
  }
}

function openExisting(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
