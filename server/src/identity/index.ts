/**
 * The public face of identity: who calls, what they may do, and the keys they call with.
 */
export { type DerivedKeys, deriveKeys } from './derive-keys.ts';
export { createFirstKey } from './first-key.ts';
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
export type {
  KeyRecord,
  KeyRepository,
} from './ports/key-repository.ts';
export {
  confineTenant,
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
export { DEFAULT_TENANT, environmentAdmin, operator } from './superadmin.ts';
