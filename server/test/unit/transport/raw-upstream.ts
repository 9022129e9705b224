/**
 * A server that speaks bytes: each test says what goes out on the socket and sees what
 * happened to it. Counts connections and requests; knows nothing of HTTP beyond the end of a
 * request.
 */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { UpstreamRequest } from '../../../src/gateway/ports/upstream.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { Log, LogFields } from '../../../src/kernel/log.ts';
import {
  createHttpUpstream,
  type HttpUpstream,
  type HttpUpstreamOptions,
} from '../../../src/transport/http-upstream.ts';

export interface RawUpstream {
  readonly port: number;
  readonly url: URL;
  /** Complete requests received, as text, in order. */
  readonly requests: string[];
  readonly sockets: Set<Socket>;
  connections(): number;
  stop(): Promise<void>;
}

/** Called for each complete request; writes the answer. */
export type Answering = (socket: Socket, request: string) => void;

export async function startRawUpstream(t: TestContext, answer: Answering): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = requestEnd(text); end > 0; end = requestEnd(text)) {
        const request = text.slice(0, end);
        text = text.slice(end);
        requests.push(request);
        answer(socket, request);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  t.after(stop);
  return {
    port: address.port,
    url: new URL(`http://127.0.0.1:${address.port}/v1`),
    requests,
    sockets,
    connections: () => connections,
    stop,
  };
}

function requestEnd(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const length = /content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? '0';
  const end = headEnd + 4 + Number(length);
  return text.length >= end ? end : 0;
}

export const HEAD_OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

export function plainAnswer(body: string, extra = ''): string {
  return `${HEAD_OK}${extra}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export const CHUNKED = `${HEAD_OK}transfer-encoding: chunked\r\n\r\n`;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function createTestUpstream(
  t: TestContext,
  options: Partial<HttpUpstreamOptions> & { readonly baseUrl: URL },
): HttpUpstream {
  const upstream = createHttpUpstream({
    name: 'demo',
    connectMs: 2000,
    connections: 8,
    clock: systemClock,
    log: recordingLog(),
    ...options,
  });
  t.after(() => upstream.destroy());
  return upstream;
}

export const PATIENT = { firstByteMs: 10_000, idleMs: 10_000 };

export function post(path = '/chat/completions', body = '{"model":"m"}'): UpstreamRequest {
  const headers = { authorization: 'Bearer test', 'content-type': 'application/json' };
  return { method: 'POST', path, headers, body: Buffer.from(body) };
}

export function unaborted(): AbortSignal {
  return new AbortController().signal;
}

/** Resolves once the condition holds; fails with its name when it does not in time. */
export async function until(
  what: string,
  holds: () => boolean,
  deadlineMs = 5000,
): Promise<number> {
  const startedMs = performance.now();
  while (!holds()) {
    if (performance.now() - startedMs > deadlineMs) assert.fail(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - startedMs;
}
