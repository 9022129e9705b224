/**
 * What this process and the shared stores keep of a tenant that was erased: cached answers and
 * those for `Idempotency-Key`, what was counted, and rows in the journal on disk. Each process
 * does it when it hears of the erasure, one tenant behind the other, again where a store was
 * away, and at its start for those of the last days: what is older has run out by itself.
 */
import type { Tiers } from '../gateway/caching/tiers.ts';
import type { ReplayStore } from '../gateway/ports/replay-store.ts';
import type { Timer } from '../kernel/clock.ts';
import type { CacheBook } from '../stores/cache-book.ts';
import type { Parts } from './parts.ts';
import type { SharedStores } from './redis.ts';

export interface KeptOfTenants {
  readonly tiers: Pick<Tiers, 'purge'>;
  readonly replays: Pick<ReplayStore, 'forget'>;
  readonly book: Pick<CacheBook, 'forget'>;
  /** null: there is no Redis. */
  readonly shared: SharedStores | null;
}

/** What it needs of the parts of a process. */
export interface ForgettingParts {
  readonly identity: {
    readonly tenantSnapshot: Pick<Parts['identity']['tenantSnapshot'], 'onErased' | 'get'>;
  };
  readonly storage: Pick<Parts['storage'], 'rollJournal'>;
  readonly telemetry: { readonly log: Parts['telemetry']['log'] };
  readonly clock: Pick<Parts['clock'], 'wallMs' | 'setTimer'>;
}

const LATELY_MS = 30 * 86_400_000;
const AGAIN_MS = 30_000;

/** Answers the way to end it. */
export function forgetErased(
  { identity, storage, telemetry, clock }: ForgettingParts,
  { tiers, replays, book, shared }: KeptOfTenants,
): () => void {
  const log = telemetry.log.named('tenancy');
  const { tenantSnapshot } = identity;
  /** Those of which something may be left: no more than were erased lately. */
  const unfinished = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  let timer: Timer | null = null;
  let isOver = false;

  async function forget(tenant: string): Promise<void> {
    book.forget(tenant);
    await Promise.all([tiers.purge(tenant), replays.forget(tenant)]);
    if (shared === null) return;
    const { forgetTenant } = await import('../stores/redis/forget-tenant.ts');
    await forgetTenant(shared, tenant);
  }

  async function attempt(tenant: string): Promise<void> {
    try {
      await forget(tenant);
    } catch (error) {
      log.warn('what is kept of an erased tenant is not gone yet', { tenant, error });
      unfinished.add(tenant);
      if (!isOver) timer ??= clock.setTimer(AGAIN_MS, again);
    }
  }

  function again(): void {
    timer = null;
    const tenants = [...unfinished];
    unfinished.clear();
    for (const tenant of tenants) soon(tenant);
  }

  function soon(tenant: string): void {
    last = last.then(() => attempt(tenant));
  }

  const unsubscribe = tenantSnapshot.onErased((tenant) => {
    const erasedAtMs = tenantSnapshot.get(tenant)?.erasedAtMs ?? null;
    if (erasedAtMs !== null && erasedAtMs < clock.wallMs() - LATELY_MS) return;
    storage.rollJournal();
    soon(tenant);
  });
  return () => {
    isOver = true;
    unsubscribe();
    timer?.cancel();
  };
}
