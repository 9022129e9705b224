/**
 * Server-sent events cut out of a byte stream, whatever the cutting: one record per complete
 * event, with its data and with the very bytes it came as, so that they can be forwarded.
 *
 * Invariants: the records' bytes, joined, are the input; the same input gives the same
 * records and the same overflow however it is cut (CR, LF and CRLF line ends, characters split
 * between chunks); never more than `maxEventBytes` of an unfinished event are kept; each byte
 * is looked at once, so that a peer that drips bytes costs no more than one that does not.
 * It understands lines and fields, not what the data means: the wire codecs do.
 */

export interface SseRecord {
  /** The joined `data:` lines; null for a comment or an event without data. */
  readonly data: string | null;
  /** The `event:` field; null where absent. */
  readonly event: string | null;
  /** The event's bytes with its closing blank line; the chunk itself where it is one event. */
  readonly bytes: Buffer;
}

export class SseOverflow extends Error {}

export interface SseSplitter {
  /** Takes the next bytes; throws `SseOverflow` when one event grows too large. */
  push(chunk: Buffer): SseRecord[];
  /** What is left when the stream ends: an event without its blank line, or null. */
  end(): SseRecord | null;
}

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = Buffer.alloc(0);
const BLOCK_MOST_BYTES = 65_536;
const BYTE_ORDER_MARK = '\uFEFF';

export function createSseSplitter(maxEventBytes: number): SseSplitter {
  return new Splitter(maxEventBytes);
}

class Splitter implements SseSplitter {
  readonly #maxEventBytes: number;
  readonly #kept = new KeptBytes();
  #lineIsEmpty = true;
  /** The last byte was a CR, and a LF that belongs to it may follow. */
  #crPending = false;
  #first = true;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Buffer): SseRecord[] {
    const records: SseRecord[] = [];
    if (chunk.length === 0) return records;
    let eventStart = 0;
    let at = this.#crPending && chunk[0] === LF ? 1 : 0;
    if (this.#crPending) {
      this.#crPending = false;
      if (this.#lineIsEmpty) {
        records.push(this.#finish(chunk, 0, at));
        eventStart = at;
      }
      this.#lineIsEmpty = true;
    }
    const hasCr = chunk.includes(CR);
    while (at < chunk.length) {
      const end = hasCr ? lineEnd(chunk, at) : chunk.indexOf(LF, at);
      if (end !== at) this.#lineIsEmpty = false;
      if (end < 0) break;
      const isCr = hasCr && chunk[end] === CR;
      if (isCr && end + 1 === chunk.length) {
        this.#crPending = true;
        break;
      }
      at = isCr && chunk[end + 1] === LF ? end + 2 : end + 1;
      if (this.#lineIsEmpty) {
        records.push(this.#finish(chunk, eventStart, at));
        eventStart = at;
      }
      this.#lineIsEmpty = true;
    }
    if (eventStart < chunk.length) this.#keep(chunk.subarray(eventStart));
    return records;
  }

  end(): SseRecord | null {
    return this.#kept.length === 0 ? null : this.#finish(NOTHING, 0, 0);
  }

  #keep(piece: Buffer): void {
    this.#limit(this.#kept.length + piece.length);
    this.#kept.add(piece);
  }

  #finish(chunk: Buffer, start: number, end: number): SseRecord {
    this.#limit(this.#kept.length + end - start);
    let bytes = start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
    if (this.#kept.length > 0) bytes = this.#kept.take(bytes);
    const first = this.#first;
    this.#first = false;
    return record(bytes, first);
  }

  #limit(eventBytes: number): void {
    if (eventBytes <= this.#maxEventBytes) return;
    throw new SseOverflow(`an event exceeds ${this.#maxEventBytes} bytes`);
  }
}

/**
 * The unfinished event, copied: its pieces must neither pin their chunks nor pile up. It lies in
 * blocks that double up to `BLOCK_MOST_BYTES`, so that a large one is not moved as it grows.
 */
class KeptBytes {
  #blocks: Buffer[] = [];
  /** Of the last block. */
  #filled = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    for (let from = 0; from < piece.length; ) {
      const copied = piece.copy(this.#room(piece.length - from), this.#filled, from);
      from += copied;
      this.#filled += copied;
      this.#length += copied;
    }
  }

  /** What was kept and then `rest`, as one; nothing is kept behind it. */
  take(rest: Buffer): Buffer {
    const last = this.#blocks.pop() ?? NOTHING;
    const bytes = Buffer.concat([...this.#blocks, last.subarray(0, this.#filled), rest]);
    this.#blocks = [];
    this.#filled = 0;
    this.#length = 0;
    return bytes;
  }

  /** The last block where it is not full, else another one. */
  #room(wantedBytes: number): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#filled < last.length) return last;
    const bytes = Math.min(BLOCK_MOST_BYTES, Math.max(wantedBytes, this.#length));
    const block = Buffer.allocUnsafeSlow(bytes);
    this.#blocks.push(block);
    this.#filled = 0;
    return block;
  }
}

/** Offset of the next CR or LF; -1 where there is none. */
function lineEnd(chunk: Buffer, from: number): number {
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at];
    if (byte === LF || byte === CR) return at;
  }
  return -1;
}

function record(bytes: Buffer, first: boolean): SseRecord {
  const decoded = bytes.toString('utf8');
  const text = first && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  const oneLine = text.indexOf('\n') === text.length - 2 && !text.includes('\r');
  if (oneLine && text.endsWith('\n') && text.startsWith('data: ')) {
    return { data: text.slice(6, -2), event: null, bytes }; // one data line: nearly always
  }
  let data: string | null = null;
  let event: string | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === null ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
  }
  return { data, event, bytes };
}
