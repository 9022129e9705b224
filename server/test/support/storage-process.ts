/** Starts `storage-child.ts`, collects what it prints, and ends it as roughly as asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DatabasePlace } from '../../src/storage/index.ts';
import { until } from './until.ts';

const CHILD = fileURLToPath(new URL('./storage-child.ts', import.meta.url));

export interface StorageProcess {
  /** The whole lines printed so far. */
  lines(): string[];
  /** Resolves when at least so many lines were printed; throws when the process ended first. */
  printed(lines: number): Promise<void>;
  /** Ends it without a warning; resolves when it is gone and everything it printed is read. */
  kill(): Promise<void>;
  /** Resolves with its exit code, and what it said on its way. */
  ended(): Promise<{ readonly code: number | null; readonly errors: string }>;
}

export function startStorageProcess(
  verb: string,
  dataDir: string,
  database?: DatabasePlace,
): StorageProcess {
  const place = database === undefined ? [] : [JSON.stringify(database)];
  const child: ChildProcess = spawn(process.execPath, [CHILD, verb, dataDir, ...place], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const closed = once(child, 'close');
  const lines = (): string[] => text.split('\n').slice(0, -1);
  return {
    lines,
    async printed(wanted) {
      await until(`${wanted} lines of a storage process`, () => {
        if (child.exitCode !== null) throw new Error(`storage process ended: ${errors}`);
        return lines().length >= wanted;
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
    async ended() {
      const [code] = (await closed) as [number | null];
      return { code, errors };
    },
  };
}
