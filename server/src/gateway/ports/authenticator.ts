/**
 * From a secret to a principal, out of memory: no database on the hot path.
 */
import type { Principal } from '../model/principal.ts';

export type Authentication =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }
  /** Good, but not to be used from this address. */
  | { readonly kind: 'elsewhere' }
  /** Unknown, as were too many others from this address. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  /** Its tenant is suspended. */
  | { readonly kind: 'suspended' }
  /** The snapshot is too old, or was never loaded: nobody can be judged. */
  | { readonly kind: 'unavailable' };

/** Where the caller's connection comes from; null where that is unknown. Asked when needed. */
export type CallerAddress = () => string | null;

export interface Authenticator {
  /** At once for keys, and for tokens that were checked before. Never rejects. */
  authenticate(secret: string, address: CallerAddress): Authentication | Promise<Authentication>;
}
