/**
 * The control plane over stand-ins: real routes, guards, use cases and snapshot; repositories,
 * ledger and the state of the gateway in memory.
 */
import type { InjectOptions } from 'fastify';
import type { KeptBodies, LedgerEntry, LedgerFilter } from '../../../src/gateway/index.ts';
import {
  type AdminApp,
  type AdminExtras,
  type AdminServices,
  createAdminApp,
} from '../../../src/http/admin/index.ts';
import {
  createKeySnapshot,
  createKeyUseCases,
  environmentAdmin,
  type KeyUseCases,
  requirePermission,
} from '../../../src/identity/index.ts';
import { createIdSource } from '../../../src/kernel/id.ts';
import { createTenantUseCases } from '../../../src/tenancy/index.ts';
import { keyRecord } from '../../support/key-record.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { flagControl } from '../../support/memory-flags.ts';
import {
  createCountingRandom,
  createMemoryKeys,
  createMemoryTenants,
  hashSecret,
  type MemoryKeys,
  NOW_MS,
} from '../identity/fakes.ts';
import {
  gatewayState,
  type LogLine,
  memoryBodies,
  memoryLedger,
  peopleState,
  recordingLog,
} from './stand-ins.ts';

const ADMIN_SECRET = 'environment-admin-secret';

export interface AdminFixture {
  readonly app: AdminApp;
  readonly keys: KeyUseCases;
  readonly rows: LedgerEntry[];
  readonly bodies: KeptBodies[];
  readonly log: LogLine[];
  readonly purged: string[];
  readonly resets: string[];
  readonly filters: LedgerFilter[];
  /** A secret per role; `admin` and `service` belong to the tenant `acme`. */
  readonly secrets: {
    readonly superadmin: string;
    readonly admin: string;
    readonly service: string;
    readonly student: string;
    readonly instructor: string;
  };
  readonly serviceKeyId: string;
  call(secret: string | null, options: InjectOptions | string): ReturnType<typeof inject>;
}

export async function createAdminFixture(
  changes: Partial<AdminServices> = {},
  extras: AdminExtras = {},
): Promise<AdminFixture> {
  const { clock, ids, log, snapshot, tenants, keys, repository } = await createIdentityFixture();
  const admin = await keys.create(environmentAdmin, { name: 'a', role: 'admin', tenant: 'acme' });
  const service = await keys.create(environmentAdmin, {
    name: 's',
    role: 'service',
    tenant: 'acme',
    models: ['fast'],
    budget: { limitNanousd: 2_000_000_000, period: 'day' },
  });

  const student = await withRole(repository, 'student');
  const instructor = await withRole(repository, 'instructor');
  await snapshot.refresh();

  const rows: LedgerEntry[] = [];
  const bodies: KeptBodies[] = [];
  const purged: string[] = [];
  const resets: string[] = [];
  const filters: LedgerFilter[] = [];
  const app = await createAdminApp(
    {
      authenticator: snapshot,
      ...peopleState(snapshot),
      keys,
      tenants,
      ledger: memoryLedger(rows, filters),
      ledgerLagMs: 0,
      bodies: memoryBodies(bodies),
      ...gatewayState(purged, resets),
      cursorKey: Buffer.alloc(32, 3),
      clock,
      ids,
      log: recordingLog(log),
      within: (_ids, work) => work(),
      meter: () => undefined,
      flags: flagControl(clock),
      experiments: () => [],
      arms: { read: () => Promise.reject(new Error('no experiments')) },
      ...changes,
    },
    extras,
  );
  return {
    app,
    keys,
    rows,
    bodies,
    log,
    purged,
    resets,
    filters,
    secrets: {
      superadmin: ADMIN_SECRET,
      admin: admin.secret,
      service: service.secret,
      ...{ student, instructor },
    },
    serviceKeyId: service.record.id,
    call: (secret, options) => inject(app, secret, options),
  };
}

export function ledgerEntry(changes: Partial<LedgerEntry>): LedgerEntry {
  return {
    id: 'req_1',
    createdAtMs: NOW_MS,
    tenant: 'acme',
    keyId: 'key_1',
    correlationId: 'c',
    dialect: 'openai',
    operation: 'chat',
    model: 'fast',
    provider: 'openai',
    providerModel: 'gpt-4o-mini',
    stream: false,
    status: 200,
    outcome: 'completed',
    errorCode: null,
    cache: 'MISS',
    attempts: 1,
    usage: {
      inputTokens: 12,
      cachedInputTokens: 2,
      outputTokens: 5,
      reasoningTokens: 1,
      source: 'provider',
    },
    costNanousd: 4650,
    priceId: 'price_1',
    durationMs: 321.5,
    firstTokenMs: 120,
    configGeneration: 1,
    ...changes,
  };
}

function inject(app: AdminApp, secret: string | null, options: InjectOptions | string) {
  const asked: InjectOptions = typeof options === 'string' ? { url: options } : options;
  const credential = secret === null ? {} : { authorization: `Bearer ${secret}` };
  return app.inject({ method: 'GET', ...asked, headers: { ...credential, ...asked.headers } });
}

/** A credential with a role of people: a token of one would be judged alike. */
async function withRole(repository: MemoryKeys, role: 'student' | 'instructor'): Promise<string> {
  const secret = `esk_${role.padEnd(43, '0')}`;
  const secretHash = hashSecret(secret);
  await repository.insert(keyRecord({ id: `key_${role}`, tenant: 'acme', role, secretHash }));
  return secret;
}

/** Keys and tenants over memory, with the tenants `acme`, `default` and `globex`. */
async function createIdentityFixture() {
  const clock = createManualClock(NOW_MS);
  const random = createCountingRandom();
  const ids = createIdSource(clock, random);
  const log: LogLine[] = [];
  const repository = createMemoryKeys();
  const snapshot = createKeySnapshot({
    repository,
    hashSecret,
    clock,
    log: recordingLog([]),
    maxAgeMs: 3_600_000,
    adminSecret: ADMIN_SECRET,
    metricsSecret: null,
  });
  const tenants = createTenantUseCases({
    repository: createMemoryTenants(['acme', 'default', 'globex']),
    authorize: requirePermission,
    refreshSnapshot: async () => undefined,
    ownSlug: 'default',
    ids,
    clock,
  });
  const keys = createKeyUseCases({
    repository,
    tenantExists: tenants.exists,
    refreshSnapshot: snapshot.refresh,
    hashSecret,
    random,
    ids,
    clock,
  });
  await snapshot.refresh();
  return { clock, ids, log, snapshot, tenants, keys, repository };
}
