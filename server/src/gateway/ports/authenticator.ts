/**
 * From a secret to a principal, out of a memory snapshot: no database on the hot path.
 */
import type { Principal } from '../model/principal.ts';

export type Authentication =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }
  /** The snapshot is too old, or was never loaded: nobody can be judged. */
  | { readonly kind: 'unavailable' };

export interface Authenticator {
  authenticate(secret: string): Authentication;
}
