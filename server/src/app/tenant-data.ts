/**
 * Tenants' own data: how storage reaches the databases of single tenants, and the work that
 * moves data between them.
 */
import type { Config } from '../config/index.ts';
import {
  confineTenant,
  createFieldSeal,
  createSecretFile,
  DEFAULT_TENANT,
  deriveKeys,
  type FieldSeal,
  loadMasterSecret,
  requirePermission,
} from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { lazy } from '../kernel/lazy.ts';
import type { Random } from '../kernel/random.ts';
import type { PlaceSettings, Repositories, StorageTool } from '../storage/index.ts';
import {
  createEraseWork,
  createMoveWork,
  createTenantJobs,
  createTenantPlaces,
  createTenantRemoval,
  type EraseJob,
  type PlaceOwner,
  type PostgresAddress,
  type TenantJobs,
  type TenantPlaces,
  type TenantRecord,
  type TenantRemoval,
} from '../tenancy/index.ts';
import { publicAddressesAnd } from '../transport/address-policy.ts';
import { createPinnedLookup, systemResolve } from '../transport/pinned-lookup.ts';
import type { Identity } from './identity.ts';
import type { IdentityDeps } from './people.ts';

export interface TenantData {
  readonly places: TenantPlaces;
  readonly jobs: TenantJobs;
  readonly removal: TenantRemoval;
}

const MS_PER_SECOND = 1000;
const SETTLE_MAX_MS = 30_000;
/** Processes hear of a change within two seconds. */
const DRAIN_MS = 5000;

/** The master secret is read when a tenant's database is first opened. */
export function placeSettings(config: Config, clock: Clock, random: Random): PlaceSettings {
  const { dedicatedDatabases: wanted, database } = config;
  const base = database.kind === 'postgres' ? database.pool : null;
  const policy = addressPolicy(config);
  const seal = lazy((): FieldSeal => {
    const master = loadMasterSecret(createSecretFile(config.dataDir), random, config.masterSecret);
    return createFieldSeal(deriveKeys(master.secret).fieldKey, random);
  });
  return {
    pool: {
      size: wanted.poolSize,
      maxOverflow: wanted.maxOverflow,
      timeoutMs: base?.timeoutMs ?? 30_000,
      recycleMs: base?.recycleMs ?? 3_600_000,
      prePing: base?.prePing ?? true,
      isPooling: base?.isPooling ?? true,
    },
    openMax: wanted.openMax,
    processes: database.kind === 'postgres' ? database.processes : config.workers,
    idleMs: wanted.idleSeconds * MS_PER_SECOND,
    routeMs: wanted.metadataTtlSeconds * MS_PER_SECOND,
    guard: () => ({
      allows: (address) => policy.allows(address),
      lookup: createPinnedLookup(policy, clock, systemResolve),
    }),
    loginOf(owner, { sealed, ...address }) {
      const text = seal().open(sealed, boundTo(owner, address));
      return text === null ? null : (JSON.parse(text) as { user: string; password: string });
    },
  };
}

export function createTenantData(
  { clock, random, ids, log }: IdentityDeps,
  config: Config,
  { secrets, tenantSnapshot, audit }: Pick<Identity, 'secrets' | 'tenantSnapshot' | 'audit'>,
  storage: Repositories & Pick<StorageTool, 'places'>,
): TenantData {
  const { mover } = storage.places;
  const repository = storage.tenants;
  const refreshSnapshot = () => tenantSnapshot.refresh();
  const seal = createFieldSeal(secrets.fieldKey, random);
  const policy = addressPolicy(config);
  const ports = config.dedicatedDatabases.allowedPorts.split(',').map(Number);
  const jobs = createTenantJobs({
    ...{ repository, refreshSnapshot, clock, log, owner: ids.next('proc') },
    work: {
      move: createMoveWork({ mover, clock, settleMaxMs: SETTLE_MAX_MS, drainMs: DRAIN_MS }),
      erase: createEraseWork({
        ...{ mover, eraser: storage.tenantEraser, clock, drainMs: DRAIN_MS },
        prove: (record, job) => audit.record(proofOf(record, job)),
      }),
    },
  });
  const removal = createTenantRemoval({
    ...{ repository, jobs, refreshSnapshot, ids, clock, exporter: storage.tenantExport },
    authorize: requirePermission,
    confine: (actor, slug) => void confineTenant(actor, 'tenants.export', slug),
    ownSlug: DEFAULT_TENANT,
  });
  const places = createTenantPlaces({
    ...{ repository, mover, jobs, refreshSnapshot, ids, clock },
    authorize: requirePermission,
    seal: (owner, address, login) => seal.seal(JSON.stringify(login), boundTo(owner, address)),
    allowsPort: (port) => ports.includes(port),
    allowsAddress: (address) => policy.allows(address),
    hasFiles: config.database.kind === 'sqlite',
    ownSlug: DEFAULT_TENANT,
  });
  return { places, jobs, removal };
}

/** What is left to show that it was done. */
function proofOf({ slug, id }: TenantRecord, job: EraseJob) {
  return {
    ...{ tenant: slug, actor: job.actor, action: 'tenants.erased', subject: id },
    ...{ outcome: 'success' as const, address: null, requestId: null },
    details: { ledger: job.ledger, ...job.removed },
  };
}

function addressPolicy({ dedicatedDatabases: { allowedRanges } }: Config) {
  const ranges = (allowedRanges ?? '').split(',').map((range) => range.trim());
  return publicAddressesAnd(ranges.filter((range) => range !== ''));
}

/** A text that was sealed for another row, field or address does not open here. */
function boundTo({ id }: PlaceOwner, { host, port, database, ssl }: PostgresAddress) {
  return ['tenants', id, 'place', host, String(port), database, ssl];
}
