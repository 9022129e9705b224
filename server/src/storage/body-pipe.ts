/**
 * The way of prompts and answers into the database: gathered for a moment, then written in
 * batches behind everything else.
 *
 * 1. What waits is bounded in number and in bytes; what finds no room is dropped and counted.
 * 2. A database that refuses is asked again later; until then what waits keeps its room.
 * 3. Nothing is promised: what waits when the process dies is lost, unlike the ledger.
 */
import { GatewayError } from '../gateway/model/errors.ts';
import type { BodyStore, KeptBodies } from '../gateway/ports/body-store.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { BodyRepository } from './repositories/body-repository.ts';

export interface BodyPipeOptions {
  readonly repository: BodyRepository;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a question waits for what was kept before it. */
  readonly settleMs: number;
}

export interface BodyFigures {
  /** Exchanges whose bodies were to be kept and were not, since the start. */
  readonly droppedBodies: number;
}

const WAITING_MAX = 1000;
const WAITING_BYTES_MAX = 16_777_216;
const BATCH_MAX = 32;
const BATCH_BYTES_MAX = 1_048_576;
const GATHER_MS = 100;
const RETRY_MS = 1000;

export class BodyPipe implements BodyStore {
  readonly #options: BodyPipeOptions;
  readonly #waiting: KeptBodies[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;
  #isLagging = false;
  #isClosed = false;

  constructor(options: BodyPipeOptions) {
    this.#options = options;
  }

  keep(bodies: KeptBodies): void {
    const bytes = bytesOf(bodies);
    const isFull =
      this.#waiting.length >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX;
    if (isFull || this.#isClosed) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(bodies);
    this.#waitingBytes += bytes;
    this.#writeIn(GATHER_MS);
  }

  async get(requestId: string, tenant: string): Promise<KeptBodies | null> {
    await this.#settle(this.#options.settleMs);
    return this.#options.repository.get(requestId, tenant);
  }

  eraseBefore(createdBeforeMs: number, limit: number): Promise<number> {
    return this.#options.repository.eraseBefore(createdBeforeMs, limit);
  }

  figures(): BodyFigures {
    return { droppedBodies: this.#dropped };
  }

  /** Takes nothing more and writes what waits, for as long as `waitMs`. Never rejects. */
  async close(waitMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#settle(waitMs);
    this.#timer?.cancel();
    const lost = this.#waiting.length;
    if (lost > 0) this.#options.log.warn('prompts and answers could not be kept', { count: lost });
  }

  #writeIn(delayMs: number): void {
    this.#timer ??= this.#options.clock.setTimer(delayMs, () => void this.#write());
  }

  /** Resolves when nothing waits any more, the database refuses, or the time is over. */
  async #settle(timeoutMs: number): Promise<void> {
    if (this.#waiting.length === 0) return;
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(timeoutMs, resolve);
    await Promise.race([this.#write(), patience]);
    timer.cancel();
  }

  /** One at a time; never rejects. */
  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#options.repository.insert(batch);
        this.#report(null);
      } catch (error) {
        if (isPassing(error)) {
          this.#report(error);
          this.#writeIn(RETRY_MS);
          return;
        }
        this.#dropped += batch.length;
        this.#options.log.error('prompts and answers could not be kept', { error });
      }
      for (const written of this.#waiting.splice(0, batch.length)) {
        this.#waitingBytes -= bytesOf(written);
      }
    }
  }

  #nextBatch(): readonly KeptBodies[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((bodies, at) => {
      bytes += bytesOf(bodies);
      return at > 0 && (at >= BATCH_MAX || bytes > BATCH_BYTES_MAX);
    });
    return this.#waiting.slice(0, end < 0 ? this.#waiting.length : end);
  }

  /** Tells when the lag begins and when it ends, not in between. */
  #report(error: unknown): void {
    const isLagging = error !== null;
    if (isLagging === this.#isLagging) return;
    this.#isLagging = isLagging;
    const { log } = this.#options;
    if (isLagging) log.warn('prompts and answers wait for the database', { error });
    else log.info('the database takes prompts and answers again');
  }
}

function bytesOf({ request, response }: KeptBodies): number {
  return (request?.bytes.length ?? 0) + (response?.bytes.length ?? 0);
}

/** The database may take it later. */
function isPassing(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'storage_unavailable';
}
