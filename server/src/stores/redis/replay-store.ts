/**
 * Answers for `Idempotency-Key` in Redis, for all processes: the twin of the store in memory.
 *
 * 1. A claim is a lease that its process renews; the key of a process that died is free again
 *    when it ends.
 * 2. Entries and bytes of each tenant are bounded, the oldest answers go first; every entry
 *    ends by its time.
 */
import type { RedisCommander } from 'ioredis';
import type {
  ReplayClaim,
  ReplayFinding,
  ReplayPlace,
  ReplayStore,
} from '../../gateway/ports/replay-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { ReplayBounds } from '../replay-bounds.ts';
import { counterKey } from './counter-keys.ts';
import { defineScript, runScript, runScriptBuffer } from './script.ts';
import type { RedisStore } from './store.ts';

/** KEYS: entry. ARGV: fingerprint, owner, lease. Answers 0, or 1 and 2 with what is there. */
const CLAIM = `
local entry = redis.call('HMGET', KEYS[1], 'f', 'a')
if entry[2] then return { 2, entry[1], entry[2] } end
if entry[1] then return { 1, entry[1] } end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 0 }
`;

/**
 * KEYS: entry, order, sizes. ARGV: owner, answer, time to keep, most entries, most bytes, what
 * keys of entries begin with, id.
 */
const KEEP = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'a', ARGV[2])
redis.call('HDEL', KEYS[1], 'o')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local function drop(id)
  local size = redis.call('HGET', KEYS[3], id)
  if size then redis.call('HINCRBY', KEYS[3], 'total', '-' .. size) end
  redis.call('HDEL', KEYS[3], id)
  redis.call('ZREM', KEYS[2], id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do drop(id) end
drop(ARGV[7])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[7])
redis.call('HSET', KEYS[3], ARGV[7], #ARGV[2])
redis.call('HINCRBY', KEYS[3], 'total', #ARGV[2])
while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4])
  or tonumber(redis.call('HGET', KEYS[3], 'total')) > tonumber(ARGV[5]) do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  redis.call('DEL', ARGV[6] .. oldest)
  drop(oldest)
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return redis.call('EXISTS', KEYS[1])
`;

/** KEYS: entry. ARGV: owner, lease (0: the place is free). */
const HOLD = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`;

/** KEYS: order, sizes. ARGV: what keys of entries begin with. */
const FORGET = `
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('DEL', ARGV[1] .. id) end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
`;

const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
const LOOK_MS = 100;

export interface RedisReplayStoreOptions {
  readonly redis: RedisStore;
  readonly clock: Clock;
  readonly bounds: () => ReplayBounds;
  /** Unique among all claims of all processes. */
  readonly nextOwner: () => string;
  readonly leaseMs?: number;
}

export interface RedisReplayStore extends ReplayStore {
  close(): void;
}

export function createRedisReplayStore(options: RedisReplayStoreOptions): RedisReplayStore {
  return new SharedShelves(options);
}

class SharedShelves implements RedisReplayStore {
  readonly #options: RedisReplayStoreOptions;
  readonly #leaseMs: number;
  readonly #claim = defineScript(CLAIM);
  readonly #keep = defineScript(KEEP);
  readonly #hold = defineScript(HOLD);
  readonly #forget = defineScript(FORGET);
  /** Owners and the places they hold; no more than requests in flight. */
  readonly #held = new Map<string, ReplayPlace>();
  #timer: Timer;

  constructor(options: RedisReplayStoreOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#timer = this.#renewLater();
  }

  /** Who waits for it anyway does not use up what a request may wait for Redis. */
  async claim(place: ReplayPlace, fingerprint: string, again = false): Promise<ReplayFinding> {
    const { redis, nextOwner } = this.#options;
    const owner = nextOwner();
    const values = [fingerprint, owner, this.#leaseMs];
    const run = (client: RedisCommander) =>
      runScriptBuffer(client, this.#claim, [entryKey(place)], values);
    const asked = again ? redis.background('replay.look', run) : redis.hot('replay.claim', run);
    const reply = (await asked) as readonly [number, Buffer?, Buffer?];
    const [kind, known = Buffer.alloc(0), answer = Buffer.alloc(0)] = reply;
    if (kind === 2) return { kind: 'kept', fingerprint: known.toString(), answer };
    if (kind === 1) return { kind: 'running', fingerprint: known.toString() };
    this.#held.set(owner, place);
    return { kind: 'claimed', claim: this.#claimOf(place, owner) };
  }

  ended(_place: ReplayPlace, signal: AbortSignal): Promise<void> {
    return sleep(this.#options.clock, LOOK_MS, signal);
  }

  async forget(tenant: string): Promise<void> {
    const place = { tenant, id: '' };
    const keys = [tenantKey(place, 'order'), tenantKey(place, 'sizes')];
    await this.#options.redis.background('replay.forget', (client) =>
      runScript(client, this.#forget, keys, [entryKey(place)]),
    );
  }

  close(): void {
    this.#timer.cancel();
  }

  #claimOf(place: ReplayPlace, owner: string): ReplayClaim {
    return {
      keep: async (answer) => {
        if (!this.#held.delete(owner)) return false;
        const isKept = await this.#keepAnswer(place, owner, answer);
        if (!isKept) void this.#tell(place, owner, 0);
        return isKept;
      },
      release: () => {
        if (this.#held.delete(owner)) void this.#tell(place, owner, 0);
      },
    };
  }

  async #keepAnswer(place: ReplayPlace, owner: string, answer: Buffer): Promise<boolean> {
    const { redis, bounds } = this.#options;
    const { retentionMs, maxEntries, maxBytes } = bounds();
    const keys = [entryKey(place), tenantKey(place, 'order'), tenantKey(place, 'sizes')];
    const begin = entryKey({ ...place, id: '' });
    const values = [owner, answer, retentionMs, maxEntries, maxBytes, begin, place.id];
    try {
      return (
        (await redis.background('replay.keep', (client) =>
          runScript(client, this.#keep, keys, values),
        )) === 1
      );
    } catch {
      return false;
    }
  }

  /** Never rejects: a place that is not freed is free when its lease ends. */
  async #tell(place: ReplayPlace, owner: string, leaseMs: number): Promise<void> {
    const values = [owner, leaseMs];
    await this.#options.redis
      .background('replay.hold', (client) =>
        runScript(client, this.#hold, [entryKey(place)], values),
      )
      .catch(() => undefined);
  }

  #renewLater(): Timer {
    return this.#options.clock.setTimer(this.#leaseMs / RENEWALS_PER_LEASE, () => {
      for (const [owner, place] of this.#held) void this.#tell(place, owner, this.#leaseMs);
      this.#timer = this.#renewLater();
    });
  }
}

function entryKey({ tenant, id }: ReplayPlace): string {
  return counterKey(tenant, 'replay', id);
}

/** Not the key of any entry: their ids are of another alphabet. */
function tenantKey({ tenant }: ReplayPlace, name: string): string {
  return counterKey(tenant, 'replay', `*${name}`);
}
