/**
 * The frames of a stream that are held at the moment, by number, and how much that may be.
 *
 * Invariant: what is held is without gaps; the first frame held is number `first`, the next to
 * come is number `next`.
 */
import type { StreamFrame } from '../model/answer.ts';

export class FrameWindow {
  readonly #maxBytes: number;
  readonly #maxFrames: number;
  #frames: StreamFrame[] = [];
  #first = 0;
  #bytes = 0;

  constructor(maxBytes: number, maxFrames: number) {
    this.#maxBytes = maxBytes;
    this.#maxFrames = maxFrames;
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#first + this.#frames.length;
  }

  get isFull(): boolean {
    return this.#bytes > this.#maxBytes || this.#frames.length > this.#maxFrames;
  }

  push(frame: StreamFrame): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes.length;
  }

  /** Undefined where the frame has not come yet, or is not held any more. */
  at(number: number): StreamFrame | undefined {
    return this.#frames[number - this.#first];
  }

  /** Lets go of what everybody has; then, while it is too much, of what comes before `keep`. */
  shrink(everybodyHas: number, keep: number): void {
    let dropped = 0;
    for (const frame of this.#frames) {
      const number = this.#first + dropped;
      const rest = this.#frames.length - dropped;
      const isOver = this.#bytes > this.#maxBytes || rest > this.#maxFrames;
      if (number >= everybodyHas && !(isOver && number < keep)) break;
      this.#bytes -= frame.bytes.length;
      dropped += 1;
    }
    this.#frames.splice(0, dropped);
    this.#first += dropped;
  }

  /** The bytes held, frame by frame, without copying them. */
  pieces(): readonly Buffer[] {
    return this.#frames.map(({ bytes }) => bytes);
  }
}
