/**
 * The mock's way out: an `Upstream` that answers in memory, with the same waits, time limits
 * and errors that sockets would give.
 *
 * An abort is noticed at once, within a wait or between two pieces. Pieces are made only when
 * they are asked for, so that a slow reader costs nothing.
 */
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../gateway/model/errors.ts';
import type {
  Upstream,
  UpstreamBody,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTimeouts,
} from '../../gateway/ports/upstream.ts';
import type { Clock } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { MockPiece } from './faults.ts';
import { type MockParts, MockProvider } from './mock-provider.ts';

/** Pieces without a wait after which other work gets its turn. */
const PIECES_PER_TURN = 64;
const NO_BYTES = Buffer.alloc(0);

export function createMockUpstream(parts: MockParts): Upstream {
  const provider = new MockProvider(parts);
  const { clock } = parts;
  return {
    async send(request, timeouts, signal): Promise<UpstreamResponse> {
      signal.throwIfAborted();
      const startedMs = clock.monotonicMs();
      const { headDelayMs, status, headers, pieces } = provider.respond(toMockRequest(request));
      await waitWithin(clock, headDelayMs, timeouts.firstByteMs, signal);
      const firstByteMs = timeouts.firstByteMs - (clock.monotonicMs() - startedMs);
      const body = new MockBody(pieces, { ...timeouts, firstByteMs }, clock, signal);
      return { status, headers, body };
    },
  };
}

class MockBody implements UpstreamBody {
  readonly #pieces: Iterable<MockPiece>;
  readonly #timeouts: UpstreamTimeouts;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #cancelled = new AbortController();
  /** Made when there is something to wait for. */
  #either: AbortSignal | null = null;

  constructor(
    pieces: Iterable<MockPiece>,
    timeouts: UpstreamTimeouts,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#pieces = pieces;
    this.#timeouts = timeouts;
    this.#clock = clock;
    this.#signal = signal;
  }

  async collect(maxBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of this) {
      bytes += part.length;
      if (bytes > maxBytes) {
        const message = `The provider’s answer is larger than ${maxBytes} bytes.`;
        throw new GatewayError('upstream_too_long', { message });
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  cancel(): void {
    this.#cancelled.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const { firstByteMs, idleMs } = this.#timeouts;
    let limitMs = firstByteMs;
    let index = 0;
    for (const piece of this.#pieces) {
      index += 1;
      if (index % PIECES_PER_TURN === 0) await setImmediate();
      const bytes = await this.#play(piece, limitMs);
      if (this.#cancelled.signal.aborted) return;
      if (bytes.length > 0) yield bytes;
      limitMs = idleMs;
    }
    this.#signal.throwIfAborted();
  }

  /** The bytes of a piece once their wait is over; none when the call was given up meanwhile. */
  async #play(piece: MockPiece, limitMs: number): Promise<Buffer> {
    this.#signal.throwIfAborted();
    if (piece.kind === 'reset') {
      throw new GatewayError('upstream_unreachable', {
        message: 'The provider closed the connection within its answer.',
      });
    }
    const waitMs = piece.kind === 'stall' ? Number.POSITIVE_INFINITY : piece.afterMs;
    if (waitMs > 0) await this.#wait(waitMs, limitMs);
    return piece.kind === 'stall' ? NO_BYTES : piece.bytes;
  }

  async #wait(waitMs: number, limitMs: number): Promise<void> {
    this.#either ??= AbortSignal.any([this.#signal, this.#cancelled.signal]);
    try {
      await waitWithin(this.#clock, waitMs, limitMs, this.#either);
    } catch (thrown) {
      if (this.#signal.aborted || !this.#cancelled.signal.aborted) throw thrown;
    }
  }
}

/** Throws `upstream_timeout` when the wait is longer than allowed. */
async function waitWithin(
  clock: Clock,
  waitMs: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (waitMs > limitMs) {
    await sleep(clock, Math.max(0, limitMs), signal);
    throw new GatewayError('upstream_timeout', {
      message: `The provider was silent for ${Math.round(limitMs)} ms.`,
    });
  }
  if (waitMs > 0) await sleep(clock, waitMs, signal);
}

function toMockRequest(request: UpstreamRequest) {
  return { path: request.path, headers: request.headers, body: request.body ?? NO_BYTES };
}
