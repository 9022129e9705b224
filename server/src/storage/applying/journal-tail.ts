/**
 * One journal as the database sees it: reads on from where the ledger stands and writes batch
 * after batch, each with its new position. Serves the live journal and those of dead owners
 * alike.
 *
 * Lines that are no record are kept in `unreadable.log` beside the journals, never dropped. So
 * is a record that the database refuses for its own sake: it must not hold up all others. Bytes
 * that are gone, with their segment or out of it, are reported and waited for no more.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  JOURNAL_START,
  type JournalPosition,
  listSegments,
  type SegmentExtent,
  segmentPath,
  WHOLE_FILE,
} from '../journal/position.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { SegmentReader } from '../journal/segment-reader.ts';
import { putAside } from './aside.ts';
import { onDisk } from './disk.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { Report } from './report.ts';

export interface JournalTailOptions {
  readonly instance: string;
  readonly directory: string;
  readonly store: LedgerStore;
  readonly reader: SegmentReader;
  readonly report: (report: Report) => void;
}

const BATCH_ROWS = 500;

export class JournalTail {
  readonly #options: JournalTailOptions;
  #position: JournalPosition;
  #batchRows = BATCH_ROWS;

  private constructor(options: JournalTailOptions, position: JournalPosition) {
    this.#options = options;
    this.#position = position;
  }

  /** Finds where the ledger stands; throws what the database said. */
  static async open(options: JournalTailOptions): Promise<JournalTail> {
    const position = await options.store.position(options.instance);
    return new JournalTail(options, position ?? JOURNAL_START);
  }

  get position(): JournalPosition {
    return this.#position;
  }

  /**
   * Writes the next batch below the extents' ends; null, at once, when there is none. Answers
   * the number of records. Throws what the database or the disk said; the same call may then be
   * repeated.
   */
  async writeNext(extents: readonly SegmentExtent[]): Promise<number | null> {
    const extent = extents.find(
      ({ segment, bytes }) =>
        segment > this.#position.segment ||
        (segment === this.#position.segment && bytes > this.#position.offset),
    );
    if (extent === undefined) return null;
    if (extent.segment > this.#position.segment) this.#enter(extent.segment);
    return this.#writeBatch(extent);
  }

  async #writeBatch({ segment, bytes }: SegmentExtent): Promise<number> {
    const { instance, directory, store, reader } = this.#options;
    const path = segmentPath(directory, segment);
    const { offset } = this.#position;
    const read = onDisk(() => reader.read(path, offset, bytes, this.#batchRows));
    if (read.unreadable.length > 0) this.#keep(read.unreadable);
    const next = { segment, offset: read.done ? bytes : read.offset };
    try {
      await store.write(instance, read.records, next);
      this.#batchRows = Math.min(this.#batchRows * 2, BATCH_ROWS);
    } catch (error) {
      const judgement = store.judge(error);
      if (judgement === 'smaller') this.#batchRows = Math.max(1, this.#batchRows >> 1);
      if (judgement !== 'never') throw error;
      await this.#isolate(read.records, next);
      return 0;
    }
    this.#position = next;
    const missing = read.done && bytes !== WHOLE_FILE ? bytes - read.offset : 0;
    if (missing > 0) this.#options.report({ kind: 'missing', segment, bytes: missing });
    return read.records.length;
  }

  /** Narrows a batch that can never be written down to the record that is at fault. */
  async #isolate(records: readonly JournalRecord[], next: JournalPosition): Promise<void> {
    if (records.length > 1) {
      this.#batchRows = 1;
      return;
    }
    this.#keep(records.map((record) => Buffer.from(JSON.stringify(record))));
    await this.#options.store.write(this.#options.instance, [], next);
    this.#position = next;
  }

  /** Goes on to a newer segment; what lies before it is in the database for good. */
  #enter(segment: number): void {
    this.#position = { segment, offset: 0 };
    const { directory } = this.#options;
    onDisk(() => {
      for (const older of listSegments(directory)) {
        if (older < segment) rmSync(segmentPath(directory, older), { force: true });
      }
    });
  }

  #keep(lines: readonly Buffer[]): void {
    const keptIn = join(dirname(this.#options.directory), 'unreadable.log');
    const records = onDisk(() => putAside(keptIn, lines));
    if (records > 0) this.#options.report({ kind: 'unreadable', records, keptIn });
  }
}
