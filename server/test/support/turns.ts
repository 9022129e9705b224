/**
 * How much of its processor a program uses between two turns of its event loop: what others have
 * to wait for because of the program, and not because of the machine. To be loaded by it
 * (`--import`); it writes its samples, in milliseconds, to the file of `TURNS_FILE`.
 *
 * A timer of `TICK_MS` that is late because the processor was taken away has used nothing
 * meanwhile; one that is late because the program was at work has.
 */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const TICK_MS = 20;
const US_PER_MS = 1000;

const { TURNS_FILE: file } = process.env;
if (isMainThread && file !== undefined) sample(file);

function sample(name: string): void {
  let before = process.threadCpuUsage();
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    const beyondMs = Math.max(0, (user + system) / US_PER_MS - TICK_MS);
    appendFileSync(name, `${beyondMs.toFixed(1)}\n`);
    before = process.threadCpuUsage();
  };
  setInterval(tick, TICK_MS).unref();
}
