/**
 * The body of one answer between the socket that pushes and the reader that pulls.
 *
 * Invariants: at most `HIGH_WATER_BYTES` plus one read of the socket (64 KiB) wait here before
 * the socket is paused, or the limit given to `collect`; pieces come out in order, joined when
 * several wait; a body that failed throws and never looks complete; it is read once.
 * It knows nothing of HTTP: the call behind it pauses, resumes and gives up.
 */
import type { GatewayError } from '../gateway/model/errors.ts';
import type { UpstreamBody } from '../gateway/ports/upstream.ts';
import { assert } from '../kernel/assert.ts';

const HIGH_WATER_BYTES = 128 * 1024;

/**
 * So many small pieces are joined into one: each piece costs far more than its bytes, and
 * keeps the whole read of the socket alive that it was cut from.
 */
const PIECES_JOINED = 256;
/** Pieces that are larger than this on average are left as they are: copying them costs more. */
const SMALL_PIECE_BYTES = 4096;

/** The call that fills the body. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Ends the call if it still runs, and returns why the body cannot be had. */
  exceed(maxBytes: number): GatewayError;
  /** Ends the call because nobody reads any more. */
  giveUp(): void;
}

interface Waiter<Value> {
  resolve(value: Value): void;
  reject(reason: unknown): void;
}

type Step = IteratorResult<Buffer, undefined>;

const DONE: Step = { value: undefined, done: true };

export class AnswerBody implements UpstreamBody, AsyncIterator<Buffer, undefined> {
  readonly #source: BodySource;
  #pieces: Buffer[] = [];
  #sizeBytes = 0;
  #looseFrom = 0;
  #looseBytes = 0;
  #state: 'open' | 'ended' | 'failed' | 'left' = 'open';
  #reason: unknown = null;
  #used = false;
  #paused = false;
  #maxBytes = Number.POSITIVE_INFINITY;
  #stepWaiter: Waiter<Step> | null = null;
  #wholeWaiter: Waiter<Buffer> | null = null;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** True while the reader is behind: silence is then not the provider's. */
  get paused(): boolean {
    return this.#paused;
  }

  /** As the head of the answer has it; 0 where it does not say. */
  declaredBytes = 0;

  // What the call does

  push(piece: Buffer): void {
    if (this.#state !== 'open' || piece.length === 0) return;
    const waiter = this.#stepWaiter;
    if (waiter !== null) {
      this.#stepWaiter = null;
      waiter.resolve({ value: piece, done: false });
      return;
    }
    this.#keep(piece);
    if (this.#wholeWaiter !== null) {
      if (this.#sizeBytes > this.#maxBytes) this.#source.exceed(this.#maxBytes);
    } else if (this.#sizeBytes >= HIGH_WATER_BYTES && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#stepWaiter?.resolve(DONE);
    this.#wholeWaiter?.resolve(this.#take());
    this.#stepWaiter = null;
    this.#wholeWaiter = null;
  }

  /** What came before the failure can still be read, unless `discard` drops it. */
  fail(reason: unknown, discard: boolean): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#reason = reason;
    if (discard || this.#wholeWaiter !== null) this.#drop();
    this.#stepWaiter?.reject(reason);
    this.#wholeWaiter?.reject(reason);
    this.#stepWaiter = null;
    this.#wholeWaiter = null;
  }

  // What the reader does

  collect(maxBytes: number): Promise<Buffer> {
    this.#claim();
    if (this.#state === 'failed') return Promise.reject(this.#reason);
    if (Math.max(this.#sizeBytes, this.declaredBytes) > maxBytes) {
      this.#drop();
      return Promise.reject(this.#source.exceed(maxBytes));
    }
    if (this.#state === 'ended') return Promise.resolve(this.#take());
    this.#maxBytes = maxBytes;
    const whole = new Promise<Buffer>((resolve, reject) => {
      this.#wholeWaiter = { resolve, reject };
    });
    this.#unpause();
    return whole;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    this.#claim();
    return this;
  }

  next(): Promise<Step> {
    if (this.#sizeBytes > 0) {
      const value = this.#take();
      this.#unpause();
      return Promise.resolve({ value, done: false });
    }
    if (this.#state === 'failed') {
      this.#state = 'left'; // an iterator throws once
      return Promise.reject(this.#reason);
    }
    if (this.#state !== 'open') return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#stepWaiter = { resolve, reject };
    });
  }

  return(): Promise<Step> {
    this.cancel();
    this.#state = 'left';
    return Promise.resolve(DONE);
  }

  cancel(): void {
    this.#drop();
    if (this.#state === 'open') this.#source.giveUp();
  }

  #claim(): void {
    assert(!this.#used, 'an answer is read once');
    this.#used = true;
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#sizeBytes += piece.length;
    this.#looseBytes += piece.length;
    if (this.#pieces.length - this.#looseFrom < PIECES_JOINED) return;
    if (this.#looseBytes <= PIECES_JOINED * SMALL_PIECE_BYTES) {
      const loose = this.#pieces.splice(this.#looseFrom);
      this.#pieces.push(Buffer.concat(loose, this.#looseBytes));
    }
    this.#looseFrom = this.#pieces.length;
    this.#looseBytes = 0;
  }

  #take(): Buffer {
    const first = this.#pieces[0];
    const whole =
      this.#pieces.length === 1 && first !== undefined
        ? first
        : Buffer.concat(this.#pieces, this.#sizeBytes);
    this.#drop();
    return whole;
  }

  #drop(): void {
    this.#pieces = [];
    this.#sizeBytes = 0;
    this.#looseFrom = 0;
    this.#looseBytes = 0;
  }

  #unpause(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }
}
