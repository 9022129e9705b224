/**
 * The commands that a real Redis is sent while a test looks on, by `MONITOR`: those of clients
 * alone, not those that scripts run inside.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestRedis } from './redis-server.ts';
import { until } from './until.ts';

export interface RedisMonitor {
  /** Names in lower case, in the order in which they came; up to the moment of the call. */
  commands(): Promise<readonly string[]>;
  close(): void;
}

/** `1700000000.000001 [0 127.0.0.1:5000] "evalsha" "…` */
const LINE = /^\+\d+\.\d+ \[\d+ (\S+)\] "([^"]+)"/;

export async function monitorRedis(redis: TestRedis): Promise<RedisMonitor> {
  const socket = connect(redis.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'connect');
  socket.write('MONITOR\r\n');
  await until('Redis tells its commands', () => text.startsWith('+OK'));
  let marks = 0;
  return {
    async commands() {
      marks += 1;
      const mark = `mark-${process.pid}-${marks}`;
      await redis.cli('echo', mark);
      await until('the mark has come', () => text.includes(mark));
      return text
        .split('\r\n')
        .map((line) => LINE.exec(line))
        .filter((found) => found !== null && found[1] !== 'lua')
        .map((found) => String(found?.[2]).toLowerCase())
        .filter((name) => name !== 'echo');
    },
    close: () => socket.destroy(),
  };
}
