/**
 * Removing cached answers from Redis without ever blocking it: `SCAN` in steps of a hundred on
 * every primary, a look at the head of each value, `UNLINK` of those that are meant.
 *
 * What a purge leaves behind is removed in the background, one tenant at a time; where that
 * fails, it expires by itself and is never given to anybody.
 */
import type { RedisCommander } from 'ioredis';
import type { CacheSelection } from '../../gateway/model/cache-selection.ts';
import { selects } from '../../gateway/model/cache-selection.ts';
import type { Log } from '../../kernel/log.ts';
import { type EntryFacts, HEAD_BYTES, MARK_BYTES, readFacts } from './entry-codec.ts';
import { entryPattern, keyOfEntry } from './keys.ts';
import { defineScript, runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface Sweeper {
  /** Removes, later, what is not of the tenant's current generation. */
  leave(tenant: string): void;
  /** Removes what is meant and answers how much; rejects with a `RedisFailure`. */
  remove(tenant: string, selection: CacheSelection): Promise<number>;
}

export interface SweeperDeps {
  readonly redis: RedisStore;
  readonly log: Log;
  readonly generation: (tenant: string) => string | null;
}

/** Not if it was replaced since it was looked at. */
const REMOVE = defineScript(`
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`);
const STEP = 100;
/** Tenants that wait for their turn; beyond it what they left expires by itself. */
const MAX_WAITING = 1000;

type Meant = (key: string, facts: EntryFacts) => boolean;

export function createSweeper({ redis, log, generation }: SweeperDeps): Sweeper {
  const waiting = new Set<string>();
  let isSweeping = false;

  async function sweepAll(): Promise<void> {
    isSweeping = true;
    for (const tenant of waiting) {
      waiting.delete(tenant);
      const isOld: Meant = (_key, facts) => {
        const current = generation(tenant);
        return current !== null && facts.generation !== current;
      };
      try {
        const removed = await sweep(redis, tenant, '*', isOld);
        log.debug('Removed what a purge left in Redis', { tenant, removed });
      } catch (error) {
        log.debug('What a purge left in Redis will expire by itself', { tenant, error });
      }
    }
    isSweeping = false;
  }

  return {
    leave(tenant) {
      if (waiting.size >= MAX_WAITING) return;
      waiting.add(tenant);
      if (!isSweeping) void sweepAll();
    },
    remove(tenant, selection) {
      const isMeant: Meant = (key, facts) => selects(selection, { key, ...facts });
      return sweep(redis, tenant, selection.key ?? selection.pattern ?? '*', isMeant);
    },
  };
}

async function sweep(
  redis: RedisStore,
  tenant: string,
  glob: string,
  isMeant: Meant,
): Promise<number> {
  let removed = 0;
  const pattern = entryPattern(tenant, glob);
  for (const node of redis.masters()) {
    let cursor = '0';
    do {
      const [next, names] = await redis.background(
        'cache_scan',
        (client) => client.scan(cursor, 'MATCH', pattern, 'COUNT', STEP),
        { idempotent: true, node },
      );
      cursor = next;
      removed += await removeFrom(redis, node, names, isMeant);
    } while (cursor !== '0');
  }
  return removed;
}

/** One by one: in a cluster the keys of one node need not share a slot. */
async function removeFrom(
  redis: RedisStore,
  node: RedisCommander,
  names: readonly string[],
  isMeant: Meant,
): Promise<number> {
  if (names.length === 0) return 0;
  const looks = await redis.background(
    'cache_scan',
    (client) =>
      Promise.all(
        names.map(async (name) => {
          const head = await client.getrangeBuffer(name, 0, HEAD_BYTES - 1);
          return { name, head };
        }),
      ),
    { idempotent: true, node },
  );
  const meant = looks.flatMap(({ name, head }) => {
    const facts = readFacts(head);
    // What nobody can read is nobody's answer.
    const goes = head.length > 0 && (facts === null || isMeant(keyOfEntry(name), facts));
    return goes ? [{ name, mark: head.subarray(0, MARK_BYTES) }] : [];
  });
  if (meant.length === 0) return 0;
  const gone = await redis.background(
    'cache_unlink',
    (client) =>
      Promise.all(meant.map(({ name, mark }) => runScript(client, REMOVE, [name], [mark]))),
    { node },
  );
  return gone.reduce<number>((sum, count) => sum + Number(count), 0);
}
