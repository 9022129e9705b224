/**
 * Esclusa with a Redis behind its cache: where an answer comes from, given by one worker or by
 * three. Everything else is on, but calls are made with a key without limits or budget: those
 * are kept in the same Redis, and would be measured in the place of the cache.
 *
 * For hits in Redis the memory of a worker holds one answer, and a hundred are asked by turns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../stage.ts';
import { launch } from './esclusa.ts';
import { everything, type Profile } from './esclusa-profiles.ts';
import { startRedis } from './redis.ts';
import type { Subject, TierId, Variant } from './subject.ts';

type Tier = 'miss' | 'memory' | 'redis';

const BODIES = 100;
/** A generator that keeps its core busy must not be taken for a slow Redis. */
const COMMAND_MS = 1000;

const LABELS: Readonly<Record<Tier, string>> = {
  miss: 'a miss, stored in Redis',
  memory: 'a hit in memory',
  redis: 'a hit in Redis',
};

export const tiers: Readonly<Record<TierId, Variant>> = {
  ...{ 'miss-1': variant('miss', 1), 'memory-1': variant('memory', 1) },
  ...{ 'redis-1': variant('redis', 1), 'miss-3': variant('miss', 3) },
  ...{ 'memory-3': variant('memory', 3), 'redis-3': variant('redis', 3) },
};

/** Started with a Redis and `workers` workers; calls are answered by the tier. */
export async function startTier(stage: Stage, tier: Tier, workers: number): Promise<Subject> {
  const dataDir = mkdtempSync(join(stage.scratch, 'data-'));
  const redis = await startRedis(stage);
  const env = { REDIS_URL: redis.url, ESCLUSA_WORKERS: String(workers) };
  const { child, origin, adminKey } = await launch(stage, profileOf(tier), dataDir, env);
  return {
    pid: child.pid,
    redisPid: redis.pid,
    origin,
    headers: { authorization: `Bearer ${adminKey}` },
    isCached: tier !== 'miss',
    ...(tier === 'redis' ? { bodies: BODIES } : {}),
    verify: async (headers) => {
      const cache = String(headers['x-cache']);
      const expected = tier === 'miss' ? 'MISS' : 'HIT';
      if (cache !== expected) throw new Error(`x-cache is ${cache}, not ${expected}`);
    },
    async stop() {
      await Promise.all([child.stop(), redis.stop()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function variant(tier: Tier, workers: 1 | 3): Variant {
  return {
    id: `${tier}-${workers}`,
    label: `${LABELS[tier]}, ${workers === 1 ? 'one worker' : 'three workers'}`,
    start: (stage) => startTier(stage, tier, workers),
  };
}

function profileOf(tier: Tier): Profile {
  const { settings } = everything as { readonly settings: { readonly cache: object } };
  const cache = { ...settings.cache, ...(tier === 'redis' ? { max_entries: 1 } : {}) };
  return {
    ...everything,
    key: null,
    settings: { ...settings, cache, redis: { command_ms: COMMAND_MS } },
  };
}
