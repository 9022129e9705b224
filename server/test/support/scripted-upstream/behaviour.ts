/**
 * What the scripted upstream does with one call: the mock's options, which speak of events and
 * waits, and what only sockets can do wrong, which speaks of bytes and connections.
 */

export interface Behaviour {
  /** As in a model's name, and in place of what it says: `ttft=500ms,cut=3`. */
  readonly options?: string;
  /** Reads the request and never writes a byte. */
  readonly silent?: boolean;
  /** The whole answer, head and all, as raw bytes on the socket. */
  readonly raw?: string | Buffer;
  readonly status?: number;
  /** Added to the head, or in place of what stands there: `content-type`, `set-cookie`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Instead of the mock's body. */
  readonly body?: string | Buffer;
  /** Waits before the head, in milliseconds. */
  readonly headDelayMs?: number;
  /** Says that the body is compressed, and compresses it, or does not. */
  readonly encode?: 'gzip' | 'bad-gzip';
  /** Sends the body so many times in a row; `Infinity` never ends. */
  readonly repeat?: number;
  /** Bytes left out at the end: 1 leaves an event without its blank line. */
  readonly dropEndBytes?: number;
  /** Offsets of the body at which it is cut into separate writes. */
  readonly cutAt?: readonly number[];
  /** Sends the body in pieces of so many bytes, one each so many milliseconds. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  /** Stops after so many bytes of the body and ends as `ending` says. */
  readonly endAfterBytes?: number;
  /**
   * - `clean`: the body ends as HTTP has it (the default).
   * - `fin`: the connection is closed before the body's end.
   * - `reset`: the connection is reset.
   * - `stall`: nothing more comes, the connection stays open.
   */
  readonly ending?: Ending;
}

export type Ending = 'clean' | 'fin' | 'reset' | 'stall';

export interface RecordedConnection {
  readonly id: number;
  /** On the monotonic clock (`performance.now`), as all times here. */
  readonly openedMs: number;
  readonly closedMs: number | null;
  /** Who closed it first. */
  readonly closedBy: 'client' | 'server' | null;
}

export interface RecordedCall {
  readonly number: number;
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** null where the body is no request of this wire. */
  readonly model: string | null;
  readonly connection: RecordedConnection;
  /** When the last byte of the request had arrived. */
  readonly receivedMs: number;
  /** When the answer was written to its end; null while it is not, or never will be. */
  readonly answeredMs: number | null;
  /** When the client closed the connection before the answer's end; null where it did not. */
  readonly clientClosedMs: number | null;
}
