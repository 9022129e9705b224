/**
 * Esclusa as a user grows: on a file and memory, or on PostgreSQL and Redis, with and without a
 * pool of connections. Limits, a budget, the ledger and everything else are on; the cache is
 * off, for it is a call that nothing can answer that is measured.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../stage.ts';
import { checkLedger, issueKey, launch } from './esclusa.ts';
import { everything, type Profile } from './esclusa-profiles.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { EngineId, Subject, Variant } from './subject.ts';

/** A subject whose control plane can be asked, too. */
export interface EngineSubject extends Subject {
  readonly adminKey: string;
}

export interface EngineVariant extends Variant {
  readonly id: EngineId;
  start(stage: Stage): Promise<EngineSubject>;
}

interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A generator that keeps its core busy must not be taken for a slow Redis. */
const COMMAND_MS = 1000;

const uncached: Profile = {
  ...everything,
  settings: {
    ...everything.settings,
    cache: { enabled: false },
    redis: { command_ms: COMMAND_MS },
  },
};

export const engines: Readonly<Record<EngineId, EngineVariant>> = {
  file: variant('file', 'SQLite and memory', async () => ({
    env: {},
    stop: async () => undefined,
  })),
  shared: variant('shared', 'PostgreSQL and Redis', (stage) => surroundings(stage, true)),
  unpooled: variant('unpooled', 'the same without a pool', (stage) => surroundings(stage, false)),
};

function variant(
  id: EngineId,
  label: string,
  surround: (stage: Stage) => Promise<Surroundings>,
): EngineVariant {
  return { id, label, start: async (stage) => startEngine(stage, await surround(stage)) };
}

async function surroundings(stage: Stage, isPooling: boolean): Promise<Surroundings> {
  const postgres = await startPostgres();
  const redis = await startRedis(stage);
  return {
    env: {
      ...{ DATABASE_URL: postgres.runtime, DATABASE_MIGRATION_URL: postgres.owner },
      ...{ DATABASE_WRITER_URL: postgres.writer, REDIS_URL: redis.url },
      ...{ DB_POOL_SIZE: '20', DB_MAX_OVERFLOW: '10' },
      ...(!isPooling && { ENABLE_CONNECTION_POOLING: 'false' }),
      ESCLUSA_MASTER_SECRET: 'bench-bench-bench-bench-bench-bench-bench',
    },
    stop: async () => {
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}

async function startEngine(stage: Stage, around: Surroundings): Promise<EngineSubject> {
  const dataDir = mkdtempSync(join(stage.scratch, 'data-'));
  const { child, origin, adminKey } = await launch(stage, uncached, dataDir, around.env);
  const key = await issueKey(origin, adminKey, uncached.key ?? {});
  return {
    pid: child.pid,
    origin,
    adminKey,
    headers: { authorization: `Bearer ${key}` },
    isCached: false,
    async verify(headers) {
      const cache = String(headers['x-cache']);
      if (cache !== 'BYPASS') throw new Error(`x-cache is ${cache}, not BYPASS`);
      await checkLedger(origin, adminKey, String(headers['x-request-id']), true, stage.signal);
    },
    async stop() {
      await child.stop();
      await around.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
