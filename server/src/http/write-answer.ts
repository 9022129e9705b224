/**
 * The last steps of an inference request: writing a complete answer, pumping a stream, or
 * saying what went wrong, in the dialect of the endpoint.
 *
 * Invariants: a stream ends with its dialect's end marker or with an error event, never
 * silently; a slow reader stops the upstream instead of filling memory; one that takes nothing
 * of an answer for `stalledReaderMs` is cut, a plain answer's like a stream's; the frames of a
 * stream are always iterated, because settlement happens when the iteration ends.
 */
import type { ServerResponse } from 'node:http';
import type { Exchange, PlainAnswer, StreamAnswer } from '../gateway/index.ts';
import { asGatewayError, GatewayError } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { decimalFromNanousd } from '../kernel/money.ts';
import { commonHeaders, type ProcessFacts, retryHeaders } from './answer-headers.ts';
import type { DialectWriter } from './endpoint.ts';

export interface WriteDeps {
  readonly clock: Clock;
  readonly facts: ProcessFacts;
  readonly stalledReaderMs: number;
  /** Told of every piece of an answer as it goes to the client; absent where nobody asks. */
  readonly sent?: (bytes: Uint8Array) => void;
}

const OK = 200;
/** How long the connection of a refused upload stays open so that its client can read why. */
const LINGER_MS = 500;
/** What a client is given at a time: one that takes less in `stalledReaderMs` takes nothing. */
const PIECE_BYTES = 65_536;

/** null: all of it is written. */
export function writePlain(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  writer: DialectWriter,
  answer: PlainAnswer,
): Promise<void> | null {
  const headers = headersOf(deps, exchange, writer);
  headers.push('content-type', answer.contentType);
  headers.push('content-length', String(answer.bytes.length));
  response.writeHead(OK, headers);
  deps.sent?.(answer.bytes);
  if (answer.bytes.length <= PIECE_BYTES) {
    response.end(answer.bytes);
    return null;
  }
  return putInPieces(deps, response, exchange, answer.bytes).then(() => void response.end());
}

/** `restUnread`: most of the request's body was not read, and its connection must end. */
export function writeError(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  writer: DialectWriter,
  thrown: unknown,
  restUnread = false,
): void {
  if (response.destroyed) return;
  const error = asGatewayError(thrown);
  const body = writer.error(error, exchange.id);
  const headers = headersOf(deps, exchange, writer);
  headers.push(...retryHeaders(error));
  headers.push('content-type', 'application/json', 'content-length', String(body.length));
  if (restUnread) headers.push('connection', 'close');
  response.writeHead(error.status, headers);
  deps.sent?.(body);
  if (restUnread) {
    response.write(body);
    endLater(deps, response);
  } else {
    response.end(body);
  }
}

/**
 * Closing while bytes are left unread would make the kernel reset the connection, and the
 * client lose the answer; going on with it would make the rest of one request part of the
 * next. So the client is told that the connection ends, and it ends a moment later.
 */
function endLater(deps: WriteDeps, response: ServerResponse): void {
  const timer = deps.clock.setTimer(LINGER_MS, () => response.end());
  response.once('close', () => timer.cancel());
}

/** Resolves when the stream has ended, well or not; never rejects. */
export async function pumpStream(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  writer: DialectWriter,
  answer: StreamAnswer,
): Promise<void> {
  let sequence = -1;
  try {
    for await (const frame of answer.frames) {
      if (frame.unread === true) {
        const { reason } = exchange.abort.signal;
        endBroken(deps, response, exchange, writer, { thrown: reason, sequence: sequence + 1 });
        continue;
      }
      if (!response.headersSent) writeStreamHead(deps, response, exchange, writer);
      if (frame.bytes.length > 0) {
        deps.sent?.(frame.bytes);
        const writing = put(deps, response, exchange, frame.bytes);
        if (writing !== null) await writing;
      }
      sequence = frame.sequence ?? sequence;
      if (frame.terminal !== null) {
        endWith(deps, response, Buffer.concat([closing(exchange, writer), frame.terminal]));
      }
    }
  } catch (thrown) {
    endBroken(deps, response, exchange, writer, { thrown, sequence: sequence + 1 });
  }
}

function writeStreamHead(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  writer: DialectWriter,
): void {
  const headers = headersOf(deps, exchange, writer);
  headers.push('content-type', writer.streamContentType(exchange.request));
  headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
  response.writeHead(OK, headers);
}

function headersOf(deps: WriteDeps, exchange: Exchange, writer: DialectWriter): string[] {
  const headers = commonHeaders(exchange, deps.facts, deps.clock.monotonicMs());
  if (writer.requestIdHeader !== undefined) headers.push(writer.requestIdHeader, exchange.id);
  return headers;
}

function endBroken(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  writer: DialectWriter,
  { thrown, sequence }: { readonly thrown: unknown; readonly sequence: number },
): void {
  if (response.destroyed || response.writableEnded) return;
  if (!response.headersSent) {
    writeError(deps, response, exchange, writer, thrown);
    return;
  }
  endWith(deps, response, writer.errorFrame(asGatewayError(thrown), exchange.id, sequence));
}

function endWith(deps: WriteDeps, response: ServerResponse, bytes: Buffer): void {
  deps.sent?.(bytes);
  response.end(bytes);
}

/** What a stream's headers could not say yet, as a comment that clients skip. */
function closing(exchange: Exchange, writer: DialectWriter): Buffer {
  const entry = exchange.entry;
  if (entry === null) return Buffer.alloc(0);
  const facts = {
    cost_usd: entry.costNanousd === null ? null : decimalFromNanousd(entry.costNanousd),
    provider: entry.provider,
    model: entry.providerModel,
    attempts: entry.attempts,
    input_tokens: entry.usage.inputTokens,
    output_tokens: entry.usage.outputTokens,
    usage_source: entry.usage.source,
    duration_ms: entry.durationMs,
  };
  return writer.comment(exchange.request, `esclusa ${JSON.stringify(facts)}`);
}

/** null: the client may be given more at once. */
function put(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  bytes: Buffer,
): Promise<void> | null {
  if (bytes.length > PIECE_BYTES) return putInPieces(deps, response, exchange, bytes);
  return response.write(bytes) ? null : drained(deps, response, exchange);
}

async function putInPieces(
  deps: WriteDeps,
  response: ServerResponse,
  exchange: Exchange,
  bytes: Buffer,
): Promise<void> {
  for (let from = 0; from < bytes.length && !response.destroyed; from += PIECE_BYTES) {
    const piece = bytes.subarray(from, from + PIECE_BYTES);
    if (!response.write(piece)) await drained(deps, response, exchange);
  }
}

function drained(deps: WriteDeps, response: ServerResponse, exchange: Exchange): Promise<void> {
  // What closed before will not tell again that it did.
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    const timer = deps.clock.setTimer(deps.stalledReaderMs, () => {
      exchange.abort.abort(new GatewayError('client_closed'));
      response.destroy();
      done();
    });
    response.on('drain', done);
    response.on('close', done);
  });
}
