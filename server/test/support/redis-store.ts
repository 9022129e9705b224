/**
 * A store on a real Redis as the composition root opens it, with the product's own breaker and
 * what the log was told, for tests.
 */
import type { BreakerSettings } from '../../src/gateway/model/target.ts';
import {
  type BreakerSnapshot,
  createBreakerRegistry,
} from '../../src/gateway/resilience/breaker-registry.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { openRedisStore } from '../../src/stores/redis/client.ts';
import type { RedisAddress } from '../../src/stores/redis/connection.ts';
import type { RedisStore, RedisStoreOptions } from '../../src/stores/redis/store.ts';
import type { Owner } from './afterwards.ts';
import { until } from './until.ts';

export interface TestStore {
  readonly store: RedisStore;
  /** How its breaker stands. */
  breaker(): BreakerSnapshot['state'];
  /** `level message`, one for each line. */
  readonly lines: readonly string[];
  /** What was counted: `op` or `op:kind of failure`. */
  readonly counted: ReadonlyMap<string, number>;
}

export type TestStoreOptions = Partial<RedisStoreOptions> & {
  readonly breakerSettings?: Partial<BreakerSettings>;
  /** Waits until it is up unless false. */
  readonly waits?: RedisStoreOptions['waits'];
  readonly untilUp?: boolean;
};

const BREAKER: BreakerSettings = {
  ...{ failureThreshold: 5, successThreshold: 1, openMs: 500 },
  ...{ halfOpenMaxCalls: 1, minimumCalls: 5 },
};

/** A machine that is busy with other tests must not be taken for a slow Redis. */
const PATIENT = { hotMs: 2000, backgroundMs: 2000 };

export async function openTestStore(
  owner: Owner,
  address: RedisAddress,
  options: TestStoreOptions = {},
): Promise<TestStore> {
  const lines: string[] = [];
  const counted = new Map<string, number>();
  const count = (name: string) => void counted.set(name, (counted.get(name) ?? 0) + 1);
  const { breakerSettings, untilUp = true, ...rest } = options;
  const breakers = createBreakerRegistry({ clock: systemClock });
  const breaker = breakers.named('redis', { ...BREAKER, ...breakerSettings });
  const store = await openRedisStore({
    ...{ name: 'cache', address, clock: systemClock, random: systemRandom, breaker },
    ...{ log: logInto(lines) },
    ...PATIENT,
    meters: { done: count, failed: (op, kind) => count(`${op}:${kind}`) },
    ...rest,
  });
  owner.after(async () => store.close());
  if (untilUp) await until('the store is up', () => store.state().kind === 'up');
  return {
    ...{ store, lines, counted },
    breaker: () => breakers.snapshot()[0]?.state ?? 'closed',
  };
}

function logInto(lines: string[]): Log {
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
