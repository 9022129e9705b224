/**
 * Waiting for a condition of another process, with a deadline and a signal; and finding a port
 * for a program that cannot report the one it was given.
 */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from '../measure/proc.ts';

const IDLE_STEP_MS = 100;
const IDLE_CPU_MS_PER_STEP = 10;
const IDLE_STEPS = 2;
const IDLE_DEADLINE_MS = 4000;

export interface WaitOptions {
  readonly what: string;
  readonly deadlineMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Resolves once `condition` holds; rejects at the deadline, saying what was awaited. */
export async function until(
  condition: () => Promise<boolean>,
  { what, deadlineMs, everyMs, signal }: WaitOptions,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await sleep(everyMs, undefined, { signal });
  }
}

/**
 * Resolves with the CPU time a process has used once it uses hardly any more: two steps in a row
 * below a tenth of a core. Work that a subject has put off is thereby counted in. Gives up
 * waiting after some seconds and returns what has been used by then.
 */
export async function cpuMsWhenIdle(pid: number, signal: AbortSignal): Promise<number> {
  const endMs = performance.now() + IDLE_DEADLINE_MS;
  let last = readProcess(pid).cpuMs;
  let calm = 0;
  while (calm < IDLE_STEPS && performance.now() < endMs) {
    await sleep(IDLE_STEP_MS, undefined, { signal });
    const now = readProcess(pid).cpuMs;
    calm = now - last <= IDLE_CPU_MS_PER_STEP ? calm + 1 : 0;
    last = now;
  }
  return last;
}

/** Returns a loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}
