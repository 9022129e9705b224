/**
 * The upstream process: an OpenAI-like server on a bare socket, cheap enough that no subject
 * waits for it. It reads exactly as much HTTP as it needs (a request with a content-length) and
 * closes the connection on anything else, which a probe before each measurement would notice.
 *
 * Answers are ready-made. A stream gets its first chunk at once and each further one at its own
 * multiple of the interval, so that lateness never adds up; interval 0 sends all at once.
 */
import { createServer, type Socket } from 'node:net';
import { plainAnswer, type StreamParts, streamParts } from './answers.ts';
import type { UpstreamCommand } from './protocol.ts';
import { createRequestReader } from './request-reader.ts';

interface Stream {
  readonly socket: Socket;
  readonly end: Buffer;
  readonly startedMs: number;
  sent: number;
}

const TICK_MS = 1;

function startUpstream(): void {
  const answer = plainAnswer();
  const count = { plain: 0, streams: 0 };
  const streams = createStreams(streamParts());
  const server = createServer({ noDelay: true }, (socket) => {
    const read = createRequestReader((body) => {
      if (!body.includes('"stream":true')) {
        count.plain += 1;
        socket.write(answer);
        return;
      }
      count.streams += 1;
      streams.begin(socket, body.includes('"include_usage":true'));
    });
    socket.on('data', (bytes) => {
      if (!read(bytes)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => streams.forget(socket));
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
  });
  process.on('message', (command: UpstreamCommand) => {
    if (command.kind === 'configure') streams.configure(command);
    process.send?.({ ...count });
  });
  process.on('disconnect', () => process.exit());
}

function createStreams(parts: StreamParts) {
  const live = new Map<Socket, Stream>();
  let chunks = 20;
  let intervalMs = 50;
  let isTicking = false;

  const advance = (stream: Stream, nowMs: number) => {
    const due = intervalMs === 0 ? chunks + 1 : (nowMs - stream.startedMs) / intervalMs;
    while (stream.sent < chunks && stream.sent <= due) {
      stream.socket.write(parts.next);
      stream.sent += 1;
    }
    if (stream.sent < chunks || due < chunks) return;
    stream.socket.write(stream.end);
    live.delete(stream.socket);
  };
  const tick = () => {
    const nowMs = performance.now();
    for (const stream of live.values()) advance(stream, nowMs);
    isTicking = live.size > 0;
    if (isTicking) setTimeout(tick, TICK_MS);
  };
  return {
    configure(to: { readonly chunks: number; readonly chunkIntervalMs: number }) {
      chunks = to.chunks;
      intervalMs = to.chunkIntervalMs;
    },
    begin(socket: Socket, withUsage: boolean) {
      const end = withUsage ? parts.endWithUsage : parts.end;
      const stream = { socket, end, startedMs: performance.now(), sent: 1 };
      socket.write(parts.head);
      socket.write(parts.first);
      live.set(socket, stream);
      if (intervalMs === 0) advance(stream, stream.startedMs);
      else if (!isTicking) {
        isTicking = true;
        setTimeout(tick, TICK_MS);
      }
    },
    forget(socket: Socket) {
      live.delete(socket);
    },
  };
}

startUpstream();
