/**
 * The files a journal is made of, as its owner writes them: bytes are appended to the newest
 * segment, a full segment is sealed and a new one begun.
 *
 * Invariants: a write counts whole or not at all; after a failed one the segment is cut back
 * to its last whole record and never written again; numbers rise and are never used twice.
 * Sealed files are handed to `retire`, which closes them, and deleted once they are applied.
 */
import { assert } from '../../kernel/assert.ts';
import type { JournalFiles } from './files.ts';
import { type JournalPosition, type SegmentExtent, segmentPath } from './position.ts';

/** A disk that cannot take this much is still full. */
const PROBE = Buffer.alloc(65_536);

export interface SegmentWriterOptions {
  readonly directory: string;
  readonly files: JournalFiles;
  readonly segmentMaxBytes: number;
  /** Takes over a file that will not be written any more. */
  readonly retire: (fd: number) => void;
  /** A file was made, so that the directory has a new name in it. */
  readonly created: () => void;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #fd: number | null = null;
  #segment = 0;
  #bytes = 0;
  #sealed: SegmentExtent[] = [];

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Appends the first `length` bytes of `bytes`, or throws what the disk said. */
  write(bytes: Buffer, length: number): void {
    const { files } = this.#options;
    const fd = this.#fd ?? this.#begin();
    try {
      for (let done = 0; done < length; ) {
        const written = files.write(fd, bytes, done, length - done);
        if (written <= 0) throw new Error('the disk took no bytes');
        done += written;
      }
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#bytes += length;
  }

  /** The open segment's file; null between segments. */
  get fd(): number | null {
    return this.#fd;
  }

  /** Seals the segment, full or not; the next write begins another. */
  seal(): void {
    if (this.#fd !== null && this.#bytes > 0) this.#seal();
  }

  /** The same if it is full. */
  rotate(): void {
    if (this.#fd !== null && this.#bytes >= this.#options.segmentMaxBytes) this.#seal();
  }

  /** Gives the segment up after a failure, keeping its whole records. */
  abandon(): void {
    if (this.#fd === null) return;
    try {
      this.#options.files.truncate(this.#fd, this.#bytes);
    } catch {
      // A torn tail stays behind; readers of this journal stop before it.
    }
    this.#seal();
  }

  /** Begins a new segment and makes sure that it can be written; throws what the disk said. */
  probe(): void {
    const { files } = this.#options;
    const fd = this.#begin();
    try {
      for (let done = 0; done < PROBE.length; ) {
        done += files.write(fd, PROBE, done, PROBE.length - done);
      }
      files.truncate(fd, 0);
    } catch (error) {
      this.#discard();
      throw error;
    }
  }

  /** The segments not known to be applied, oldest first. */
  extents(): SegmentExtent[] {
    if (this.#bytes === 0) return [...this.#sealed];
    return [...this.#sealed, { segment: this.#segment, bytes: this.#bytes }];
  }

  /** Forgets the segments that lie wholly before the position, and deletes them. */
  forget(position: JournalPosition): void {
    this.#sealed = this.#sealed.filter(({ segment, bytes }) => {
      const isBehind = segment === position.segment && bytes > position.offset;
      if (segment > position.segment || isBehind) return true;
      this.#remove(segment);
      return false;
    });
  }

  close(): void {
    if (this.#fd !== null) this.#seal();
  }

  #begin(): number {
    const { directory, files, created } = this.#options;
    this.#segment += 1;
    this.#fd = files.create(segmentPath(directory, this.#segment));
    created();
    return this.#fd;
  }

  #seal(): void {
    assert(this.#fd !== null, 'a segment is sealed once');
    if (this.#bytes > 0) this.#sealed.push({ segment: this.#segment, bytes: this.#bytes });
    this.#options.retire(this.#fd);
    this.#fd = null;
    this.#bytes = 0;
  }

  #discard(): void {
    const segment = this.#segment;
    this.#seal();
    this.#remove(segment);
  }

  #remove(segment: number): void {
    try {
      this.#options.files.remove(segmentPath(this.#options.directory, segment));
    } catch {
      // Who applied it was faster, or will be: its number is not used again.
    }
  }
}
