/**
 * The server-sent events of a provider's stream, within the bounds of one event and of all
 * bytes together. What the events mean, each wire knows.
 */
import { createSseSplitter, SseOverflow, type SseRecord, type SseSplitter } from '../kernel/sse.ts';
import type { ByteProblem } from './decoded.ts';

export interface StreamLimits<Problem = ByteProblem> {
  readonly maxEventBytes: number;
  readonly maxStreamBytes: number;
  /** Makes the error that is thrown for a problem. */
  readonly fail: (problem: Problem) => Error;
}

export class BoundedEvents {
  readonly #limits: StreamLimits;
  readonly #splitter: SseSplitter;
  #receivedBytes = 0;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
    this.#splitter = createSseSplitter(limits.maxEventBytes);
  }

  /** Those that the next bytes complete. Throws what `fail` makes of `too_long`. */
  push(chunk: Buffer): SseRecord[] {
    const { maxStreamBytes, maxEventBytes, fail } = this.#limits;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > maxStreamBytes) {
      const message = `The stream is longer than ${maxStreamBytes} bytes.`;
      throw fail({ kind: 'too_long', message });
    }
    try {
      return this.#splitter.push(chunk);
    } catch (error) {
      if (!(error instanceof SseOverflow)) throw error;
      const message = `An event of the stream is longer than ${maxEventBytes} bytes.`;
      throw fail({ kind: 'too_long', message });
    }
  }

  /** What is left when the stream ends: an event without its blank line, or null. */
  end(): SseRecord | null {
    return this.#splitter.end();
  }
}
