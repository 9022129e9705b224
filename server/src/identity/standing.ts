/**
 * Whether somebody who was let in may still go on: what runs for a key that was revoked, a user
 * who was closed or a session that was ended is ended, too. Asked of the snapshots, without the
 * database; while nobody can tell, what was let in goes on.
 */
import type { Principal } from '../gateway/index.ts';
import type { KeySnapshot } from './snapshot.ts';
import { isOfEnvironment } from './superadmin.ts';
import type { UserSnapshot } from './user-snapshot.ts';

export type Stands = (principal: Principal) => boolean;

export function createStands(
  keys: Pick<KeySnapshot, 'has'>,
  users: Pick<UserSnapshot, 'stands'>,
): Stands {
  return (principal) => {
    if (isOfEnvironment(principal)) return true;
    if (principal.kind === 'api_key') return keys.has(principal.keyId);
    return users.stands(principal.keyId, principal.familyId);
  };
}
