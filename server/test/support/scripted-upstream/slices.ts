/**
 * The body of an answer as the writes that will carry it: the mock's events with their waits,
 * or bytes treated as the behaviour says.
 */
import { gzipSync } from 'node:zlib';
import type { MockPiece } from '../../../src/providers/mock/faults.ts';
import type { Behaviour, Ending } from './behaviour.ts';

export interface Slice {
  readonly afterMs: number;
  readonly bytes: Buffer;
}

const BYTE_TREATMENTS = [
  'raw',
  'body',
  'encode',
  'repeat',
  'dropEndBytes',
  'cutAt',
  'drip',
  'endAfterBytes',
] as const;

/** Yields the writes; returns how the body ends. */
export function* bodySlices(
  pieces: Iterable<MockPiece>,
  behaviour: Behaviour,
): Generator<Slice, Ending> {
  if (!treatsBytes(behaviour)) return yield* eventSlices(pieces, behaviour);
  const parts: Buffer[] = [];
  let ending = behaviour.ending ?? 'clean';
  for (const piece of pieces) {
    if (piece.kind === 'bytes') parts.push(piece.bytes);
    else ending = piece.kind;
  }
  const whole = toBuffer(behaviour.raw ?? behaviour.body) ?? Buffer.concat(parts);
  const { dropEndBytes = 0, encode, repeat = 1, endAfterBytes } = behaviour;
  const kept = whole.subarray(0, whole.length - dropEndBytes);
  const encoded = encode === 'gzip' ? gzipSync(kept) : kept;
  const sent = encoded.subarray(0, endAfterBytes ?? encoded.length);
  for (let time = 0; time < repeat; time += 1) yield* cutSlices(sent, behaviour);
  return ending;
}

function treatsBytes(behaviour: Behaviour): boolean {
  return BYTE_TREATMENTS.some((name) => behaviour[name] !== undefined);
}

function* eventSlices(pieces: Iterable<MockPiece>, behaviour: Behaviour): Generator<Slice, Ending> {
  for (const piece of pieces) {
    if (piece.kind !== 'bytes') return piece.kind;
    yield piece;
  }
  return behaviour.ending ?? 'clean';
}

function* cutSlices(bytes: Buffer, { cutAt, drip }: Behaviour): Generator<Slice> {
  if (drip !== undefined) {
    for (let at = 0; at < bytes.length; at += drip.bytes) {
      yield { afterMs: drip.everyMs, bytes: bytes.subarray(at, at + drip.bytes) };
    }
    return;
  }
  const starts = [0, ...[...(cutAt ?? [])].sort((a, b) => a - b)];
  for (const [i, start] of starts.entries()) {
    const slice = bytes.subarray(start, starts[i + 1]);
    if (slice.length > 0) yield { afterMs: 0, bytes: slice };
  }
}

function toBuffer(value: string | Buffer | undefined): Buffer | undefined {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
