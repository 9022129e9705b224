/**
 * The gateway's authenticator: a token of a person or the secret of an API key, told apart by
 * their form. Tokens that were checked before are answered at once.
 */
import type { Authentication, Authenticator } from '../gateway/index.ts';
import type { KeySnapshot } from './snapshot.ts';
import type { AccessClaims, AccessTokens } from './tokens/access-tokens.ts';
import type { UserSnapshot } from './user-snapshot.ts';

/** How every JWT begins: the start of a JSON object in base64url. */
const TOKEN_START = 'eyJ';
const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });

export function createAuthenticator(
  keys: Pick<KeySnapshot, 'authenticate'>,
  users: Pick<UserSnapshot, 'judge'>,
  tokens: Pick<AccessTokens, 'read'>,
): Authenticator {
  const judge = (claims: AccessClaims | null): Authentication =>
    claims === null ? UNKNOWN : users.judge(claims);
  return {
    authenticate(secret, address) {
      if (!secret.startsWith(TOKEN_START)) return keys.authenticate(secret, address);
      const claims = tokens.read(secret);
      return claims instanceof Promise ? claims.then(judge) : judge(claims);
    },
  };
}
