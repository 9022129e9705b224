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
   * Which life of the server it is, and since when the ledger has all that is known of: what was
   * counted in an earlier one of either is not relied on. A restart or a failover may have lost
   * the last writes; the journal of a process that died on another host is in no sum before it
   * is recovered there.
   *
   * `server` or `server.sinceMs`, where the server is `OWN_LIFE` in a cluster, in which each node
   * has one; or `UNKNOWN_LIFE` from the moment in which a connection is lost until the server
   * was asked again.
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
  /** Entries of earlier runs that this process has brought into the ledger so far. */
  readonly recovered?: () => number;
}

/** A life that no account was made in. */
export const UNKNOWN_LIFE = '?';
/** Tells a script to look for itself. */
export const OWN_LIFE = '*';

const BEAT_MS = 500;
const SILENT_MS = 5000;
/** Three beats: by then everybody who lives has said so. */
const COMPLETE_AFTER_MS = 1500;
const KEYS = [
  'esclusa:{workers}:alive',
  'esclusa:{workers}:born',
  'esclusa:{workers}:recovered',
] as const;
/** Forgotten before anybody in it is, lest a few who come back take themselves for all. */
const BORN_KEPT_MS = SILENT_MS - 2 * BEAT_MS;
/** As long as an account that is not used. */
const RECOVERED_KEPT_MS = 172_800_000;

/**
 * ARGV: who beats, how long silence is borne, how long the register is remembered, `1` where
 * entries were recovered, and how long that is. Answers age, ids and life.
 */
const BEAT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local silent = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - silent)
redis.call('ZADD', KEYS[1], now, ARGV[1])
local born = tonumber(redis.call('GET', KEYS[2]) or now)
redis.call('SET', KEYS[2], string.format('%.0f', born), 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[1], silent * 2)
if ARGV[4] == '1' then redis.call('SET', KEYS[3], string.format('%.0f', now)) end
redis.call('PEXPIRE', KEYS[3], ARGV[5])
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local since = redis.call('GET', KEYS[3]) or '0'
return { now - born, redis.call('ZRANGE', KEYS[1], 0, -1), server, since }
`;

export function createWorkers({
  redis,
  clock,
  id,
  recovered = () => 0,
}: WorkersOptions): WorkerRegister {
  const beat = defineScript(BEAT);
  let count = 1;
  let life = UNKNOWN_LIFE;
  let toldRecovered = 0;
  let timer: Timer | null = null;
  let isStopped = false;

  async function ask(): Promise<WorkerRoll> {
    const known = recovered();
    const isNews = known > toldRecovered ? 1 : 0;
    const values = [id, SILENT_MS, BORN_KEPT_MS, isNews, RECOVERED_KEPT_MS];
    const reply = await redis.background(
      'workers.beat',
      (client) => runScript(client, beat, KEYS, values),
      { idempotent: true },
    );
    toldRecovered = known;
    const [ageMs, ids, server, since] = reply as readonly [number, string[], string, string];
    const whose = redis.isCluster ? OWN_LIFE : server;
    life = since === '0' ? whose : `${whose}.${since}`;
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
