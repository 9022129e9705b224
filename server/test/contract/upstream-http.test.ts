/** The pooled HTTP way out keeps the promises of the port, over real sockets. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createHttpUpstream } from '../../src/transport/http-upstream.ts';
import { upstreamSuite } from './upstream-suite.ts';

upstreamSuite('http', async (t) => {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    if (request.url === '/plain') {
      response.end('an answer of more than twenty bytes');
      return;
    }
    const pieces = ['one', 'two', 'three'];
    const pace = setInterval(() => {
      const piece = pieces.shift();
      if (piece !== undefined) response.write(piece);
      else response.end();
    }, 20);
    response.on('close', () => clearInterval(pace));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const upstream = createHttpUpstream({
    name: 'demo',
    baseUrl: new URL(`http://127.0.0.1:${port}`),
    connectMs: 2000,
    connections: 4,
    clock: systemClock,
    log: silentLog,
  });
  t.after(async () => {
    await upstream.destroy();
    server.closeAllConnections();
    server.close();
  });
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}') } as const;
  return {
    upstream,
    plain: { ...request, path: '/plain' },
    stream: { ...request, path: '/stream' },
  };
});
