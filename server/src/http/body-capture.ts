/**
 * Copies of what clients send and are given, made while an operator wants them kept, and handed
 * to the store when an answer has left. While keeping is off nothing is opened, and the edge
 * copies nothing.
 *
 * 1. Only bodies: no header, address or credential comes near here.
 * 2. Only exchanges that have a row in the ledger, under the row's tenant.
 * 3. Answers under way hold at most `HELD_BYTES_MAX` together; one that finds no more room is
 *    given up whole, and counted.
 */
import type { BodyStore, Exchange, KeptBody } from '../gateway/index.ts';

export interface CaptureSettings {
  readonly enabled: boolean;
  /** Of a request, and of an answer. */
  readonly maxBytes: number;
}

/** What one client is given. */
export interface Capture {
  readonly sent: (bytes: Uint8Array) => void;
  /** Hands over what was asked and given, once, after the answer's end was written. */
  close(exchange: Exchange): void;
}

export interface BodyCapture {
  /** null while bodies are not kept. */
  open(): Capture | null;
  /** Exchanges given up since the start. */
  dropped(): number;
}

const HELD_BYTES_MAX = 33_554_432;
const SMALLEST_BYTES = 1024;

export function createBodyCapture(
  settings: () => CaptureSettings,
  store: Pick<BodyStore, 'keep'>,
  heldBytesMax: number = HELD_BYTES_MAX,
): BodyCapture {
  let heldBytes = 0;
  let dropped = 0;

  /** Reserves or gives back room; false where there is none. */
  function hold(bytes: number): boolean {
    if (heldBytes + bytes > heldBytesMax) return false;
    heldBytes += bytes;
    return true;
  }

  function opened(maxBytes: number): Capture {
    const beginning = new Beginning(maxBytes, hold);
    return {
      sent: (bytes) => beginning.add(bytes),
      close({ entry, request }) {
        const response = beginning.take();
        // Switched off in between means off.
        if (entry === null || !settings().enabled) return;
        if (response === 'no_room') {
          dropped += 1;
          return;
        }
        const { id: requestId, tenant, createdAtMs } = entry;
        const asked = beginningOf(request.sentBytes ?? request.bytes, maxBytes);
        store.keep({ requestId, tenant, createdAtMs, request: asked, response });
      },
    };
  }

  return {
    open() {
      const { enabled, maxBytes } = settings();
      return enabled ? opened(maxBytes) : null;
    },
    dropped: () => dropped,
  };
}

/** The first bytes of what comes in pieces, in a buffer that grows as they do. */
class Beginning {
  readonly #maxBytes: number;
  readonly #hold: (bytes: number) => boolean;
  #buffer: Uint8Array | null = new Uint8Array(0);
  #length = 0;
  #totalBytes = 0;

  constructor(maxBytes: number, hold: (bytes: number) => boolean) {
    this.#maxBytes = maxBytes;
    this.#hold = hold;
  }

  add(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    const kept = bytes.subarray(0, this.#maxBytes - this.#length);
    const buffer = this.#roomFor(this.#length + kept.length);
    if (buffer === null) return;
    buffer.set(kept, this.#length);
    this.#length += kept.length;
  }

  /** What there is, without the room; null where nothing came. */
  take(): KeptBody | null | 'no_room' {
    const buffer = this.#buffer;
    if (buffer === null) return 'no_room';
    this.#release(buffer);
    if (this.#totalBytes === 0) return null;
    const truncated = this.#totalBytes > this.#length;
    return { bytes: buffer.slice(0, this.#length), truncated };
  }

  /** null once there was no room, for good. */
  #roomFor(length: number): Uint8Array | null {
    const buffer = this.#buffer;
    if (buffer === null || buffer.length >= length) return buffer;
    const size = Math.min(this.#maxBytes, Math.max(length, 2 * buffer.length, SMALLEST_BYTES));
    if (!this.#hold(size - buffer.length)) {
      this.#release(buffer);
      return null;
    }
    const grown = new Uint8Array(size);
    grown.set(buffer);
    this.#buffer = grown;
    return grown;
  }

  #release(buffer: Uint8Array): void {
    this.#hold(-buffer.length);
    this.#buffer = null;
  }
}

/** A copy: a part of the buffer would keep all of it in memory, and travel whole. */
function beginningOf(bytes: Uint8Array, maxBytes: number): KeptBody | null {
  if (bytes.length === 0) return null;
  const truncated = bytes.length > maxBytes;
  return { bytes: new Uint8Array(bytes.subarray(0, maxBytes)), truncated };
}
