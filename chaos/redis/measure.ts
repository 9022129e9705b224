/**
 * One fault, from an orderly start to the comparison of counts: a gateway of its own in a process
 * of its own over a Redis of its own, under load before, during and after the fault.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN_KEY } from '../../server/test/support/gateway.ts';
import {
  type GatewayProcess,
  startGatewayProcess,
} from '../../server/test/support/gateway-process.ts';
import { type Owner, startRedis } from '../../server/test/support/redis-server.ts';
import { startTcpProxy } from '../../server/test/support/tcp-proxy.ts';
import { type Load, startLoad } from '../load.ts';
import { between, type Figures, figuresOf } from '../stretches.ts';
import type { Fault, Place } from './faults.ts';
import { logLines } from './log-lines.ts';

export interface Measured {
  readonly fault: string;
  readonly what: string;
  readonly base: Figures;
  readonly first: Figures;
  readonly rest: Figures;
  /** All that was asked, also after the fault. */
  readonly whole: Figures;
  /** From the healing until the gateway says that it is ready; null: not within `LATE_MS`. */
  readonly recoveredMs: number | null;
  readonly opened: boolean;
  readonly closed: boolean;
  /** What the cache counted, and what was answered. */
  readonly counted: number;
  readonly answered: number;
  /** From the fault on, above `debug`, but for those of requests; also what Node.js says. */
  readonly logLines: readonly string[];
  /** Connections to Redis before the fault and after it. */
  readonly connections: readonly [number, number];
}

const WARM_MS = 2000;
const BASE_MS = 10_000;
const FIRST_MS = 1000;
const AFTER_MS = 3000;
const LATE_MS = 30_000;
const STEP_MS = 50;

type Json = Readonly<Record<string, unknown>>;

export async function measureFault(fault: Fault): Promise<Measured> {
  const ends: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (end) => void ends.push(end) };
  try {
    const redis = await startRedis(owner, { maxmemoryPolicy: 'noeviction' });
    const wire = await startTcpProxy(redis.port);
    ends.push(() => wire.close());
    const folder = await mkdtemp(join(tmpdir(), 'esclusa-chaos-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const env = { REDIS_URL: `redis://127.0.0.1:${wire.port}`, LOG_LEVEL: 'info' };
    const gateway = await startGatewayProcess(folder, env);
    ends.push(() => gateway.kill('SIGKILL'));
    return await measureOn(fault, { redis, wire }, gateway);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

async function measureOn(fault: Fault, place: Place, gateway: GatewayProcess): Promise<Measured> {
  await within(LATE_MS, () => isReady(gateway.url));
  const lines = logLines(gateway.child);
  const load = startLoad({ url: gateway.url, key: ADMIN_KEY });
  await pause(WARM_MS);
  const before = await connectionsTo(place);
  const sinceMs = performance.now();
  await pause(BASE_MS);

  const calm = lines().length;
  const faultMs = performance.now();
  const { opened } = await keepUp(fault, place, gateway.url);
  const healMs = performance.now();
  await fault.heal(place);
  const recoveredMs = await within(LATE_MS, () => isReady(gateway.url));
  await pause(AFTER_MS);
  await load.stop();

  const { asked } = load;
  const counted = await countedBy(gateway.url, load);
  const state = await breakerOf(gateway.url);
  return {
    fault: fault.name,
    what: fault.what,
    base: figuresOf(between(asked, sinceMs, faultMs)),
    first: figuresOf(between(asked, faultMs, faultMs + FIRST_MS)),
    rest: figuresOf(between(asked, faultMs + FIRST_MS, healMs)),
    whole: figuresOf(asked),
    ...{ recoveredMs, opened, closed: state === 'closed', counted, answered: asked.length },
    logLines: lines().slice(calm),
    connections: [before, await connectionsTo(place)],
  };
}

/** Puts the fault for as long as it lasts, and watches the breaker meanwhile. */
async function keepUp(fault: Fault, place: Place, url: string): Promise<{ opened: boolean }> {
  const over = new AbortController();
  const putting = fault.put(place, over.signal);
  const endMs = performance.now() + fault.lastsMs;
  let opened = false;
  while (performance.now() < endMs) {
    opened ||= (await breakerOf(url)) !== 'closed';
    await pause(STEP_MS);
  }
  over.abort();
  await putting;
  return { opened };
}

/** How long it took; null: it did not happen. */
async function within(limitMs: number, happened: () => Promise<boolean>): Promise<number | null> {
  const sinceMs = performance.now();
  while (!(await happened())) {
    if (performance.now() - sinceMs > limitMs) return null;
    await pause(STEP_MS);
  }
  return Math.round(performance.now() - sinceMs);
}

/** Until the figures are those of all answers, or will not become so. */
async function countedBy(url: string, { asked }: Load): Promise<number> {
  let counted = 0;
  await within(2 * AFTER_MS, async () => {
    const stats = (await read(url, '/cache/stats?tenant=default')).cache as Json;
    const { hits, misses, joins, stale, bypasses } = stats;
    counted = [hits, misses, joins, stale, bypasses].reduce<number>((a, b) => a + Number(b), 0);
    return stats.scope === 'shared' && counted === asked.length;
  });
  return counted;
}

export async function isReady(url: string): Promise<boolean> {
  const { status } = await read(url, '/health/ready').catch(() => ({ status: null }));
  return status === 'ready';
}

async function breakerOf(url: string): Promise<string> {
  const { data } = await read(url, '/api/v1/circuit-breakers');
  const all = data as readonly { readonly name: string; readonly state: string }[];
  return all.find(({ name }) => name === 'redis-cache')?.state ?? 'closed';
}

async function connectionsTo({ redis }: Place): Promise<number> {
  const list = await redis.cli('client', 'list');
  return list.split('\n').filter((line) => line.includes('name=esclusa')).length;
}

async function read(url: string, path: string): Promise<Json> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  return (await (await fetch(`${url}${path}`, { headers })).json()) as Json;
}
