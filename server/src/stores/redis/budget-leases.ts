/**
 * Renews the leases of what this process has reserved, and notices where Redis does not know of
 * it any more: the process was silent for longer than a lease (it stood still, or Redis was out
 * of its reach), and others had the account loaded without it. Such an account is loaded anew.
 */
import type { AccountScripts } from './budget-account-scripts.ts';
import type { BudgetHoldings } from './budget-holdings.ts';
import type { HeldPlace } from './budget-reservation.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface LeaseOptions {
  readonly redis: RedisStore;
  readonly scripts: AccountScripts;
  readonly holdings: BudgetHoldings;
  readonly leaseMs: number;
  /** Time for the scripts; -1: the server's. */
  readonly now: () => number;
}

/** Never rejects: what failed is tried again with the next renewal. */
export async function renewLeases(options: LeaseOptions): Promise<void> {
  const renewals = [...options.holdings.held()].map(([place, ids]) =>
    renewAt(options, place, ids).catch(() => undefined),
  );
  await Promise.all(renewals);
}

async function renewAt(
  { redis, scripts, holdings, leaseMs, now }: LeaseOptions,
  place: HeldPlace,
  ids: readonly string[],
): Promise<void> {
  const [account, leases] = place.keys;
  const unknown = await redis.background('budgets.renew', (client) =>
    runScript(client, scripts.renew, [leases], [now(), leaseMs, ...ids]),
  );
  // What has ended meanwhile may have overtaken the question.
  const missed = holdings.stillHeld(place, unknown as readonly string[]);
  if (missed.length === 0) return;
  await redis.background('budgets.doubt', (client) =>
    runScript(client, scripts.doubt, [account, leases], [now(), ...missed.flat()]),
  );
}
