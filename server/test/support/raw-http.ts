/**
 * HTTP as bytes on a socket, for requests that no client library would send.
 */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** From connecting to the last byte, or to the close of the connection. */
  readonly tookMs: number;
}

/**
 * Sends the pieces as they are and reads until the server closes, or until `stop` says that
 * what has come is enough.
 */
export function sendRaw(
  url: string,
  pieces: readonly (string | Buffer)[],
  stop: (received: string) => boolean = isComplete,
  timeoutMs = 10_000,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    const finish = (): void => {
      socket.destroy();
      resolve(parse(received, performance.now() - startedMs));
    };
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
      reject(new Error(`no complete answer within ${timeoutMs} ms; so far: ${received}`));
    });
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (stop(received)) finish();
    });
    socket.on('close', finish);
    socket.on('error', (error) => {
      if (received === '') reject(error);
      else finish();
    });
  });
}

/** True once a head with a `content-length` and that many bytes have come. */
export function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /^content-length: *(\d+)\r$/im.exec(received.slice(0, headEnd + 1));
  return length !== null && received.length >= headEnd + 4 + Number(length[1]);
}

function parse(received: string, tookMs: number): RawAnswer {
  const headEnd = received.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? received : received.slice(0, headEnd);
  const body = headEnd < 0 ? '' : Buffer.from(received.slice(headEnd + 4), 'latin1').toString();
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body, tookMs };
}
