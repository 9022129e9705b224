/**
 * A real PgBouncer before a real PostgreSQL, lending connections for one transaction each. Gone
 * with the test that started it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Owner } from './afterwards.ts';
import { freePort, HOST, serverUser } from './postgres-process.ts';
import { ROLES } from './postgres-server.ts';
import { until } from './until.ts';

/** null where it is not installed. */
export function findPgBouncer(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  const found = folders.map((folder) => join(folder, 'pgbouncer')).find(existsSync);
  return found ?? null;
}

/** Answers its port. `connections`: the most it opens to one database as one role. */
export async function startPgBouncer(
  owner: Owner,
  program: string,
  serverPort: number,
  connections: number,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-pgbouncer-'));
  const port = await freePort();
  const users = Object.values(ROLES).map((role) => `"${role}" "any"`);
  const files = {
    'users.txt': users.join('\n'),
    'pgbouncer.ini': `[databases]
* = host=${HOST} port=${serverPort}
[pgbouncer]
listen_addr = ${HOST}
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users.txt
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 2000
`,
  };
  const user = serverUser();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  if (user !== null) for (const name of ['', ...Object.keys(files)]) own(join(folder, name), user);
  const args = ['-q', join(folder, 'pgbouncer.ini')];
  const child = spawn(program, args, { stdio: 'ignore', ...(user ?? {}) });
  const ended = once(child, 'exit');
  owner.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  await until('PgBouncer listens', () => isListening(port));
  return port;
}

function own(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  chownSync(path, uid, gid);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}
