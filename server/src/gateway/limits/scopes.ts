/**
 * Which counters a request of a principal goes through. A scope's id names what is counted;
 * identifiers of keys are unique over all tenants, so the id isolates by itself.
 */
import type { Principal } from '../model/principal.ts';
import type { LimitScope } from '../ports/limit-store.ts';

const NONE: readonly LimitScope[] = [];

/** Empty when nothing limits the principal. */
export function limitScopesOf(principal: Principal): readonly LimitScope[] {
  const { limits } = principal;
  const limited =
    limits.requestsPerMinute !== undefined ||
    limits.tokensPerMinute !== undefined ||
    limits.concurrency !== undefined;
  return limited ? [{ id: `key:${principal.keyId}`, limits }] : NONE;
}
