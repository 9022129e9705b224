/**
 * Which processes serve together: each says twice a second that it lives, and is forgotten
 * when it has been silent for a few seconds. Bounded by the number of processes, and gone with
 * the last of them.
 *
 * The register also knows since when it exists: one that was born a moment ago (Redis is new,
 * or lost everything) does not know everybody yet.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { defineScript, runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface Workers {
  /** This process among them. */
  readonly id: string;
  /** How many lived when Redis last answered; at least 1. */
  count(): number;
  /**
   * Which life of the server it is: another after a restart or a failover, which may have lost
   * the last writes. `UNKNOWN_LIFE` from the moment in which a connection is lost until the
   * server was asked again; `OWN_LIFE` in a cluster, where each node has one.
   */
  life(): string;
  /** Asks now. Throws a `RedisFailure`. */
  roll(): Promise<WorkerRoll>;
}

export interface WorkerRoll {
  readonly ids: readonly string[];
  /** Whether the register is old enough to know everybody who lives. */
  readonly isComplete: boolean;
}

export interface WorkerRegister extends Workers {
  /** Resolves when this process is in the register, or Redis did not answer. */
  start(): Promise<void>;
  /** Takes this process out. */
  stop(): Promise<void>;
}

export interface WorkersOptions {
  readonly redis: RedisStore;
  readonly clock: Clock;
  readonly id: string;
}

/** A life that no account was made in. */
export const UNKNOWN_LIFE = '?';
/** Tells a script to look for itself. */
export const OWN_LIFE = '*';

const BEAT_MS = 500;
const SILENT_MS = 5000;
/** Three beats: by then everybody who lives has said so. */
const COMPLETE_AFTER_MS = 1500;
const KEYS = ['esclusa:{workers}:alive', 'esclusa:{workers}:born'] as const;

/** ARGV: who beats, how long silence is borne. Answers age, ids and the server's life. */
const BEAT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local silent = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - silent)
redis.call('ZADD', KEYS[1], now, ARGV[1])
local born = tonumber(redis.call('GET', KEYS[2]) or now)
redis.call('SET', KEYS[2], string.format('%.0f', born), 'PX', silent * 2)
redis.call('PEXPIRE', KEYS[1], silent * 2)
local life = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
return { now - born, redis.call('ZRANGE', KEYS[1], 0, -1), life }
`;

export function createWorkers({ redis, clock, id }: WorkersOptions): WorkerRegister {
  const beat = defineScript(BEAT);
  let count = 1;
  let life = UNKNOWN_LIFE;
  let timer: Timer | null = null;
  let isStopped = false;

  async function ask(): Promise<WorkerRoll> {
    const reply = await redis.background(
      'workers.beat',
      (client) => runScript(client, beat, KEYS, [id, SILENT_MS]),
      { idempotent: true },
    );
    const [ageMs, ids, lifeNow] = reply as readonly [number, readonly string[], string];
    life = lifeNow;
    count = Math.max(1, ids.length);
    return { ids, isComplete: ageMs >= COMPLETE_AFTER_MS };
  }

  async function live(): Promise<void> {
    await ask().catch(() => undefined); // the store tells that Redis is away
    if (!isStopped) timer = clock.setTimer(BEAT_MS, () => void live());
  }

  const forget = redis.onReturn(() => {
    life = UNKNOWN_LIFE;
    void ask().catch(() => undefined);
  });

  return {
    id,
    count: () => count,
    life() {
      if (redis.isCluster) return OWN_LIFE;
      return redis.state().kind === 'up' ? life : UNKNOWN_LIFE;
    },
    roll: ask,
    start: live,
    async stop() {
      isStopped = true;
      forget();
      timer?.cancel();
      await redis.background('workers.leave', (client) => client.zrem(KEYS[0], id)).catch(() => 0);
    },
  };
}
