/**
 * Whether a stream leaves the checks as it came to them: the same frames in the same order, to
 * their end.
 *
 * Frames are told apart by identity; what the checks hold back at a time is all that is held
 * here. What the stream has cost is put down as it comes, also where a check refuses it.
 */
import type { StreamFrame } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';

type Frames = AsyncIterable<StreamFrame>;

export interface FrameWatch {
  /** For the checks to read. */
  readonly came: Frames;
  /** What the checks give; `decide` is told before its end goes on, and at the latest with it. */
  given(frames: Frames, decide: (asItCame: boolean) => void): AsyncGenerator<StreamFrame>;
}

export function watchFrames(frames: Frames, exchange: Exchange): FrameWatch {
  const held: StreamFrame[] = [];
  let isSame = true;

  async function* came(): AsyncGenerator<StreamFrame> {
    for await (const frame of frames) {
      exchange.spent = frame.usage ?? exchange.spent;
      if (isSame) held.push(frame);
      yield frame;
    }
  }

  async function* given(
    checked: Frames,
    decide: (asItCame: boolean) => void,
  ): AsyncGenerator<StreamFrame> {
    try {
      for await (const frame of checked) {
        if (isSame && held.shift() !== frame) {
          isSame = false;
          held.length = 0;
        }
        if (frame.terminal !== null) decide(isSame && held.length === 0);
        yield frame;
      }
    } finally {
      decide(false);
    }
  }

  return { came: came(), given };
}
