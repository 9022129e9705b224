/**
 * Calls in flight that processes share over Redis: who leads is decided in the round trip in
 * which the cache is read, and news of a flight is pushed to the processes it concerns.
 *
 * Nothing is written for a flight that nobody follows but its lease.
 */
import type { Entrance, SharedFlights } from '../../gateway/ports/shared-flights.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { RedisFlightFeed } from './flight-feed.ts';
import { type FlightPlace, type FlightTimes, RedisFlightLog } from './flight-log.ts';
import { CHANNEL_PREFIX, ENTER, RELEASE } from './flight-scripts.ts';
import { besideEntry, entryKeyOf } from './keys.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface RedisSharedFlightsOptions {
  readonly store: Pick<RedisStore, 'hot' | 'background' | 'subscribe'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly times?: Partial<FlightTimes>;
  /** Of one flight, in Redis. */
  readonly maxLogBytes?: number;
}

const TIMES: FlightTimes = { leaseMs: 3000, keepMs: 10_000, pollMs: 500 };
const MAX_LOG_BYTES = 4_194_304;
const PROCESS_BYTES = 9;

type Side = RedisFlightLog | RedisFlightFeed;

export function createRedisSharedFlights(options: RedisSharedFlightsOptions): SharedFlights {
  const { store, clock, random, maxLogBytes = MAX_LOG_BYTES } = options;
  const times = { ...TIMES, ...options.times };
  const process = Buffer.from(random.bytes(PROCESS_BYTES)).toString('base64url');
  const sides = new Map<string, Set<Side>>();
  let flights = 0;

  store.subscribe(`${CHANNEL_PREFIX}${process}`, (token) => {
    for (const side of sides.get(token.toString()) ?? []) {
      if (side instanceof RedisFlightLog) void side.beat();
      else side.wake();
    }
  });

  function placeOf(tenant: string, key: string, token: string, done: () => void): FlightPlace {
    const lease = besideEntry(tenant, key, 'f');
    const log = besideEntry(tenant, key, `l.${token}`);
    return { store, clock, times, maxLogBytes, token, lease, log, done };
  }

  /** Lets news of a token reach what `make` makes, until that is done. */
  function listening<T extends Side>(token: string, make: (done: () => void) => T): T {
    const all = sides.get(token) ?? new Set();
    sides.set(token, all);
    const side = make(() => {
      all.delete(side);
      if (all.size === 0) sides.delete(token);
    });
    all.add(side);
    return side;
  }

  return {
    async enter(tenant, key, lookup): Promise<Entrance> {
      flights += 1;
      const own = `${process}.${flights}`;
      const keys = [entryKeyOf(tenant, key), besideEntry(tenant, key, 'f')];
      const values = [own, times.leaseMs, lookup ? 1 : 0, process];
      let reply: unknown;
      try {
        reply = await store.hot('flight_enter', (client) => runScript(client, ENTER, keys, values));
      } catch {
        forget(store, keys.slice(1), [own, process]);
        return { kind: 'alone' };
      }
      if (reply === 'stored') return { kind: 'stored' };
      if (reply === 'lead') {
        const at = (done: () => void) => placeOf(tenant, key, own, done);
        return { kind: 'lead', log: listening(own, (done) => new RedisFlightLog(at(done))) };
      }
      const token = String(reply);
      if (token.startsWith(`${process}.`) && !sides.has(token)) {
        // A question of ours that was given up, and arrived: nobody leads there.
        forget(store, keys.slice(1), [token, process]);
        return { kind: 'alone' };
      }
      const at = (done: () => void) => placeOf(tenant, key, token, done);
      const feed = listening(token, (done) => new RedisFlightFeed(at(done), process));
      return { kind: 'follow', feed };
    },
  };
}

/** The answer came too late or never; what it may have begun is ended, if it can be. */
function forget(
  store: Pick<RedisStore, 'background'>,
  keys: readonly string[],
  values: readonly string[],
): void {
  store
    .background('flight_release', (client) => runScript(client, RELEASE, keys, values))
    .catch(() => undefined);
}
