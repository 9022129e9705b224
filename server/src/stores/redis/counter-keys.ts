/**
 * Names of the counters in Redis. All counters of a tenant share a hash tag, so that a cluster
 * keeps them in one slot and one script can decide over several of them.
 */

/** Raised when the meaning of what is stored changes, so that old counters are not misread. */
const VERSION = 1;

/** The pattern of `SCAN` for all counters of a tenant, whose slug has nothing to escape. */
export function countersPattern(tenant: string): string {
  return `esclusa:*:{t:${tenant}}:*`;
}

/** The key of a counter of `kind` of a scope such as `key:key_01J…`. */
export function counterKey(tenant: string, kind: string, scopeId: string): string {
  return `esclusa:${kind}${VERSION}:{t:${tenant}}:${scopeId}`;
}
