/**
 * The public face of identity: who calls, what they may do, and the keys, passwords
 * and tokens they call with.
 */
export { createAnchoring } from './audit/anchor.ts';
export { type AuditLog, createAuditLog } from './audit/audit-log.ts';
export { createSeal, verifyChain } from './audit/chain.ts';
export { createAuthenticator, type StandingOf } from './authenticator.ts';
export { type DerivedKeys, deriveKeys } from './derive-keys.ts';
export { createFieldSeal, type FieldSeal } from './field-seal.ts';
export { createFirstKey } from './first-key.ts';
export { principalOf as principalOfRecord } from './key-table.ts';
export {
  createKeyUseCases,
  type KeyChange,
  type KeyUseCases,
} from './keys.ts';
export {
  generateMasterSecret,
  loadMasterSecret,
  MasterSecretError,
  type SecretFile,
} from './master-secret.ts';
export { readNetworks } from './networks.ts';
export { createPasswordHasher, type PasswordHasher } from './passwords/hasher.ts';
export { createTextHasher } from './people/caller.ts';
export { createFirstAdmin, type FirstAdmin, generatePassword } from './people/first-admin.ts';
export { createInvitations, type Invite } from './people/invitations.ts';
export { createRegistration, type Register } from './people/registration.ts';
export { createSessions, type Session } from './people/sessions.ts';
export { createSignIn, type SignInUseCases } from './people/sign-in.ts';
export { createThrottle } from './people/throttle.ts';
export {
  createUserUseCases,
  type NewUser,
  type UserChange,
  type UserUseCases,
} from './people/users.ts';
export type { AuditEntry, AuditRepository } from './ports/audit-repository.ts';
export type { FamilyRecord } from './ports/family-repository.ts';
export type { InvitationRecord } from './ports/invitation-repository.ts';
export type {
  KeyRecord,
  KeyRepository,
} from './ports/key-repository.ts';
export type { UserRecord } from './ports/user-repository.ts';
export {
  confineTenant,
  PERMISSIONS,
  type Permission,
  ROLE_GRANTS,
  reachOf,
  requirePermission,
} from './roles.ts';
export { createSecretHasher, generateSecret, secretHint } from './secret.ts';
export { createSecretFile } from './secret-file.ts';
export {
  createKeySnapshot,
  type KeySnapshot,
  type KeySnapshotOptions,
} from './snapshot.ts';
export { readRoleMap } from './sso/claims.ts';
export { createSealer } from './sso/sealed.ts';
export { createSingleSignOn, type SingleSignOn } from './sso/single-sign-on.ts';
export { createStands, type Stands } from './standing.ts';
export { DEFAULT_TENANT, environmentAdmin, operator } from './superadmin.ts';
export { type AccessTokens, createAccessTokens } from './tokens/access-tokens.ts';
export { createRefreshTokens } from './tokens/refresh-tokens.ts';
export { createTokenKeys } from './tokens/token-keys.ts';
export { createUserSnapshot, type UserSnapshot } from './user-snapshot.ts';
