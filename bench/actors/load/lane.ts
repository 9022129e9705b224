/**
 * One connection that carries one call after the other, on a bare socket. At saturation the
 * generator must cost less than what it measures; a full client costs as much as the bare
 * pass-through itself. Understands answers with a content-length and chunked ones, counts the
 * bytes of the body, and treats all else as an error.
 */
import { connect, type Socket } from 'node:net';
import type { Target } from '../protocol.ts';
import { type Numbers, numberOf } from './call.ts';

export interface Lane {
  /** Sends one call; `onEnd` gets null, or what was wrong with the answer. One at a time. */
  send(onEnd: (problem: string | null) => void): void;
  close(): void;
}

interface Answer {
  readonly status: string;
  readonly headBytes: number;
  /** Of the body; null for a chunked one. */
  readonly length: number | null;
}

const HEAD_END = '\r\n\r\n';
const CHUNKED_END = '0\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;
const STATUS_AT = 'HTTP/1.1 '.length;

export async function openLane(target: Target, numbers: Numbers): Promise<Lane> {
  const socket = await connectTo(target.origin);
  const request = requestBytes(target);
  const markerAt = target.marker === null ? -1 : request.indexOf(target.marker);
  const digits = target.marker?.length ?? 0;
  let onEnd: ((problem: string | null) => void) | null = null;
  const end = (problem: string | null) => {
    const settle = onEnd;
    onEnd = null;
    settle?.(problem);
  };
  socket.on('data', createAnswerReader(target.answerBytes, end));
  socket.on('error', (error) => end(error.message));
  socket.on('close', () => end('connection closed'));
  return {
    send(listener) {
      if (socket.destroyed) return listener('connection closed');
      onEnd = listener;
      if (markerAt >= 0) {
        request.write(
          String(numberOf(target, numbers())).padStart(digits, '0'),
          markerAt,
          'latin1',
        );
      }
      socket.write(request);
    },
    close() {
      onEnd = null;
      socket.destroy();
    },
  };
}

function connectTo(origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function requestBytes({ origin, path, headers, body }: Target): Buffer {
  const fields = Object.entries({ host: new URL(origin).host, ...headers });
  const lines = fields.map(([name, value]) => `${name}: ${value}`).join('\r\n');
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\n${lines}\r\ncontent-length: ${length}${HEAD_END}${body}`,
  );
}

/** Takes the bytes of a connection as they come and calls `onEnd` at the end of each answer. */
export function createAnswerReader(
  answerBytes: number | null,
  onEnd: (problem: string | null) => void,
): (bytes: Buffer) => void {
  let kept: Buffer | null = null;
  let answer: Answer | null = null;
  let received = 0;
  const finish = (bodyBytes: number | null) => {
    const status = answer?.status ?? '';
    answer = null;
    received = 0;
    kept = null;
    if (status !== '200') onEnd(`status ${status}`);
    else if (answerBytes === null || bodyBytes === null || bodyBytes === answerBytes) onEnd(null);
    else onEnd(`${bodyBytes} bytes`);
  };
  return (bytes) => {
    const all: Buffer = kept === null ? bytes : Buffer.concat([kept, bytes]);
    if (answer === null) {
      answer = readHead(all);
      if (answer === null) {
        kept = all;
        return;
      }
      received = all.length - answer.headBytes;
    } else {
      received += bytes.length;
    }
    if (answer.length !== null) {
      if (received >= answer.length) finish(received);
      return;
    }
    // Only the last bytes are needed to see the end of a chunked body.
    kept = all.subarray(-CHUNKED_END.length);
    if (kept.toString('latin1') === CHUNKED_END) finish(null);
  };
}

function readHead(bytes: Buffer): Answer | null {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const status = head.slice(STATUS_AT, STATUS_AT + 3);
  const length = LENGTH.exec(head)?.[1];
  const headBytes = end + HEAD_END.length;
  if (length !== undefined) return { status, headBytes, length: Number(length) };
  if (CHUNKED.test(head)) return { status, headBytes, length: null };
  return { status: 'without a length', headBytes, length: 0 };
}
