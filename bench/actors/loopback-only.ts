/**
 * Preloaded into a subject that would listen on every interface and has no setting for it: makes
 * `listen(port)` mean `listen(port, '127.0.0.1')`. Runs once at start, so it costs a call nothing.
 */
import { Server } from 'node:net';

type Listen = (this: Server, ...args: unknown[]) => Server;

const listen = Server.prototype.listen as Listen;

Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [port, ...rest] = args;
  if (typeof port !== 'number') return listen.apply(this, args);
  const callbacks = rest.filter((value) => typeof value === 'function');
  return listen.call(this, port, '127.0.0.1', ...callbacks);
};
