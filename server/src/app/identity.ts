/**
 * Who may call: the master secret and what is derived from it, the snapshot of keys, and the
 * use cases that change keys and tenants.
 */
import type { Config } from '../config/index.ts';
import {
  createFirstKey,
  createKeySnapshot,
  createKeyUseCases,
  createSecretFile,
  createSecretHasher,
  DEFAULT_TENANT,
  type DerivedKeys,
  deriveKeys,
  type KeySnapshot,
  type KeyUseCases,
  loadMasterSecret,
  requirePermission,
} from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Log } from '../kernel/log.ts';
import type { Random } from '../kernel/random.ts';
import type { Repositories } from '../storage/index.ts';
import { createTenantUseCases, type TenantUseCases } from '../tenancy/index.ts';

export interface IdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly log: Log;
}

export interface Identity {
  readonly snapshot: KeySnapshot;
  readonly keys: KeyUseCases;
  readonly tenants: TenantUseCases;
  readonly secrets: DerivedKeys;
}

export function createIdentity(
  deps: IdentityDeps,
  config: Config,
  repositories: Repositories,
): Identity {
  const { clock, random, ids, log } = deps;
  const file = createSecretFile(config.dataDir);
  const master = loadMasterSecret(file, random, config.masterSecret);
  if (master.isExposed) {
    log.warn('other accounts of this machine can read the secrets', { file: file.path });
  }
  const secrets = deriveKeys(master.secret);
  const hashSecret = createSecretHasher(secrets.apiKeyPepper);
  const tenants = createTenantUseCases({
    repository: repositories.tenants,
    authorize: requirePermission,
    ids,
    clock,
  });
  const snapshot = createKeySnapshot({
    repository: repositories.keys,
    hashSecret,
    clock,
    log,
    maxAgeMs: config.auth.snapshotMaxAgeSeconds * 1000,
    adminSecret: config.admin.key,
  });
  const keys = createKeyUseCases({
    repository: repositories.keys,
    tenantExists: (slug) => tenants.exists(slug),
    refreshSnapshot: () => snapshot.refresh(),
    hashSecret,
    random,
    ids,
    clock,
  });
  return { snapshot, keys, tenants, secrets };
}

/**
 * Makes what a first start needs: the default tenant, and a key where neither the database
 * nor the environment has one. Answers that key's secret, which is shown once.
 */
export async function prepareFirstUse(identity: Identity, config: Config): Promise<string | null> {
  await identity.tenants.ensure({ slug: DEFAULT_TENANT, name: 'Default' });
  if (config.admin.key !== null) return null;
  const first = await createFirstKey(identity.keys);
  return first?.secret ?? null;
}
