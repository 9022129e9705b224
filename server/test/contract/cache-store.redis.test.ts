/** The cache store on Redis: the contract, alone and on a cluster of three primaries. */
import { after, before } from 'node:test';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { createRedisCacheStore } from '../../src/stores/redis/cache-store.ts';
import type { RedisAddress } from '../../src/stores/redis/connection.ts';
import type { Owner } from '../support/afterwards.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis-server.ts';
import { openTestStore } from '../support/redis-store.ts';
import { cacheStoreSuite } from './cache-store.suite.ts';

/** A time of day that stands still unless moved; durations and timers are the server's. */
function movableClock(): Clock & { advance(ms: number): void } {
  let nowMs = Date.now();
  return {
    ...systemClock,
    wallMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

function suite(adapter: string, start: (owner: Owner) => Promise<RedisAddress>): void {
  let address: RedisAddress | null = null;
  const stops: (() => Promise<void>)[] = [];
  before(async () => {
    // What a hook registers by `after` itself would run behind that hook.
    address = await start({ after: (stop) => void stops.push(stop) });
  });
  after(async () => {
    for (const stop of stops) await stop();
  });
  cacheStoreSuite(adapter, async () => {
    const ends: (() => Promise<void>)[] = [];
    const owner = { after: (end: () => Promise<void>) => void ends.push(end) };
    if (address === null) throw new Error('not started');
    const { store: redis } = await openTestStore(owner, address, { hotMs: 500 });
    for (const node of redis.masters()) {
      await redis.background('flush', (client) => client.flushall(), { node });
    }
    const clock = movableClock();
    const store = createRedisCacheStore({ redis, clock, random: systemRandom, log: silentLog });
    return {
      ...{ store, runs: 25 },
      nowMs: () => clock.wallMs(),
      advance: (ms) => clock.advance(ms),
      async close() {
        store.close();
        for (const end of ends) await end();
      },
    };
  });
}

suite('redis', async (owner) => (await startRedis(owner)).address);
suite('redis cluster', async (owner) => (await startRedisCluster(owner)).address);
