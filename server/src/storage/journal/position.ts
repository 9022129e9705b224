/**
 * Places in a journal: numbered segment files, and a byte offset within one. Numbers rise but
 * need not be contiguous.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Everything before this byte is in the database. */
export interface JournalPosition {
  readonly segment: number;
  readonly offset: number;
}

/** A segment and how many of its bytes are whole records. */
export interface SegmentExtent {
  readonly segment: number;
  readonly bytes: number;
}

export const JOURNAL_START: JournalPosition = { segment: 0, offset: 0 };

/** An extent's bytes where nobody knows them any more: to the end of the file. */
export const WHOLE_FILE = Number.MAX_SAFE_INTEGER;

const NUMBER_LENGTH = 10;
const SUFFIX = '.log';

export function segmentPath(directory: string, segment: number): string {
  return join(directory, String(segment).padStart(NUMBER_LENGTH, '0') + SUFFIX);
}

/** The numbers of the segments in a directory, rising. */
export function listSegments(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => Number(name.slice(0, -SUFFIX.length)))
    .filter((segment) => Number.isSafeInteger(segment))
    .sort((a, b) => a - b);
}

/** Bytes of these segments that lie behind the position. */
export function bytesBehind(extents: readonly SegmentExtent[], position: JournalPosition): number {
  let bytes = 0;
  for (const extent of extents) {
    if (extent.segment < position.segment) continue;
    bytes += extent.bytes - (extent.segment === position.segment ? position.offset : 0);
  }
  return bytes;
}
