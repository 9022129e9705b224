/**
 * Gateways behind a real nginx that are restarted one after the other, while clients go on
 * asking at a steady rate, every second one for a stream of about two seconds.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Owner } from './afterwards.ts';
import { ADMIN_KEY } from './gateway.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { startNginx } from './nginx.ts';
import { freePort, startRedis } from './redis-server.ts';

export interface RollingOptions {
  readonly processes: number;
  readonly perSecond: number;
  /** How long clients ask at least: every process is restarted once, and again if time is left. */
  readonly seconds: number;
  readonly drainDelaySeconds: number;
  readonly progress?: (figures: RollingFigures) => void;
}

export interface RollingFigures {
  asked: number;
  streams: number;
  restarts: number;
  /** Why a request counts as failed; streams that were cut are among them. */
  readonly failures: string[];
  longestRestartMs: number;
}

const ANSWER_MS = 30_000;
const STREAM = 'mock:tokens=40,tps=20';

export async function rollingRestart(
  owner: Owner,
  options: RollingOptions,
): Promise<RollingFigures> {
  const { processes, seconds } = options;
  const redis = await startRedis(owner);
  const ports = await Promise.all(Array.from({ length: processes }, () => freePort()));
  const dataDir = await mkdtemp(join(tmpdir(), 'esclusa-rolling-'));
  const file = join(dataDir, 'esclusa.yaml');
  const drain = { drain_delay_seconds: options.drainDelaySeconds, drain_seconds: 20 };
  await writeFile(file, stringify({ ...drain, cache: { enabled: false } }));
  const members: GatewayProcess[] = [];
  owner.after(async () => {
    for (const { child } of members) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  });
  const start = (port: number): Promise<GatewayProcess> =>
    startGatewayProcess(dataDir, {
      ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, PORT: String(port) },
    });
  for (const port of ports) members.push(await start(port));
  const { url } = await startNginx(owner, ports);
  const figures: RollingFigures = {
    ...{ asked: 0, streams: 0, restarts: 0, failures: [], longestRestartMs: 0 },
  };

  const endMs = performance.now() + seconds * 1000;
  const isOver = (): boolean => figures.restarts >= processes && performance.now() >= endMs;
  const asking = ask(url, options, figures, isOver);
  for (let turn = 0; !isOver(); turn += 1) {
    const place = turn % processes;
    const beganMs = performance.now();
    await members[place]?.kill('SIGTERM');
    members[place] = await start(ports[place] as number);
    figures.restarts += 1;
    figures.longestRestartMs = Math.max(figures.longestRestartMs, performance.now() - beganMs);
  }
  await asking;
  return figures;
}

/** Asks at the rate whatever becomes of what was asked; resolves when all was answered. */
async function ask(
  url: string,
  { perSecond, progress }: RollingOptions,
  figures: RollingFigures,
  isOver: () => boolean,
): Promise<void> {
  const beganMs = performance.now();
  const running = new Set<Promise<void>>();
  for (let number = 0; !isOver(); number += 1) {
    const isStream = number % 2 === 0;
    figures.asked += 1;
    if (isStream) figures.streams += 1;
    const one = chat(url, number, isStream).then((failure) => {
      if (failure !== null) figures.failures.push(failure);
      running.delete(one);
    });
    running.add(one);
    if (number % perSecond === 0) progress?.(figures);
    await pause(Math.max(0, beganMs + ((number + 1) * 1000) / perSecond - performance.now()));
  }
  await Promise.all(running);
}

/** null: it was answered to its legal end. */
async function chat(url: string, number: number, stream: boolean): Promise<string | null> {
  const model = stream ? STREAM : 'mock';
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: `${number}` }] }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    const isWhole = stream ? text.trimEnd().endsWith('data: [DONE]') : text.includes('"choices"');
    const isGood = answer.status === 200 && isWhole && !text.includes('"error"');
    return isGood ? null : `${number} ${stream} ${answer.status} …${text.slice(-200)}`;
  } catch (error) {
    return `${number} ${stream} ${String(error)} ${String((error as Error).cause ?? '')}`;
  }
}
