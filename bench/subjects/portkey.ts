/**
 * Portkey's open gateway, as published. It is fetched on first use with the package manager, no
 * install scripts, into a cache folder that is no part of the repository. The versions of hono
 * and its server are forced: with those that a fresh install resolves to, its streams answer 500.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { freePort, until } from '../processes/wait.ts';
import { Unavailable, type Variant } from './subject.ts';

const NAME = '@portkey-ai/gateway';
const VERSION = '1.15.2';
const FORCED = { hono: '4.9.7', '@hono/node-server': '1.13.5' } as const;
const INSTALL_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 20_000;
const COMPLAINT_CHARS = 500;

const LOOPBACK_ONLY = new URL('../actors/loopback-only.ts', import.meta.url);
const FOLDER = fileURLToPath(
  new URL(`../../node_modules/.cache/esclusa-bench/portkey-${VERSION}/`, import.meta.url),
);
const PROGRAM = join(FOLDER, 'node_modules', NAME, 'build', 'start-server.js');

export const portkey: Variant = {
  id: 'portkey',
  label: `Portkey ${VERSION}`,
  async start({ children, cores, upstream, signal }) {
    await fetchOnce(signal);
    const port = await freePort();
    const child = children.spawn({
      name: 'portkey',
      args: ['--import', fileURLToPath(LOOPBACK_ONLY), PROGRAM, '--headless', `--port=${port}`],
      core: cores.subject,
      env: { NODE_ENV: 'production' },
    });
    const origin = `http://127.0.0.1:${port}`;
    const what = 'did not become ready';
    await until(() => answers(origin, child.ended()), {
      ...{ what, deadlineMs: START_TIMEOUT_MS, everyMs: 50, signal },
    });
    return {
      pid: child.pid,
      origin,
      headers: {
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `${upstream.origin}/v1`,
        authorization: 'Bearer bench',
      },
      isCached: false,
      verify: () => Promise.resolve(),
      stop: () => child.stop(),
    };
  },
};

async function answers(origin: string, hasEnded: boolean): Promise<boolean> {
  if (hasEnded) throw new Unavailable('ended while it started');
  try {
    const { body } = await request(origin);
    await body.dump();
    return true;
  } catch {
    return false;
  }
}

/** Installs into the cache folder unless the right versions are there already. */
async function fetchOnce(signal: AbortSignal): Promise<void> {
  if (hasRightVersions()) return;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const manifest = { private: true, dependencies: { [NAME]: VERSION }, overrides: FORCED };
  writeFileSync(join(FOLDER, 'package.json'), JSON.stringify(manifest));
  const problem = await install(signal);
  signal.throwIfAborted();
  if (problem !== null) throw new Unavailable(`cannot be fetched: ${problem}`);
  if (!hasRightVersions()) throw new Unavailable('other versions were installed');
}

/** Resolves with null, or with what went wrong. */
function install(signal: AbortSignal): Promise<string | null> {
  const npm = process.env.npm_execpath;
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const [command, all] = npm === undefined ? ['npm', args] : [process.execPath, [npm, ...args]];
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(INSTALL_TIMEOUT_MS);
    const child = spawn(command, all, {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: AbortSignal.any([signal, timeout]),
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, COMPLAINT_CHARS);
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => {
      resolve(code === 0 ? null : complaint.split('\n')[0] || `exit code ${code}`);
    });
  });
}

function hasRightVersions(): boolean {
  const wanted = Object.entries({ [NAME]: VERSION, ...FORCED });
  return wanted.every(([name, version]) => versionOf(name) === version) && existsSync(PROGRAM);
}

function versionOf(name: string): string | null {
  try {
    const file = join(FOLDER, 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
