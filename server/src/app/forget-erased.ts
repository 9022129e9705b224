/**
 * What this process and the shared stores keep of a tenant that was erased: cached answers, and
 * those for `Idempotency-Key`. Each process does it when it hears of the erasure, and at its
 * start for those that happened before.
 */
import type { Tiers } from '../gateway/caching/tiers.ts';
import type { ReplayStore } from '../gateway/ports/replay-store.ts';
import type { Parts } from './parts.ts';

/** Answers the way to end it. */
export function forgetErased(
  { identity, telemetry }: Pick<Parts, 'identity' | 'telemetry'>,
  tiers: Pick<Tiers, 'purge'>,
  replays: Pick<ReplayStore, 'forget'>,
): () => void {
  const log = telemetry.log.named('tenancy');
  return identity.tenantSnapshot.onErased((tenant) => {
    Promise.all([tiers.purge(tenant), replays.forget(tenant)]).catch((error: unknown) => {
      log.warn('kept answers of an erased tenant stay until their time is over', { tenant, error });
    });
  });
}
