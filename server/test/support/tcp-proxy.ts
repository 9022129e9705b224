/**
 * A wire between a client and a server on this machine that can be made slow or cut.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Every piece is held back for this long, in both directions. */
  slow(delayMs: number): void;
  /** Breaks every connection; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ port: targetPort, host: HOST, noDelay: true });
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(); // a wire that holds small pieces back would be slow by itself
      from.on('data', (chunk) => {
        // Timers of one delay fire in order, so pieces stay in order.
        if (delayMs === 0) to.write(chunk);
        else setTimeout(() => to.write(chunk), delayMs);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    slow: (wantedMs) => {
      delayMs = wantedMs;
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
