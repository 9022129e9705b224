/**
 * Stored answers as answers again: the very bytes that the first client was given, ids
 * included. A stream comes in a few large pieces, each ending where an event does, so that a
 * slow reader is waited for, and one that has to be cut off can be told in a legal way.
 *
 * A stored answer has no canonical form beside its bytes; what needs one must stand behind the
 * cache.
 */
import type { Answer, StreamFrame } from '../model/answer.ts';
import type { CacheEntry } from '../ports/cache-store.ts';

const PIECE_BYTES = 65_536;
const BLANK_LINES = ['\n\n', '\r\n\r\n'] as const;

/** `signal` ends a replay in its course; its reason is thrown. */
export function answerOf(entry: CacheEntry, signal: AbortSignal): Answer {
  const { dialect, contentType, bytes, terminal, usage, finishReasons } = entry;
  if (terminal !== null) return { kind: 'stream', dialect, frames: replay(entry, signal) };
  return { kind: 'plain', dialect, contentType, bytes, body: null, usage, finishReasons };
}

async function* replay(
  { bytes, terminal, usage, finishReasons }: CacheEntry,
  signal: AbortSignal,
): AsyncGenerator<StreamFrame> {
  let from = 0;
  while (from < bytes.length) {
    signal.throwIfAborted();
    const to = endOfPiece(bytes, from);
    const piece = bytes.subarray(from, to);
    from = to;
    if (from < bytes.length) yield frameOf(piece, null);
    else yield { ...frameOf(piece, terminal), usage, finishReasons };
  }
  if (bytes.length === 0) yield { ...frameOf(bytes, terminal), usage, finishReasons };
}

function frameOf(bytes: Buffer, terminal: Buffer | null): StreamFrame {
  return { bytes, terminal, producedCharacters: 0, usage: null, finishReasons: [] };
}

/** Behind the last event that ends within a piece's length, or the first that ends after it. */
function endOfPiece(bytes: Buffer, from: number): number {
  const wanted = from + PIECE_BYTES;
  if (wanted >= bytes.length) return bytes.length;
  const before = BLANK_LINES.map((line) =>
    endOf(bytes.lastIndexOf(line, wanted - line.length), line),
  );
  const last = Math.max(...before);
  if (last > from) return last;
  const after = BLANK_LINES.map((line) => endOf(bytes.indexOf(line, wanted - line.length), line));
  return Math.min(bytes.length, ...after.filter((end) => end > from));
}

function endOf(at: number, line: string): number {
  return at < 0 ? -1 : at + line.length;
}
