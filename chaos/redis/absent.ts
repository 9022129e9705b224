/** A gateway that starts while its Redis is not there: how soon it serves, and finds it later. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN_KEY } from '../../server/test/support/gateway.ts';
import { startGatewayProcess } from '../../server/test/support/gateway-process.ts';
import { freePort, type Owner, startRedis } from '../../server/test/support/redis-server.ts';
import { startLoad } from '../load.ts';
import { type Figures, figuresOf } from '../stretches.ts';
import { isReady } from './measure.ts';

export interface Absent {
  /** From the start of the process to its first answer of a model. */
  readonly servesMs: number;
  /** From the start of Redis to the gateway's finding it; null: it did not. */
  readonly foundMs: number | null;
  readonly whole: Figures;
}

const ALONE_MS = 5000;
const LATE_MS = 30_000;
const STEP_MS = 50;

export async function measureAbsent(): Promise<Absent> {
  const ends: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (end) => void ends.push(end) };
  try {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'esclusa-chaos-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const startedMs = performance.now();
    const gateway = await startGatewayProcess(folder, { REDIS_URL: `redis://127.0.0.1:${port}` });
    ends.push(() => gateway.kill('SIGKILL'));
    const load = startLoad({ url: gateway.url, key: ADMIN_KEY });
    while (load.asked.length === 0) await pause(STEP_MS);
    const servesMs = Math.round(performance.now() - startedMs);
    await pause(ALONE_MS);

    await startRedis(owner, { port });
    const sinceMs = performance.now();
    let foundMs: number | null = null;
    while (foundMs === null && performance.now() - sinceMs < LATE_MS) {
      if (await isReady(gateway.url)) foundMs = Math.round(performance.now() - sinceMs);
      else await pause(STEP_MS);
    }
    await load.stop();
    return { servesMs, foundMs, whole: figuresOf(load.asked) };
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
