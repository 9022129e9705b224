/**
 * A port that takes no connection: a listener in another process whose accept queue is full
 * drops what comes next, as a firewall would.
 */
import { fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

export interface DeafServer {
  readonly url: string;
  close(): void;
}

const FILLERS = 6;

export async function startDeafServer(): Promise<DeafServer> {
  const child = fork(new URL('./deaf-listener.mjs', import.meta.url));
  const port = await new Promise<number>((resolve) => {
    child.once('message', (message) => resolve(Number(message)));
  });
  const fillers: Socket[] = [];
  for (let i = 0; i < FILLERS; i += 1) {
    fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
  }
  await until('the queue is full', () => fillers.some((socket) => !socket.connecting));
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
