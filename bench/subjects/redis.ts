/**
 * A Redis of the run's own, without persistence, on the core of the upstream; gone with the
 * subject that uses it.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Child } from '../processes/children.ts';
import { freePort, until } from '../processes/wait.ts';
import type { Stage } from '../stage.ts';
import { Unavailable } from './subject.ts';

export interface BenchRedis {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_MS = 5000;

export async function startRedis({ children, cores, signal }: Stage): Promise<BenchRedis> {
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = children.spawn({
    ...{ name: 'redis', command: 'redis-server', args: words, core: cores.upstream },
  });
  const wait = { what: 'Redis did not start', deadlineMs: READY_MS, everyMs: 20, signal };
  await until(() => answers(port, child), wait);
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid, stop: () => child.stop() };
}

async function answers(port: number, child: Child): Promise<boolean> {
  if (child.ended()) throw new Unavailable(`no redis-server here\n${child.output()}`.trim());
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
