/**
 * What this process and the shared stores keep of a tenant that was erased: cached answers and
 * those for `Idempotency-Key`, what was counted, and rows in the journal on disk. Each process
 * does it when it hears of the erasure, one tenant behind the other, and at its start for those
 * of the last days: what is older has run out by itself.
 */
import type { Tiers } from '../gateway/caching/tiers.ts';
import type { ReplayStore } from '../gateway/ports/replay-store.ts';
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

const LATELY_MS = 30 * 86_400_000;

/** Answers the way to end it. */
export function forgetErased(
  { identity, storage, telemetry, clock }: Pick<Parts, ErasedParts>,
  { tiers, replays, book, shared }: KeptOfTenants,
): () => void {
  const log = telemetry.log.named('tenancy');
  let last: Promise<void> = Promise.resolve();

  async function forget(tenant: string): Promise<void> {
    book.forget(tenant);
    await Promise.all([tiers.purge(tenant), replays.forget(tenant)]);
    if (shared === null) return;
    const { forgetTenant } = await import('../stores/redis/forget-tenant.ts');
    await forgetTenant(shared, tenant);
  }

  return identity.tenantSnapshot.onErased((tenant) => {
    const erasedAtMs = identity.tenantSnapshot.get(tenant)?.erasedAtMs ?? null;
    if (erasedAtMs !== null && erasedAtMs < clock.wallMs() - LATELY_MS) return;
    storage.rollJournal();
    last = last
      .then(() => forget(tenant))
      .catch((error: unknown) => {
        log.warn('what is kept of an erased tenant stays until its time is over', {
          tenant,
          error,
        });
      });
  });
}

type ErasedParts = 'identity' | 'storage' | 'telemetry' | 'clock';
