/**
 * All processes of an installation have one master secret: under another one the keys in a
 * shared database are unknown, and what others keep in a shared Redis is unreadable. The first
 * process leaves a mark that only the same secret makes; who makes another must not start.
 *
 * A Redis that is away at the start is asked when it comes. It is too late to refuse then: the
 * log says what is wrong.
 */
import { type DerivedKeys, MasterSecretError } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Repositories } from '../storage/index.ts';
import type { RedisStore } from '../stores/redis/store.ts';
import type { SharedStores } from './redis.ts';

const NAME = 'master_secret';
const REDIS_KEY = 'esclusa:installation';
/** How long a start waits for a Redis that has not answered yet. */
const CONNECT_MS = 500;

type Marks = Repositories['marks'];

/** Throws `MasterSecretError` where the database was made under another secret. */
export async function requireSameSecret(marks: Marks, { mark }: DerivedKeys): Promise<void> {
  const own = mark.toString('hex');
  if ((await marks.claim(NAME, own)) === own) return;
  throw new MasterSecretError(
    'ESCLUSA_MASTER_SECRET (or `secrets.json` in the data folder) is not the one this database ' +
      'was made under: every key in it would be unknown. Set the same ESCLUSA_MASTER_SECRET on ' +
      'every host. If it is lost, `esclusa secrets adopt` gives up the old keys.',
  );
}

/** From now on the database belongs to this secret; keys made under another stay unknown. */
export async function adoptSecret(marks: Marks, { mark }: DerivedKeys): Promise<void> {
  await marks.replace(NAME, mark.toString('hex'));
}

interface RedisMarkDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Throws `MasterSecretError` where a Redis that answers is used under another secret. */
export async function requireSameSecretInRedis(
  shared: SharedStores | null,
  { mark }: DerivedKeys,
  { clock, log }: RedisMarkDeps,
): Promise<void> {
  const own = mark.toString('hex');
  const stores = shared === null ? [] : [shared.cache, shared.state];
  await Promise.all(
    stores.map(async (store) => {
      await connected(store, clock);
      const isOwn = await isMarked(store, own).catch(() => true);
      if (!isOwn) throw new MasterSecretError(wordsFor(store));
      store.onReturn(() => {
        isMarked(store, own).then(
          (isStillOwn) => {
            if (!isStillOwn) log.error(wordsFor(store), { store: store.name });
          },
          () => undefined, // the next return asks again
        );
      });
    }),
  );
}

function wordsFor({ name }: RedisStore): string {
  return (
    'ESCLUSA_MASTER_SECRET (or `secrets.json` in the data folder) is not that of the others at ' +
    `this Redis (${name}). Set the same ESCLUSA_MASTER_SECRET on every host, or give another ` +
    'installation a Redis, or a database number, of its own.'
  );
}

async function isMarked(store: RedisStore, own: string): Promise<boolean> {
  const kept = await store.background(
    'installation.mark',
    async (client) => {
      await client.setnx(REDIS_KEY, own);
      return client.get(REDIS_KEY);
    },
    { idempotent: true },
  );
  return kept === null || kept === own;
}

/** Resolves when the store has answered, or has not for a while. */
function connected(store: RedisStore, clock: Clock): Promise<void> {
  if (store.state().kind !== 'connecting') return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(CONNECT_MS, resolve);
  const forget = store.onReturn(resolve);
  return promise.finally(() => {
    timer.cancel();
    forget();
  });
}
