/**
 * Who may call: the master secret and what is derived from it, the snapshots of keys and users,
 * and the use cases that change keys and tenants.
 */
import type { Config } from '../config/index.ts';
import {
  createFirstAdmin,
  createFirstKey,
  createKeySnapshot,
  createKeyUseCases,
  createSecretFile,
  createSecretHasher,
  DEFAULT_TENANT,
  type DerivedKeys,
  deriveKeys,
  type FirstAdmin,
  generateSecret,
  type KeySnapshot,
  type KeyUseCases,
  loadMasterSecret,
  requirePermission,
} from '../identity/index.ts';
import type { Repositories } from '../storage/index.ts';
import {
  createTenantSnapshot,
  createTenantUseCases,
  type TenantSnapshot,
  type TenantUseCases,
} from '../tenancy/index.ts';
import { createPeople, type IdentityDeps, type People } from './people.ts';
import type { Telemetry } from './telemetry.ts';

export interface Identity extends People {
  readonly keySnapshot: KeySnapshot;
  readonly keys: KeyUseCases;
  readonly tenants: TenantUseCases;
  readonly tenantSnapshot: TenantSnapshot;
  readonly secrets: DerivedKeys;
  /** null: a credential that is missing is missing. */
  readonly developerSecret: string | null;
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
  const maxAgeMs = config.auth.snapshotMaxAgeSeconds * 1000;
  const tenantSnapshot = createTenantSnapshot({
    ...{ repository: repositories.tenants, clock, log, maxAgeMs },
  });
  const tenants = createTenantUseCases({
    repository: repositories.tenants,
    refreshSnapshot: () => tenantSnapshot.refresh(),
    ownSlug: DEFAULT_TENANT,
    authorize: requirePermission,
    ids,
    clock,
  });
  // Of this process alone, and told to nobody: the edge puts it where a credential is missing.
  const developerSecret = config.auth.mode === 'dev' ? generateSecret(random) : null;
  const keySnapshot = createKeySnapshot({
    repository: repositories.keys,
    hashSecret,
    ...{ clock, log, maxAgeMs },
    adminSecret: config.admin.key,
    metricsSecret: config.metrics.key,
    developerSecret,
  });
  const keys = createKeyUseCases({
    repository: repositories.keys,
    tenantExists: (slug) => tenants.exists(slug),
    refreshSnapshot: () => keySnapshot.refresh(),
    hashSecret,
    random,
    ids,
    clock,
  });
  const people = createPeople(deps, config, repositories, {
    ...{ secrets, keySnapshot, masterSecret: master.secret },
    tenantExists: (slug) => tenants.exists(slug),
    standingOf: tenantSnapshot.standing,
  });
  return { ...people, keySnapshot, keys, tenants, tenantSnapshot, secrets, developerSecret };
}

/** Reads what changed, of tenants before keys and people of theirs. Never rejects. */
export async function refreshIdentity(identity: Identity): Promise<void> {
  await identity.tenantSnapshot.refresh();
  await Promise.all([identity.keySnapshot.refresh(), identity.userSnapshot.refresh()]);
}

/** Resolves after the first reading, also a failed one. */
export async function startIdentity(identity: Identity): Promise<void> {
  await Promise.all([
    identity.tenantSnapshot.start(),
    identity.keySnapshot.start(),
    identity.userSnapshot.start(),
  ]);
}

export async function stopIdentity(identity: Identity): Promise<void> {
  identity.tenantSnapshot.stop();
  identity.keySnapshot.stop();
  identity.userSnapshot.stop();
  await identity.audit.close();
}

interface FirstUseParts {
  readonly identity: Identity;
  readonly storage: Pick<Repositories, 'users'>;
  readonly telemetry: Pick<Telemetry, 'log'>;
}

export interface FirstUse {
  /** The secret of the key that was made, shown once; null where none was. */
  readonly firstKey: string | null;
  readonly firstAdmin: FirstAdmin | null;
}

/**
 * Makes what a first start needs: the default tenant; a key, where neither the database nor the
 * environment has one; somebody who can sign in, where the environment names them or has no key
 * of its own.
 */
export async function prepareFirstUse(
  parts: Omit<IdentityDeps, 'log'> & FirstUseParts,
  config: Config,
): Promise<FirstUse> {
  const { identity, storage, telemetry, clock, random, ids } = parts;
  await identity.tenants.ensure({ slug: DEFAULT_TENANT, name: 'Default' });
  const { key, email, password } = config.admin;
  const first = key === null ? await createFirstKey(identity.keys) : null;
  if (key !== null && email === null) return { firstKey: null, firstAdmin: null };
  const firstAdmin = await createFirstAdmin(
    {
      ...{ users: storage.users, hasher: identity.hasher, clock, random, ids },
      warn: (message) => telemetry.log.named('identity').warn(message),
      isStrict: config.environment === 'production',
    },
    { email, password },
  );
  return { firstKey: first?.secret ?? null, firstAdmin };
}
