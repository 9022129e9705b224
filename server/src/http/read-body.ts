/**
 * Reading a request's body whole, within a bound of bytes. What lies beyond the bound is
 * neither read nor kept.
 */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../gateway/index.ts';

/**
 * Resolves with the body. Rejects with `body_too_large` (at once where the length is
 * declared), or `client_closed` when the client leaves half-way.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (declaredLength(request) > maxBytes) {
      reject(tooLarge(maxBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        reject(tooLarge(maxBytes));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () =>
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
    );
    request.on('error', () => reject(new GatewayError('client_closed')));
    request.on('close', () => {
      if (!request.complete) reject(new GatewayError('client_closed'));
    });
  });
}

/** The `content-length` sent, 0 where there is none. */
export function declaredLength(request: IncomingMessage): number {
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(raw[i + 1]);
  }
  return 0;
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('body_too_large', {
    message: `The body is larger than ${maxBytes} bytes (max_body_bytes).`,
  });
}
