/**
 * The denominator: the least that a Node.js process can do between a client and an upstream.
 * Bare `node:http` in, `undici`'s `Pool.dispatch` out, bytes piped with back-pressure in both
 * directions of time (a slow reader pauses the upstream, a client that leaves aborts it).
 * No parsing, no authentication, no limits, no log.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const CONNECTIONS = 1024;
const ORIGIN = process.argv[2] ?? '';

const pool = new Pool(ORIGIN, { connections: CONNECTIONS, pipelining: 1 });

const server = createServer({ noDelay: true }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks);
    forward(request, response, body);
  });
});

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer | null): void {
  const headers = {
    'content-type': request.headers['content-type'] ?? '',
    authorization: request.headers.authorization ?? '',
  };
  const options = { path: request.url ?? '/', method: 'POST', headers, body } as const;
  let controller: Dispatcher.DispatchController | null = null;
  response.on('close', () => {
    if (!response.writableFinished) controller?.abort(new Error('the client left'));
  });
  response.on('drain', () => controller?.resume());
  pool.dispatch(options, {
    onRequestStart(started) {
      controller = started;
    },
    onResponseStart(_, status, answerHeaders) {
      const { connection, 'keep-alive': keepAlive, ...passed } = answerHeaders;
      response.writeHead(status, passed);
    },
    onResponseData(started, chunk) {
      if (!response.write(chunk)) started.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  });
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
