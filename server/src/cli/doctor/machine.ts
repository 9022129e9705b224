/**
 * Checks of the machine: runtime, folders, disk, port.
 */
import { mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, reasonOf, remark } from './finding.ts';

const NODE_MAJOR_MIN = 24;
const FREE_BYTES_MIN = 1_073_741_824;
const PROBE_TIMEOUT_MS = 1500;
const PROBE_BODY_MAX = 4096;

export function checkNode({ doctor: say }: Messages, version: string): Finding {
  const isNewEnough = Number.parseInt(version, 10) >= NODE_MAJOR_MIN;
  return isNewEnough ? good('node', say.node.good(version)) : fault('node', say.node.bad(version));
}

/** Writes there, because permissions alone say nothing of full or read-only disks. */
export async function checkFolder(
  check: 'dataDir' | 'journal',
  { doctor: say }: Messages,
  path: string,
): Promise<Finding> {
  try {
    await rmdir(await mkdtemp(join(path, '.doctor-')));
    return good(check, say[check].good(path));
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== 'ENOENT') return fault(check, say[check].bad(path, reason));
    return good(check, say[check].missing(path));
  }
}

export async function checkDisk({ doctor: say }: Messages, path: string): Promise<Finding | null> {
  // Before the first start the folder is missing: nothing can be said of its disk.
  const disk = await statfs(path).catch(() => null);
  if (disk === null) return null;
  const freeBytes = disk.bavail * disk.bsize;
  const free = `${(freeBytes / FREE_BYTES_MIN).toFixed(1)} GiB`;
  return freeBytes >= FREE_BYTES_MIN
    ? good('disk', say.disk.good(free))
    : remark('disk', say.disk.low(free));
}

export async function checkPort(
  { doctor: say }: Messages,
  host: string,
  port: number,
): Promise<Finding> {
  const address = `${host}:${port}`;
  const reason = await tryListening(host, port);
  if (reason === null) return good('port', say.port.free(address));
  if (reason !== 'EADDRINUSE') return fault('port', say.port.bad(address, reason));
  return (await isEsclusa(host, port))
    ? good('port', say.port.ours(address))
    : fault('port', say.port.taken(address));
}

/** null where it can be listened on. */
function tryListening(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(reasonOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function isEsclusa(host: string, port: number): Promise<boolean> {
  const target = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return new Promise((resolve) => {
    const options = { host: target, port, path: '/health/live', timeout: PROBE_TIMEOUT_MS };
    const request = get({ ...options, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > PROBE_BODY_MAX) request.destroy();
      });
      response.on('end', () => resolve(body.includes('"alive"')));
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
