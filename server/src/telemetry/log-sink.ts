/**
 * Where log lines go: standard output, standard error or a file, written in batches off the
 * event loop.
 *
 * Invariants: a line is written once, in order, or counted as dropped; at most
 * `MAX_WAITING_CHARACTERS` wait for a slow destination; no line waits longer than `FLUSH_MS`
 * for company; a destination that fails never stops the program: what waits is tried again
 * (a full disk recovers), only a closed pipe is given up. Nothing here flushes by itself when
 * the process ends: that is `close`, or `flushSync` where it is too late to wait. pino's own
 * destination is not used because its synchronous flush never returns on a full disk.
 */
import { close, constants, fstatSync, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../kernel/clock.ts';

const BATCH_CHARACTERS = 32_768;
const FLUSH_MS = 500;
const RETRY_MS = 200;
/** A full pipe empties quickly, or its reader stands still. */
const FULL_PIPE_RETRY_MS = 5;
const MAX_WAITING_CHARACTERS = 8 * 1024 * 1024;
/** The last, synchronous write waits for a full pipe this long while nothing is read, … */
const MAX_IDLE_WAITS = 50;
/** … and this long in all. */
const MAX_WAITS = 500;
const WAIT_MS = 10;
const LINE_FEED = 0x0a;

export interface LogSink {
  /** `line` ends in a line feed. */
  write(line: string): void;
  /** Lines lost because the destination failed or was too slow. */
  dropped(): number;
  /** Writes out what waits, synchronously, for at most five seconds; never throws. */
  flushSync(): void;
  /** Writes out what waits and closes, as far as the destination lets it; later lines drop. */
  close(): Promise<void>;
}

/**
 * `target`: 1 for standard output, 2 for standard error, or a file to append to, whose folder
 * is made. Throws the system's error when the file cannot be opened.
 */
export function createLogSink(target: 1 | 2 | string, batched: boolean, clock: Clock): LogSink {
  const descriptor = typeof target === 'string' ? openFile(target) : withoutBlocking(target);
  return new FileSink(descriptor, batched ? BATCH_CHARACTERS : 1, clock);
}

class FileSink implements LogSink {
  readonly #descriptor: number;
  readonly #batchCharacters: number;
  readonly #clock: Clock;
  /** Whole lines not handed to the system yet. */
  #waiting = '';
  /** What the system did not take; tried again before anything that waits. */
  #stalled: Buffer | null = null;
  #inFlight = false;
  #timer: Timer | null = null;
  #closed = false;
  #whenIdle: (() => void) | null = null;
  #dropped = 0;

  constructor(descriptor: number, batchCharacters: number, clock: Clock) {
    this.#descriptor = descriptor;
    this.#batchCharacters = batchCharacters;
    this.#clock = clock;
  }

  write(line: string): void {
    if (this.#closed || this.#waiting.length + line.length > MAX_WAITING_CHARACTERS) {
      this.#dropped += 1;
      return;
    }
    this.#waiting += line;
    if (!this.#inFlight && this.#stalled === null) this.#goOn();
  }

  dropped(): number {
    return this.#dropped;
  }

  flushSync(): void {
    this.#timer?.cancel();
    this.#timer = null;
    let rest = Buffer.concat([this.#stalled ?? Buffer.alloc(0), Buffer.from(this.#waiting)]);
    this.#stalled = null;
    this.#waiting = '';
    let idleWaits = 0;
    for (let waits = 0; rest.length > 0 && idleWaits < MAX_IDLE_WAITS && waits < MAX_WAITS; ) {
      try {
        rest = rest.subarray(writeSync(this.#descriptor, rest));
        idleWaits = 0;
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') break;
        idleWaits += 1;
        waits += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      }
    }
    for (const byte of rest) if (byte === LINE_FEED) this.#dropped += 1;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#inFlight) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.flushSync();
    if (this.#descriptor > 2) await new Promise((resolve) => close(this.#descriptor, resolve));
  }

  /** Writes when enough waits, or arms the timer that will. */
  #goOn(): void {
    if (this.#waiting.length >= this.#batchCharacters) this.#writeOut();
    else if (this.#waiting !== '') {
      this.#timer ??= this.#clock.setTimer(FLUSH_MS, () => this.#writeOut());
    }
  }

  #writeOut(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const lines = Buffer.from(this.#waiting);
    this.#waiting = '';
    this.#send(lines);
  }

  #send(lines: Buffer): void {
    this.#inFlight = true;
    this.#stalled = null;
    write(this.#descriptor, lines, (error, written) => {
      this.#inFlight = false;
      if (error !== null) this.#stall(lines, error);
      else if (written < lines.length) this.#send(lines.subarray(written));
      else if (!this.#closed) this.#goOn();
      if (!this.#inFlight) this.#whenIdle?.();
    });
  }

  #stall(lines: Buffer, error: NodeJS.ErrnoException): void {
    this.#stalled = lines;
    if (error.code === 'EPIPE') this.#closed = true;
    if (this.#closed) this.flushSync();
    else {
      const delayMs = error.code === 'EAGAIN' ? FULL_PIPE_RETRY_MS : RETRY_MS;
      this.#timer = this.#clock.setTimer(delayMs, () => {
        this.#timer = null;
        this.#send(lines);
      });
    }
  }
}

/** At once, so that a wrong path stops the start. */
function openFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a', 0o640);
}

/**
 * A write to a full pipe blocks the thread it runs on, one of the few the process has, and
 * holds up its exit. A pipe opened a second time has a mode of its own, and can say "full".
 */
function withoutBlocking(descriptor: 1 | 2): number {
  try {
    if (!fstatSync(descriptor).isFIFO()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor; // not on Linux, or not allowed
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
