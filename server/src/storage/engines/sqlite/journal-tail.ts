/**
 * One journal as the database sees it: reads on from where the ledger stands and writes batch
 * after batch, each with its new position. Serves the live journal and those of dead owners
 * alike.
 *
 * Lines that are no record are kept in `unreadable.log` beside the journals, never dropped. So
 * is a record that the database refuses for its own sake: it must not hold up all others.
 */
import { appendFileSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  JOURNAL_START,
  type JournalPosition,
  listSegments,
  type SegmentExtent,
  segmentPath,
} from '../../journal/position.ts';
import type { JournalRecord } from '../../journal/record.ts';
import type { SegmentReader } from '../../journal/segment-reader.ts';
import type { LedgerRows } from './ledger-rows.ts';
import type { Report } from './protocol.ts';
import { isUnavailable, resultCodeOf } from './result-codes.ts';

export interface JournalTailOptions {
  readonly instance: string;
  readonly directory: string;
  readonly rows: LedgerRows;
  readonly reader: SegmentReader;
  readonly report: (report: Report) => void;
}

const BATCH_ROWS = 500;
/** Short, because calls of the main thread wait meanwhile; who fails here tries again. */
const BUSY_TIMEOUT_MS = 100;

export class JournalTail {
  readonly #options: JournalTailOptions;
  #position: JournalPosition;
  #batchRows = BATCH_ROWS;

  constructor(options: JournalTailOptions) {
    this.#options = options;
    this.#position = options.rows.position(options.instance) ?? JOURNAL_START;
  }

  get position(): JournalPosition {
    return this.#position;
  }

  /**
   * Writes the next batch below the extents' ends; null when there is none. Returns the number
   * of records. Throws what SQLite or the disk said; the same call may then be repeated.
   */
  writeNext(extents: readonly SegmentExtent[]): number | null {
    const extent = extents.find(
      ({ segment, bytes }) =>
        segment > this.#position.segment ||
        (segment === this.#position.segment && bytes > this.#position.offset),
    );
    if (extent === undefined) return null;
    if (extent.segment > this.#position.segment) this.#enter(extent.segment);
    return this.#writeBatch(extent);
  }

  #writeBatch({ segment, bytes }: SegmentExtent): number {
    const { instance, directory, rows, reader } = this.#options;
    const path = segmentPath(directory, segment);
    const read = reader.read(path, this.#position.offset, bytes, this.#batchRows);
    if (read.unreadable.length > 0) this.#keep(read.unreadable);
    const next = { segment, offset: read.done ? bytes : read.offset };
    try {
      rows.write(instance, read.records, next, BUSY_TIMEOUT_MS);
      this.#batchRows = BATCH_ROWS;
    } catch (error) {
      if (isUnavailable(resultCodeOf(error))) throw error;
      this.#isolate(read.records, next);
      return 0;
    }
    this.#position = next;
    return read.records.length;
  }

  /** Narrows a batch that can never be written down to the record that is at fault. */
  #isolate(records: readonly JournalRecord[], next: JournalPosition): void {
    if (records.length > 1) {
      this.#batchRows = 1;
      return;
    }
    this.#keep(records.map((record) => Buffer.from(JSON.stringify(record))));
    this.#options.rows.write(this.#options.instance, [], next, BUSY_TIMEOUT_MS);
    this.#position = next;
    this.#batchRows = BATCH_ROWS;
  }

  /** Goes on to a newer segment; what lies before it is in the database for good. */
  #enter(segment: number): void {
    this.#position = { segment, offset: 0 };
    const { directory } = this.#options;
    for (const older of listSegments(directory)) {
      if (older < segment) unlinkSync(segmentPath(directory, older));
    }
  }

  #keep(lines: readonly Buffer[]): void {
    const keptIn = join(dirname(this.#options.directory), 'unreadable.log');
    appendFileSync(keptIn, Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
    this.#options.report({ kind: 'unreadable', records: lines.length, keptIn });
  }
}
