/**
 * What may become of Redis: how each fault is put, kept up and healed, and the bars it is
 * measured against.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, type TestRedis } from '../../server/test/support/redis-server.ts';
import type { TcpProxy } from '../../server/test/support/tcp-proxy.ts';

export interface Place {
  readonly redis: TestRedis;
  /** Between the gateway and Redis. */
  readonly wire: TcpProxy;
}

export interface Bars {
  /** Above a gateway whose Redis is well, in the first second of the fault, in milliseconds. */
  readonly firstAddedP99Ms: number;
  /** The same of what follows. */
  readonly addedP99Ms: number;
  readonly recoveredMs: number;
  /** How often Redis goes, in all: of each time the log may tell in so many lines. */
  readonly outages: number;
  /**
   * The circuit breaker of the cache opens in every turn, or never; null: where the machine is
   * slow enough for it.
   */
  readonly opens: boolean | null;
  /** Connections to Redis, before and after, differ by no more; null: not looked at. */
  readonly connections: number | null;
}

export interface Fault {
  readonly name: string;
  readonly what: string;
  /** How often it is put and healed again. */
  readonly rounds: number;
  readonly lastsMs: number;
  readonly bars: Bars;
  /** Puts the fault and keeps it up until the signal. */
  put(place: Place, signal: AbortSignal): Promise<void>;
  heal(place: Place): Promise<void>;
}

const LASTS_MS = 5000;
const ROUNDS = 2;
const RESTART_EVERY_MS = 3000;
const RESTARTS = 4;
const TURNS = { rounds: ROUNDS, lastsMs: LASTS_MS };
/** No request waits longer for Redis than 50 ms, also before a breaker opens. */
const BARS: Bars = {
  ...{ firstAddedP99Ms: 50, addedP99Ms: 10, recoveredMs: 5000, opens: true, connections: null },
  outages: ROUNDS,
};

export const FAULTS: readonly Fault[] = [
  {
    ...{ name: 'killed', what: 'kill -9, started again later', ...TURNS },
    bars: { ...BARS, addedP99Ms: 50 },
    put: ({ redis }) => redis.kill(),
    heal: ({ redis }) => redis.restart(),
  },
  {
    ...{ name: 'frozen', what: 'kill -STOP, then -CONT', ...TURNS },
    bars: BARS,
    put: async ({ redis }) => redis.freeze(),
    heal: async ({ redis }) => redis.thaw(),
  },
  {
    ...{ name: 'restarted', what: 'killed and started every 3 s', rounds: 1 },
    lastsMs: RESTARTS * RESTART_EVERY_MS,
    bars: { ...BARS, addedP99Ms: 50, connections: 2, outages: RESTARTS, opens: null },
    async put({ redis }, signal) {
      while (!signal.aborted) {
        await redis.restart();
        await rest(RESTART_EVERY_MS, signal);
      }
    },
    heal: async () => undefined,
  },
  {
    ...{ name: 'full', what: 'maxmemory 1, noeviction', ...TURNS },
    bars: { ...BARS, opens: false },
    put: async ({ redis }) => void (await redis.cli('config', 'set', 'maxmemory', '1')),
    heal: async ({ redis }) => void (await redis.cli('config', 'set', 'maxmemory', '0')),
  },
  {
    ...{ name: 'slow', what: 'every packet 200 ms late', ...TURNS },
    bars: BARS,
    put: async ({ wire }) => wire.slow(200),
    heal: async ({ wire }) => wire.slow(0),
  },
  {
    ...{ name: 'paused', what: 'client pause, of all commands', ...TURNS },
    bars: BARS,
    put: async ({ redis }) => void (await redis.cli('client', 'pause', String(LASTS_MS), 'ALL')),
    heal: async ({ redis }) => void (await redis.cli('client', 'unpause')),
  },
  {
    ...{ name: 'read-only', what: 'replicaof nowhere, then MASTERDOWN', ...TURNS },
    // Two outages in a turn: writes are refused, which is no illness; then it has no primary.
    bars: { ...BARS, addedP99Ms: 50, outages: 2 * ROUNDS },
    async put({ redis }, signal) {
      await redis.cli('replicaof', '127.0.0.1', String(await freePort()));
      await rest(LASTS_MS / 2, signal);
      await redis.cli('config', 'set', 'replica-serve-stale-data', 'no');
    },
    async heal({ redis }) {
      await redis.cli('replicaof', 'no', 'one');
      await redis.cli('config', 'set', 'replica-serve-stale-data', 'yes');
    },
  },
  {
    ...{ name: 'garbage', what: 'answers replaced by noise and by lists', ...TURNS },
    bars: { ...BARS, opens: false },
    async put({ redis }, signal) {
      while (!signal.aborted) {
        const names = await redis.cli('--scan', '--pattern', '*:e');
        for (const [index, name] of names.split('\n').filter(Boolean).slice(0, 50).entries()) {
          if (index % 2 === 0) await redis.cli('set', name, '\u0001garbage', 'EX', '60');
          else await redis.cli('eval', LIST, '1', name);
        }
        await rest(500, signal);
      }
    },
    heal: async () => undefined,
  },
];

/** A value of another type in the place of an answer. */
const LIST = "redis.call('del', KEYS[1]) return redis.call('rpush', KEYS[1], 'garbage')";

async function rest(durationMs: number, signal: AbortSignal): Promise<void> {
  await pause(durationMs, undefined, { signal }).catch(() => undefined);
}
