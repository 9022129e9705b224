/**
 * The program as a process of its own, started by its command, for tests that kill it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ADMIN_KEY } from './gateway.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));
const START_MS = 30_000;

export interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Ends it with a signal and resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

export async function startGatewayProcess(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [COMMAND, 'start', '--json', '--data-dir', dataDir], {
    env: { ...process.env, ...environmentOf(dataDir), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await announcedUrl(child);
  return {
    url,
    child,
    async kill(signal) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

function environmentOf(dataDir: string): Readonly<Record<string, string>> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ESCLUSA_DATA_DIR: dataDir,
    ESCLUSA_ADMIN_KEY: ADMIN_KEY,
    LOG_LEVEL: 'error',
  };
}

function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    let isStarted = false; // what it says from then on is read, so that it can go on, and dropped
    const timer = setTimeout(() => reject(new Error(`not started: ${said}`)), START_MS);
    child.stdout?.on('data', (chunk) => {
      if (isStarted) return;
      said += chunk;
      const url = /"url": "([^"]+)"/.exec(said)?.[1];
      if (url === undefined) return;
      isStarted = true;
      clearTimeout(timer);
      resolve(url);
    });
    child.stderr?.on('data', (chunk) => {
      if (!isStarted) said += chunk;
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code}: ${said}`));
    });
  });
}
