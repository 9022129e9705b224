/**
 * A gateway under load: in a process of its own, with a key that has limits, so that every
 * request asks both stores; and what it says of itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN_KEY } from '../../server/test/support/gateway.ts';
import { startGatewayProcess } from '../../server/test/support/gateway-process.ts';
import { type Asked, type Load, startLoad } from '../load.ts';
import { logLines } from './log-lines.ts';

export interface Subject {
  readonly asked: readonly Asked[];
  /** Beside those of requests, so far; also what Node.js says. */
  logLines(): readonly string[];
  isReady(): Promise<boolean>;
  /** Of the breaker of the cache: `closed to open`, and how often. */
  transitions(): Promise<Readonly<Record<string, number>>>;
  breakerState(): Promise<string>;
  /** Ends the load, then says what the cache counted, of each word of `x-cache`. */
  finish(): Promise<Counts>;
  end(): Promise<void>;
}

/** Of each `x-cache` word. */
export type Counts = Readonly<Record<string, number>>;

const PER_SECOND = 40;
const LIMITS = { requests_per_minute: 1_000_000 };
const BREAKER = 'redis-cache';
const COUNTED_MS = 8000;
const STEP_MS = 50;

const WORDS = {
  HIT: 'hits',
  MISS: 'misses',
  JOIN: 'joins',
  STALE: 'stale',
  BYPASS: 'bypasses',
} as const;

type Json = Readonly<Record<string, unknown>>;

export async function startSubject(redisPort: number): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-chaos-'));
  const env = { REDIS_URL: `redis://127.0.0.1:${redisPort}`, LOG_LEVEL: 'info' };
  const gateway = await startGatewayProcess(folder, env);
  const { url, child } = gateway;
  const end = async (): Promise<void> => {
    await gateway.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const lines = logLines(child);
    const made = await read(url, '/api/v1/keys', { name: 'chaos', limits: LIMITS });
    const load = startLoad({ url, key: String(made.key), perSecond: PER_SECOND });
    return {
      asked: load.asked,
      logLines: lines,
      isReady: () => isReady(url),
      transitions: () => transitionsOf(url),
      breakerState: () => breakerOf(url),
      finish: () => finish(url, load),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** How long it took; null: it did not happen. */
export async function waitFor(
  limitMs: number,
  happened: () => Promise<boolean>,
): Promise<number | null> {
  const sinceMs = performance.now();
  while (!(await happened())) {
    if (performance.now() - sinceMs > limitMs) return null;
    await pause(STEP_MS);
  }
  return Math.round(performance.now() - sinceMs);
}

/** What the answers said of themselves. */
export function saidBy(asked: readonly Asked[]): Counts {
  const said: Record<string, number> = Object.fromEntries(Object.keys(WORDS).map((w) => [w, 0]));
  for (const { cache } of asked) if (cache !== null) said[cache] = (said[cache] ?? 0) + 1;
  return said;
}

export function isSame(one: Counts, other: Counts): boolean {
  return Object.keys({ ...one, ...other }).every((word) => one[word] === other[word]);
}

/** Until the figures are those of all answers, or will not become so. */
async function finish(url: string, load: Load): Promise<Counts> {
  await load.stop();
  const said = saidBy(load.asked);
  let counted: Counts = {};
  await waitFor(COUNTED_MS, async () => {
    const stats = (await read(url, '/cache/stats?tenant=default')).cache as Json;
    const words = Object.entries(WORDS).map(([word, name]) => [word, Number(stats[name])]);
    counted = Object.fromEntries(words);
    return stats.scope === 'shared' && isSame(counted, said);
  });
  return counted;
}

async function isReady(url: string): Promise<boolean> {
  const { status } = await read(url, '/health/ready').catch(() => ({ status: null }));
  return status === 'ready';
}

async function breakerOf(url: string): Promise<string> {
  const { state } = await read(url, `/api/v1/circuit-breakers/${BREAKER}`);
  return String(state);
}

async function transitionsOf(url: string): Promise<Readonly<Record<string, number>>> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const lines = text.matchAll(/^circuit_breaker_transitions_total\{([^}]*)\} (\d+)$/gm);
  const found: Record<string, number> = {};
  for (const [, labels = '', count] of lines) {
    if (!labels.includes(`name="${BREAKER}"`)) continue;
    const [from, to] = ['from', 'to'].map((end) => new RegExp(`${end}="(\\w+)"`).exec(labels)?.[1]);
    found[`${from} to ${to}`] = Number(count);
  }
  return found;
}

async function read(url: string, path: string, body?: object): Promise<Json> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return (await (await fetch(`${url}${path}`, { headers, ...sent })).json()) as Json;
}
