/**
 * Lines cut out of a byte stream, whatever the cutting: the same bytes give the same lines.
 * At most `maxLineBytes` of an unfinished line are kept, each byte is looked at once, and a line
 * is decoded whole, so that a character may be split between chunks.
 */

export class LineOverflow extends Error {}

export interface LineSplitter {
  /** Takes the next bytes; throws `LineOverflow` when one line grows too large. */
  push(chunk: Buffer): string[];
  /** What is left when the stream ends: a line without its end, or null. */
  end(): string | null;
}

const LF = 0x0a;

export function createLineSplitter(maxLineBytes: number): LineSplitter {
  let kept: Buffer[] = [];
  let keptBytes = 0;

  function keep(piece: Buffer): void {
    keptBytes += piece.length;
    if (keptBytes > maxLineBytes) throw new LineOverflow(`a line exceeds ${maxLineBytes} bytes`);
    if (piece.length > 0) kept.push(piece);
  }

  function take(): string {
    const text = Buffer.concat(kept).toString('utf8');
    kept = [];
    keptBytes = 0;
    return text;
  }

  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, start)) {
        keep(chunk.subarray(start, at));
        lines.push(take());
        start = at + 1;
      }
      if (start < chunk.length) keep(Buffer.from(chunk.subarray(start))); // pins no chunk
      return lines;
    },
    end: () => (keptBytes === 0 ? null : take()),
  };
}
