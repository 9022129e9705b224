/**
 * Three processes that serve together, in the two ways there are: three programs that share a
 * data folder, and one program with three workers. A line to each of them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Owner } from './afterwards.ts';
import { startFleet } from './gateway-fleet.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { TestRedis } from './redis-server.ts';
import { until } from './until.ts';
import { type LineAnswer, lineToEach, openLine, type WorkerLine } from './worker-lines.ts';

export const ARRANGEMENTS = ['three programs', 'three workers'] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

/** The lines, in no order that matters. */
export type Three = readonly [WorkerLine, WorkerLine, WorkerLine];

/** Resolves when all three have found the Redis. They end with the owner. */
export async function startThree(
  owner: Owner,
  how: Arrangement,
  redis: TestRedis,
  config: Readonly<Record<string, unknown>>,
): Promise<Three> {
  const lines = await (how === 'three programs'
    ? programs(owner, redis, config)
    : workers(owner, redis, config));
  owner.after(async () => {
    for (const line of lines) line.close();
  });
  for (const line of lines) {
    await until('it has found its Redis', async () => {
      return (await line.ask('GET', '/health/ready')).body.status === 'ready';
    });
  }
  return lines as unknown as Three;
}

async function programs(
  owner: Owner,
  redis: TestRedis,
  config: Readonly<Record<string, unknown>>,
): Promise<WorkerLine[]> {
  const fleet = await startFleet(owner, { processes: 3, redis, config });
  return Promise.all(fleet.members.map(({ url }) => openLine(url)));
}

async function workers(
  owner: Owner,
  redis: TestRedis,
  config: Readonly<Record<string, unknown>>,
): Promise<WorkerLine[]> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-three-'));
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, stringify(config));
  const env = { ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '3' };
  const gateway = await startGatewayProcess(join(folder, 'data'), env);
  owner.after(async () => {
    await gateway.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return lineToEach(gateway.url, 3);
}

/** A request that the cache may answer. */
export function question(content: string, model = 'mock'): object {
  return { model, temperature: 0, messages: [{ role: 'user', content }] };
}

/** Asks the question at temperature 0 and answers what came, with the time it took. */
export async function ask(
  line: WorkerLine,
  content: string,
  { model, key }: { readonly model?: string; readonly key?: string } = {},
): Promise<LineAnswer & { readonly cache: string; readonly tookMs: number }> {
  const sinceMs = performance.now();
  const answer = await line.ask('POST', '/v1/chat/completions', question(content, model), key);
  const tookMs = performance.now() - sinceMs;
  return { ...answer, cache: String(answer.headers['x-cache']), tookMs };
}
