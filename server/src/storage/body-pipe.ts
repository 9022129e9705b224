/**
 * The way of prompts and answers into one database: gathered for a moment, then written in
 * batches behind everything else. `body-lanes.ts` gives each tenant its own.
 *
 * 1. What waits is bounded in number and in bytes; what finds no room is dropped and counted.
 * 2. A database that refuses is asked again later; until then what waits keeps its room.
 * 3. Nothing is promised: what waits when the process dies is lost, unlike the ledger.
 */
import { GatewayError } from '../gateway/model/errors.ts';
import type { KeptBodies } from '../gateway/ports/body-store.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { BodyRepository } from './repositories/body-repository.ts';

export interface BodyPipeOptions {
  readonly repository: Pick<BodyRepository, 'insert'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly room: BodyRoom;
  /** Told when nothing waits any more. */
  readonly onEmpty?: () => void;
}

/** What all pipes together have waiting, and what they had to drop since the start. */
export interface BodyRoom {
  count: number;
  bytes: number;
  dropped: number;
}

export function emptyRoom(): BodyRoom {
  return { count: 0, bytes: 0, dropped: 0 };
}

const WAITING_MAX = 2000;
const WAITING_BYTES_MAX = 33_554_432;
/** Of the room, what one pipe may take: one database that is away drops nobody else's. */
const SHARE = 0.5;
const BATCH_MAX = 32;
const BATCH_BYTES_MAX = 1_048_576;
const GATHER_MS = 100;
const RETRY_MS = 1000;

export class BodyPipe {
  readonly #options: BodyPipeOptions;
  readonly #waiting: KeptBodies[] = [];
  #waitingBytes = 0;
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;
  #isLagging = false;
  #isClosed = false;

  constructor(options: BodyPipeOptions) {
    this.#options = options;
  }

  keep(bodies: KeptBodies): void {
    const { room } = this.#options;
    const bytes = bytesOf(bodies);
    if (this.#isClosed || this.#isFull(bytes)) {
      room.dropped += 1;
      return;
    }
    this.#waiting.push(bodies);
    this.#waitingBytes += bytes;
    room.count += 1;
    room.bytes += bytes;
    this.#writeIn(GATHER_MS);
  }

  /** Takes nothing more and writes what waits, for as long as `waitMs`. Never rejects. */
  async close(waitMs: number): Promise<void> {
    this.#isClosed = true;
    await this.settle(waitMs);
    this.#timer?.cancel();
    const lost = this.#waiting.length;
    if (lost > 0) this.#options.log.warn('prompts and answers could not be kept', { count: lost });
  }

  #isFull(bytes: number): boolean {
    const { count, bytes: held } = this.#options.room;
    return (
      count >= WAITING_MAX ||
      held + bytes > WAITING_BYTES_MAX ||
      this.#waiting.length >= WAITING_MAX * SHARE ||
      this.#waitingBytes + bytes > WAITING_BYTES_MAX * SHARE
    );
  }

  #writeIn(delayMs: number): void {
    this.#timer ??= this.#options.clock.setTimer(delayMs, () => void this.#write());
  }

  /** Resolves when nothing waits any more, the database refuses, or the time is over. */
  async settle(timeoutMs: number): Promise<void> {
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
        this.#options.room.dropped += batch.length;
        this.#options.log.error('prompts and answers could not be kept', { error });
      }
      for (const written of this.#waiting.splice(0, batch.length)) {
        this.#forget(bytesOf(written));
      }
    }
    // A timer set while the last batch was on its way would end whoever comes behind.
    this.#timer?.cancel();
    this.#timer = null;
    this.#options.onEmpty?.();
  }

  #forget(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#options.room.count -= 1;
    this.#options.room.bytes -= bytes;
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

const PASSING: ReadonlySet<string> = new Set(['storage_unavailable', 'tenant_moving']);

/** The database may take it later. */
function isPassing(error: unknown): boolean {
  return error instanceof GatewayError && PASSING.has(error.code);
}
