/**
 * What a process is given of a call that another one leads, and how a stream goes on when its
 * leader is gone: from a second source, where its bytes begin with those already sent.
 */
import type { StreamFrame } from '../model/answer.ts';
import { GatewayError } from '../model/errors.ts';
import type { FlightFeed, FlightHead, FlightRecord } from '../ports/shared-flights.ts';

/** The leader, or what leads to it, is gone; the call may be taken over. */
export class LeaderLost extends Error {}

/** All of a plain answer, or a stream from its beginning on. */
export type Followed =
  | { readonly kind: 'plain'; readonly head: FlightHead; readonly bytes: Buffer }
  | {
      readonly kind: 'stream';
      readonly head: FlightHead;
      readonly frames: AsyncGenerator<StreamFrame>;
    };

/**
 * Waits for a plain answer, or for a stream to begin. Throws, as `frames` does, `LeaderLost`,
 * what the call failed with, or the signal's reason.
 */
export async function follow(feed: FlightFeed, signal: AbortSignal): Promise<Followed> {
  const records = recordsOf(feed, signal);
  const first = await records.next();
  if (first.done === true || first.value.kind !== 'head') {
    await records.return(undefined);
    throw new LeaderLost();
  }
  const { head } = first.value;
  if (head.stream) return { kind: 'stream', head, frames: framesOf(records) };
  const pieces: Buffer[] = [];
  for await (const { bytes } of framesOf(records)) pieces.push(bytes);
  return { kind: 'plain', head, bytes: Buffer.concat(pieces) };
}

async function* recordsOf(feed: FlightFeed, signal: AbortSignal): AsyncGenerator<FlightRecord> {
  try {
    for (;;) {
      const records = await feed.next(signal);
      if (records === null) throw new LeaderLost();
      for (const record of records) {
        if (record.kind === 'failed') throw record.error;
        yield record;
        if (record.kind === 'end') return;
      }
    }
  } finally {
    feed.close();
  }
}

async function* framesOf(records: AsyncGenerator<FlightRecord>): AsyncGenerator<StreamFrame> {
  for await (const record of records) {
    if (record.kind === 'piece') {
      const { bytes, sequence } = record;
      yield { ...EMPTY_FRAME, bytes, ...(sequence === null ? {} : { sequence }) };
    }
    if (record.kind === 'end') yield { ...EMPTY_FRAME, terminal: record.terminal ?? NOTHING };
  }
}

/**
 * The frames behind the bytes that were sent before. Throws `shared_call_lost` where the frames
 * do not begin with them.
 */
export async function* behind(
  sent: readonly Buffer[],
  frames: AsyncIterable<StreamFrame>,
): AsyncGenerator<StreamFrame> {
  let left: Buffer = Buffer.concat(sent);
  for await (const frame of frames) {
    const { bytes } = frame;
    const overlap = Math.min(left.length, bytes.length);
    const isSame = left.subarray(0, overlap).equals(bytes.subarray(0, overlap));
    left = left.subarray(overlap);
    if (!isSame || (frame.terminal !== null && left.length > 0)) {
      throw new GatewayError('shared_call_lost');
    }
    yield { ...frame, bytes: bytes.subarray(overlap) };
  }
}

const NOTHING = Buffer.alloc(0);

const EMPTY_FRAME: StreamFrame = {
  bytes: NOTHING,
  terminal: null,
  producedCharacters: 0,
  usage: null,
  finishReasons: [],
};
