/**
 * The way out to one provider: bytes there, bytes back. `transport` implements it over pooled
 * sockets; the built-in mock answers in memory. Neither knows what the bytes mean.
 */

export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'HEAD';
  /** Path and query below the provider's base URL, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface UpstreamTimeouts {
  /** To open a connection for this call, in milliseconds; absent: as the way out has it. */
  readonly connectMs?: number;
  /** From sending to the first byte of the body, in milliseconds. */
  readonly firstByteMs: number;
  /** Longest silence between two pieces of the body, in milliseconds. */
  readonly idleMs: number;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names; a header sent several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: UpstreamBody;
}

/**
 * The body, read once, by one of the two ways. Both throw a `GatewayError`:
 * `upstream_unreachable` (reset), `upstream_truncated` (closed before its declared end),
 * `upstream_invalid` (no HTTP), `upstream_timeout` (silence), or the signal's reason.
 * Back-pressure: the socket is paused while the reader is behind. Leaving the iteration early
 * closes the upstream call.
 */
export interface UpstreamBody extends AsyncIterable<Buffer> {
  /** The whole body; `upstream_too_long` beyond `maxBytes`. */
  collect(maxBytes: number): Promise<Buffer>;
  /** Gives the call up; harmless when it is over. */
  cancel(): void;
}

export interface Upstream {
  /**
   * Sends one request and resolves with the head of its answer.
   *
   * Throws `upstream_unreachable` (refused, reset, no name), `upstream_timeout` (connect or
   * first byte), or the signal's reason. When the signal aborts, the socket is destroyed at
   * once, whether the head has arrived or not.
   */
  send(
    request: UpstreamRequest,
    timeouts: UpstreamTimeouts,
    signal: AbortSignal,
  ): Promise<UpstreamResponse>;
}
