/**
 * A look at each Redis of the configuration, for who examines an installation: whether it
 * answers, and whether it evicts what it should keep or keeps what it should evict.
 */
import type { RedisConfig } from '../config/index.ts';
import type { Breaker } from '../gateway/ports/breaker.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import { silentLog } from '../kernel/log.ts';
import { type Random, systemRandom } from '../kernel/random.ts';
import { readServerInfo, type ServerInfo } from '../stores/redis/server-info.ts';
import { addressesOf } from './redis.ts';

export interface RedisProbe {
  readonly store: 'cache' | 'state';
  /** null: it does not answer, see `reason`. */
  readonly info: ServerInfo | null;
  readonly latencyMs: number;
  readonly reason: string;
}

const CONNECT_MS = 3000;
const POLL_MS = 20;

export async function probeRedis(config: RedisConfig): Promise<readonly RedisProbe[]> {
  const [{ openRedisStore }, addresses] = await Promise.all([
    import('../stores/redis/client.ts'),
    addressesOf(config),
  ]);
  const clock: Clock = systemClock;
  const random: Random = systemRandom;
  const probe = async (store: 'cache' | 'state'): Promise<RedisProbe> => {
    const name = `doctor-${store}`;
    const options = { clock, random, log: silentLog, breaker: unbreakable(name) };
    const redis = await openRedisStore({ name, address: addresses[store], ...options });
    try {
      const endMs = clock.monotonicMs() + CONNECT_MS;
      while (redis.state().kind !== 'up' && clock.monotonicMs() < endMs) {
        await sleep(clock, POLL_MS, NEVER);
      }
      const sinceMs = clock.monotonicMs();
      const info = await readServerInfo(redis);
      return { store, info, latencyMs: clock.monotonicMs() - sinceMs, reason: '' };
    } catch (error) {
      const told = redis.state().reason ?? (error instanceof Error ? error.message : '');
      return { store, info: null, latencyMs: 0, reason: told };
    } finally {
      redis.close();
    }
  };
  return Promise.all([probe('cache'), probe('state')]);
}

const NEVER = new AbortController().signal;

/** One look needs no protection. */
function unbreakable(name: string): Breaker {
  return { name, admit: () => 0, record: () => undefined, lets: () => true };
}
