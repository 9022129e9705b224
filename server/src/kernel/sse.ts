/**
 * Server-sent events cut out of a byte stream, whatever the cutting: one record per complete
 * event, with its data and with the very bytes it came as, so that they can be forwarded.
 *
 * Invariants: the records' bytes, joined, are the input; the same input gives the same
 * records however it is cut (CR, LF and CRLF line ends, characters split between chunks);
 * never more than `maxEventBytes` of an unfinished event are kept.
 * It understands lines and fields, not what the data means: the wire codecs do.
 */

export interface SseRecord {
  /** The joined `data:` lines; null for a comment or an event without data. */
  readonly data: string | null;
  /** The `event:` field; null where absent. */
  readonly event: string | null;
  /** The event's bytes with its closing blank line. */
  readonly bytes: Buffer;
}

export class SseOverflow extends Error {}

export interface SseSplitter {
  /** Takes the next bytes; throws `SseOverflow` when an unfinished event grows too large. */
  push(chunk: Buffer): SseRecord[];
  /** What is left when the stream ends: an event without its blank line, or null. */
  end(): SseRecord | null;
}

const LF = 0x0a;
const CR = 0x0d;

export function createSseSplitter(maxEventBytes: number): SseSplitter {
  let carry: Buffer | null = null;
  let scanned = 0;
  let lineStart = 0;

  function scan(bytes: Buffer): SseRecord[] {
    const records: SseRecord[] = [];
    let eventStart = 0;
    let at = scanned;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte !== LF && byte !== CR) {
        at += 1;
        continue;
      }
      if (byte === CR && at + 1 === bytes.length) break; // a LF may follow in the next chunk
      const next = byte === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
      if (at === lineStart && at >= eventStart) {
        records.push(record(bytes.subarray(eventStart, next)));
        eventStart = next;
      }
      lineStart = next;
      at = next;
    }
    keep(bytes, eventStart, at);
    return records;
  }

  function keep(bytes: Buffer, eventStart: number, at: number): void {
    carry = eventStart < bytes.length ? bytes.subarray(eventStart) : null;
    scanned = at - eventStart;
    lineStart -= eventStart;
    if (carry !== null && carry.length > maxEventBytes) {
      throw new SseOverflow(`an event exceeds ${maxEventBytes} bytes`);
    }
  }

  return {
    push(chunk) {
      return scan(carry === null ? chunk : Buffer.concat([carry, chunk]));
    },
    end() {
      const rest = carry;
      carry = null;
      return rest === null ? null : record(rest);
    },
  };
}

function record(bytes: Buffer): SseRecord {
  const text = bytes.toString('utf8');
  const oneLine = text.indexOf('\n') === text.length - 2 && !text.includes('\r');
  if (oneLine && text.startsWith('data: ')) {
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
