/**
 * The journal of one process: the place where a ledger entry is safe before its answer ends.
 *
 * 1. Entries of one turn of the event loop go out in one write; their promises, one for all of
 *    them, settle after it, and under `always` after a sync that covers it.
 * 2. A rejected entry is not promised to anyone: it may still be booked, but never twice.
 * 3. What is not applied stays below `maxBytes`. New exchanges are refused a little earlier, so
 *    that those that run can still be recorded.
 * 4. A failed write makes the journal `broken` until a new segment can be written; it tries by
 *    itself.
 *
 * Memory holds one turn's bytes and the list of segments, never the entries. Who reads the
 * files, and when, is the business of `pipe.ts`.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { LedgerEntry } from '../../gateway/model/ledger-entry.ts';
import type { Ledger } from '../../gateway/ports/ledger.ts';
import { assert } from '../../kernel/assert.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { FaultPoints } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';
import type { JournalFiles } from './files.ts';
import { closeQuietly, GroupSync } from './group-sync.ts';
import { bytesBehind, type JournalPosition, type SegmentExtent } from './position.ts';
import { RECORD_MAX_BYTES, writeRecord } from './record.ts';
import { SegmentWriter } from './segment-writer.ts';

/**
 * - `always`: an entry is acknowledged when it survives a power cut.
 * - `every_second`: a power cut may take the last second; a crash of the process nothing.
 * - `off`: a power cut may take what the operating system had not written yet.
 */
export type FsyncPolicy = 'always' | 'every_second' | 'off';

export interface JournalOptions {
  readonly directory: string;
  readonly files: JournalFiles;
  readonly fsync: FsyncPolicy;
  /** Most bytes that may wait for the database. */
  readonly maxBytes: number;
  readonly segmentMaxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: FaultPoints;
  /** Called after each write, on the hot path. */
  readonly onWritten: () => void;
}

export interface JournalFigures {
  readonly accepting: boolean;
  readonly backlogBytes: number;
  readonly lastError: string | null;
}

type State = 'open' | 'full' | 'broken' | 'closed';
type Batch = PromiseWithResolvers<void>;

const BUFFER_BYTES = 262_144;
const HEADROOM_MAX_BYTES = 1_048_576;
const SYNC_INTERVAL_MS = 1000;
const PROBE_FIRST_MS = 100;
const PROBE_MAX_MS = 2000;

export class Journal implements Ledger {
  readonly #options: JournalOptions;
  readonly #segments: SegmentWriter;
  readonly #sync: GroupSync;
  readonly #fullBytes: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #batch: Batch | null = null;
  #turnEnds = false;
  #state: State = 'open';
  #backlogBytes = 0;
  #lastError: string | null = null;
  #probeDelayMs = PROBE_FIRST_MS;
  #probeTimer: Timer | null = null;
  #syncTimer: Timer | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
    const { files, directory, segmentMaxBytes, maxBytes } = options;
    this.#sync = new GroupSync(files, directory);
    this.#fullBytes = maxBytes - Math.min(HEADROOM_MAX_BYTES, Math.floor(maxBytes / 8));
    this.#segments = new SegmentWriter({
      directory,
      files,
      segmentMaxBytes,
      retire: (fd) => this.#retire(fd),
      created: () => this.#sync.directoryChanged(),
    });
  }

  accepting(): boolean {
    return this.#state === 'open';
  }

  append(entry: LedgerEntry): Promise<void> {
    if (this.#state === 'broken' || this.#state === 'closed') return this.#refuse();
    if (this.#buffer.length - this.#used < RECORD_MAX_BYTES) this.#flush();
    if (this.#backlogBytes + this.#used >= this.#options.maxBytes) return this.#refuse();
    try {
      this.#used = writeRecord(this.#buffer, this.#used, entry);
    } catch (cause) {
      return Promise.reject(new GatewayError('internal_error', { cause }));
    }
    if (!this.#turnEnds) {
      this.#turnEnds = true;
      setImmediate(this.#onTurnEnd);
    }
    this.#batch ??= Promise.withResolvers<void>();
    return this.#batch.promise;
  }

  /**
   * Writes what is pending and answers the segments not known to be applied, up to the last
   * entry appended before this call and to none after it.
   */
  mark(): SegmentExtent[] {
    this.#flush();
    return this.#segments.extents();
  }

  /** Everything before the position is in the database. */
  applied(position: JournalPosition): void {
    this.#segments.forget(position);
    this.#backlogBytes = bytesBehind(this.#segments.extents(), position);
    this.#judgeFullness();
  }

  /** What comes next goes into another file, so that this one goes once it is applied. */
  roll(): void {
    this.#flush();
    this.#segments.seal();
  }

  figures(): JournalFigures {
    return {
      accepting: this.accepting(),
      backlogBytes: this.#backlogBytes + this.#used,
      lastError: this.#lastError,
    };
  }

  /** Writes and syncs what is pending, then refuses everything. */
  async close(): Promise<void> {
    this.#flush();
    this.#state = 'closed';
    this.#probeTimer?.cancel();
    this.#syncTimer?.cancel();
    this.#segments.close();
    await this.#sync.idle();
  }

  readonly #onTurnEnd = (): void => {
    this.#turnEnds = false;
    this.#flush();
  };

  #flush(): void {
    const batch = this.#batch;
    if (batch === null) return;
    const length = this.#used;
    this.#batch = null;
    this.#used = 0;
    try {
      const delay = this.#options.faults.hit('storage.journal.write') ?? undefined;
      this.#segments.write(this.#buffer, length);
      this.#release(batch, delay);
    } catch (error) {
      batch.reject(this.#broken(error));
      return;
    }
    this.#backlogBytes += length;
    this.#segments.rotate();
    if (this.#backlogBytes >= this.#fullBytes) this.#judgeFullness();
    this.#options.onWritten();
  }

  #release(batch: Batch, delay: Promise<void> | undefined): void {
    if (this.#options.fsync === 'always') {
      const fd = this.#segments.fd;
      assert(fd !== null, 'a write leaves its segment open');
      this.#sync.request(fd, (error) => {
        if (error === null) settle(batch, delay);
        else batch.reject(this.#broken(error));
      });
      return;
    }
    settle(batch, delay);
    if (this.#options.fsync === 'every_second') this.#syncSoon();
  }

  #syncSoon(): void {
    this.#syncTimer ??= this.#options.clock.setTimer(SYNC_INTERVAL_MS, () => {
      this.#syncTimer = null;
      if (this.#state === 'closed' || this.#state === 'broken') return;
      const fd = this.#segments.fd;
      if (fd === null) return; // rotated meanwhile: retiring it synced it
      this.#sync.request(fd, (error) => {
        if (error !== null) this.#broken(error);
      });
    });
  }

  #retire(fd: number): void {
    if (this.#options.fsync === 'off') closeQuietly(this.#options.files, fd);
    else this.#sync.retire(fd);
  }

  #refuse(): Promise<never> {
    return Promise.reject(new GatewayError('ledger_unavailable'));
  }

  #broken(cause: unknown): GatewayError {
    this.#lastError = cause instanceof Error ? cause.message : String(cause);
    if (this.#state === 'open' || this.#state === 'full') {
      this.#state = 'broken';
      this.#segments.abandon();
      this.#probeDelayMs = PROBE_FIRST_MS;
      this.#probeLater();
      this.#options.log.error('the ledger journal cannot be written; exchanges are refused', {
        error: this.#lastError,
      });
    }
    return new GatewayError('ledger_unavailable', { cause });
  }

  #probeLater(): void {
    this.#probeTimer = this.#options.clock.setTimer(this.#probeDelayMs, () => {
      this.#probeDelayMs = Math.min(this.#probeDelayMs * 2, PROBE_MAX_MS);
      try {
        this.#segments.probe();
      } catch (error) {
        this.#lastError = error instanceof Error ? error.message : String(error);
        this.#probeLater();
        return;
      }
      this.#state = 'open';
      this.#options.log.info('the ledger journal can be written again');
      this.#judgeFullness();
    });
  }

  #judgeFullness(): void {
    const { log, maxBytes } = this.#options;
    const fields = { backlog_bytes: this.#backlogBytes, max_bytes: maxBytes };
    if (this.#state === 'open' && this.#backlogBytes >= this.#fullBytes) {
      this.#state = 'full';
      log.warn('the ledger journal is full; new exchanges are refused', fields);
    } else if (this.#state === 'full' && this.#backlogBytes < this.#fullBytes * 0.9) {
      this.#state = 'open';
      log.info('the ledger journal has room again', fields);
    }
  }
}

function settle(batch: Batch, delay: Promise<void> | undefined): void {
  if (delay === undefined) batch.resolve();
  else delay.then(batch.resolve, batch.reject);
}
