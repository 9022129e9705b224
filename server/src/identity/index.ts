/**
 * The public face of identity: who calls, what they may do, and the keys they call with.
 */
export { type DerivedKeys, deriveKeys } from './derive-keys.ts';
export { createFirstKey } from './first-key.ts';
export type { Grant } from './grants.ts';
export {
  createKeyUseCases,
  type KeyChange,
  type KeyPage,
  type KeyUseCases,
  type KeyUseCasesOptions,
  type NewKey,
} from './keys.ts';
export {
  generateMasterSecret,
  loadMasterSecret,
  type MasterSecret,
  MasterSecretError,
  type SecretFile,
} from './master-secret.ts';
export type {
  KeyChanges,
  KeyPatch,
  KeyRecord,
  KeyRepository,
} from './ports/key-repository.ts';
export {
  confineTenant,
  type Permission,
  type Reach,
  ROLE_GRANTS,
  reachOf,
  requirePermission,
} from './roles.ts';
export { createSecretHasher, generateSecret, type HashSecret, secretHint } from './secret.ts';
export { createSecretFile } from './secret-file.ts';
export {
  createKeySnapshot,
  type KeySnapshot,
  type KeySnapshotOptions,
  type KeySnapshotState,
} from './snapshot.ts';
export { DEFAULT_TENANT, environmentAdmin, operator } from './superadmin.ts';
