/**
 * A real nginx in front of gateways, with the very files that are deployed: only the addresses
 * of the gateways and the port to listen on are put in. Gone with the test that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from './afterwards.ts';
import { freePort } from './redis-server.ts';
import { until } from './until.ts';

const DEPLOYED = join(import.meta.dirname, '../../../deploy/docker/nginx');
/** Debian keeps it where not everyone looks. */
const PROGRAM = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx';

export interface TestNginx {
  readonly url: string;
  /** What it wrote about failures. */
  errors(): string;
}

/** `ports`: the gateways', on this machine. */
export async function startNginx(owner: Owner, ports: readonly number[]): Promise<TestNginx> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  const log = join(folder, 'error.log');
  await writeFile(file, configurationOf(folder, port, ports));
  const child = spawn(PROGRAM, ['-p', folder, '-c', file, '-e', log], { stdio: 'ignore' });
  owner.after(async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  await until('nginx listens', () => isListening(port));
  return { url: `http://127.0.0.1:${port}`, errors: () => readFileSync(log, 'utf8') };
}

function configurationOf(folder: string, port: number, ports: readonly number[]): string {
  const servers = ports.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=2s;`);
  const upstream = readFileSync(join(DEPLOYED, 'upstream.conf'), 'utf8')
    .replaceAll(/^ *server gateway-.*\n/gm, '')
    .replace('zone esclusa 64k;', `zone esclusa 64k;\n${servers.join('\n')}`);
  const site = readFileSync(join(DEPLOYED, 'esclusa.conf'), 'utf8').replace(
    'listen 80;',
    `listen 127.0.0.1:${port};`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
access_log off;
${temporary.join('\n')}
${upstream}
${site}
}
`;
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGQUIT');
  await gone;
}
