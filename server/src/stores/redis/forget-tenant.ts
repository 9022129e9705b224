/**
 * Taking everything about a tenant out of Redis once nobody of it can come back: cached answers
 * and calls in flight, their generation and figures, and all that was counted. Redis is never
 * blocked: `SCAN` in steps of a hundred on every primary, `UNLINK` of what it names.
 *
 * Harmless the second time, and while another process does the same.
 */
import type { RedisCommander } from 'ioredis';
import { countersPattern } from './counter-keys.ts';
import { aboutEntriesPattern, generationKeyOf, statsKeyOf } from './keys.ts';
import type { RedisStore } from './store.ts';

export interface ForgettingStores {
  readonly cache: RedisStore;
  readonly state: RedisStore;
}

const STEP = 100;

/** Rejects with a `RedisFailure`: then some of it may be left. */
export async function forgetTenant(
  { cache, state }: ForgettingStores,
  tenant: string,
): Promise<void> {
  await unlinkAll(cache, aboutEntriesPattern(tenant));
  await unlinkAll(state, countersPattern(tenant));
  await unlink(cache, [generationKeyOf(tenant), statsKeyOf(tenant)]);
}

async function unlinkAll(redis: RedisStore, pattern: string): Promise<void> {
  for (const node of redis.masters()) {
    let cursor = '0';
    do {
      const [next, names] = await redis.background(
        'forget_scan',
        (client) => client.scan(cursor, 'MATCH', pattern, 'COUNT', STEP),
        { idempotent: true, node },
      );
      cursor = next;
      await unlink(redis, names, node);
    } while (cursor !== '0');
  }
}

/** One by one: in a cluster the keys of one node need not share a slot. */
async function unlink(
  redis: RedisStore,
  names: readonly string[],
  node?: RedisCommander,
): Promise<void> {
  if (names.length === 0) return;
  await redis.background(
    'forget_unlink',
    (client) => Promise.all(names.map((name) => client.unlink(name))),
    { idempotent: true, ...(node !== undefined && { node }) },
  );
}
