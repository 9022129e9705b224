/**
 * The gateway's authenticator: a token of a person or the secret of an API key, told apart by
 * their form. Tokens that were checked before are answered at once.
 *
 * Whoever they are, their tenant must be at work. What nobody knows is counted by its address.
 */
import type { Authentication, Authenticator, CallerAddress } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createGuesses } from './guesses.ts';
import type { KeySnapshot } from './snapshot.ts';
import { isOfEnvironment } from './superadmin.ts';
import type { AccessClaims, AccessTokens } from './tokens/access-tokens.ts';
import type { UserSnapshot } from './user-snapshot.ts';

/** How every JWT begins: the start of a JSON object in base64url. */
const TOKEN_START = 'eyJ';
const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });
const SUSPENDED: Authentication = Object.freeze({ kind: 'suspended' });
const UNAVAILABLE: Authentication = Object.freeze({ kind: 'unavailable' });

/** `unknown`: nobody can tell at the moment. */
export type StandingOf = (tenant: string) => 'active' | 'suspended' | 'unknown';

export function createAuthenticator(
  keys: Pick<KeySnapshot, 'authenticate'>,
  users: Pick<UserSnapshot, 'judge'>,
  tokens: Pick<AccessTokens, 'read'>,
  standingOf: StandingOf,
  clock: Pick<Clock, 'monotonicMs'>,
): Authenticator {
  const guesses = createGuesses(clock);
  const unknown = (address: CallerAddress): Authentication => {
    const retryAfterMs = guesses.count(address());
    return retryAfterMs === null ? UNKNOWN : { kind: 'throttled', retryAfterMs };
  };
  const admitted = (found: Authentication): Authentication => {
    // The keys of the environment must work where no database ever did.
    if (found.kind !== 'known' || isOfEnvironment(found.principal)) return found;
    const standing = standingOf(found.principal.tenant);
    if (standing === 'active') return found;
    return standing === 'suspended' ? SUSPENDED : UNAVAILABLE;
  };
  const judge = (claims: AccessClaims | null, address: CallerAddress): Authentication =>
    claims === null ? unknown(address) : admitted(users.judge(claims));
  return {
    authenticate(secret, address) {
      if (!secret.startsWith(TOKEN_START)) {
        const found = keys.authenticate(secret, address);
        return found.kind === 'unknown' ? unknown(address) : admitted(found);
      }
      const claims = tokens.read(secret);
      return claims instanceof Promise
        ? claims.then((read) => judge(read, address))
        : judge(claims, address);
    },
  };
}
