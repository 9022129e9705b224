/**
 * Which host serves from this Redis, for data that only one host can hold: a claim that lives
 * for as long as a process of that host renews it, and some seconds longer. Processes of one
 * host share it; it is lost with the Redis and made again by the first who renews it.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { RedisStore } from './store.ts';

export interface HostClaim {
  /** Whose claim it is: `host`, another one's, or null where Redis did not answer. */
  readonly holder: string | null;
  /** Ends renewing. */
  stop(): void;
}

export const CLAIM_KEY = 'esclusa:host';
export const CLAIM_MS = 10_000;
const RENEW_MS = 3000;

/** `lost`: another host holds the claim; told at every renewal that finds it so. */
export async function claimHost(
  store: RedisStore,
  host: string,
  { clock, lost }: { readonly clock: Clock; readonly lost: () => void },
): Promise<HostClaim> {
  let timer: Timer | null = null;
  let isStopped = false;
  const ask = () => claim(store, host).catch(() => null);
  const renewLater = (): void => {
    if (isStopped) return;
    timer = clock.setTimer(RENEW_MS, () => {
      void ask().then((holder) => {
        if (holder !== null && holder !== host) lost();
        renewLater();
      });
    });
  };
  const holder = await ask();
  if (holder === null || holder === host) renewLater();
  return {
    holder,
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

async function claim(store: RedisStore, host: string): Promise<string | null> {
  return store.background(
    'host.claim',
    async (client) => {
      await client.set(CLAIM_KEY, host, 'PX', CLAIM_MS, 'NX');
      const holder = await client.get(CLAIM_KEY);
      if (holder === host) await client.pexpire(CLAIM_KEY, CLAIM_MS);
      return holder;
    },
    { idempotent: true },
  );
}
