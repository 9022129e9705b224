/**
 * Cuts the bytes of one connection into requests with a content-length. Understands nothing
 * else of HTTP: no chunked bodies, no pipelining beyond one request after the other.
 */

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;

/**
 * Returns a function that takes the bytes as they arrive and calls `onRequest` with each whole
 * body. It returns false once the bytes are not something it can read.
 */
export function createRequestReader(onRequest: (body: Buffer) => void): (bytes: Buffer) => boolean {
  let kept: Buffer | null = null;
  return (bytes) => {
    let rest = kept === null ? bytes : Buffer.concat([kept, bytes]);
    kept = null;
    while (rest.length > 0) {
      const headEnd = rest.indexOf(HEAD_END);
      if (headEnd < 0) break;
      const length = LENGTH.exec(rest.toString('latin1', 0, headEnd))?.[1];
      if (length === undefined) return false;
      const bodyStart = headEnd + HEAD_END.length;
      const bodyEnd = bodyStart + Number(length);
      if (rest.length < bodyEnd) break;
      onRequest(rest.subarray(bodyStart, bodyEnd));
      rest = rest.subarray(bodyEnd);
    }
    if (rest.length > 0) kept = rest;
    return true;
  };
}
