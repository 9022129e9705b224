/**
 * Bytes that never became a request: broken HTTP, headers too large or too slow. They are
 * answered on the bare socket, as a JSON error, and the connection is closed.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, GatewayError } from '../gateway/index.ts';
import type { DialectWriter } from './endpoint.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers the status; null where nobody is left to be told. */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Duplex,
  writer: DialectWriter | undefined,
  requestId: string,
): number | null {
  if (error.code === 'ECONNRESET' || !socket.writable || writer === undefined) {
    socket.destroy();
    return null;
  }
  const refusal = new GatewayError(CODES[error.code ?? ''] ?? 'http_malformed');
  const body = writer.error(refusal, requestId);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  return refusal.status;
}
