/**
 * The control plane over stand-ins: real routes, guards, use cases and snapshot; repositories,
 * ledger and the state of the gateway in memory.
 */
import type { InjectOptions } from 'fastify';
import type { LedgerEntry, LedgerFilter, LedgerQueries } from '../../../src/gateway/index.ts';
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
import type { Log, LogFields } from '../../../src/kernel/log.ts';
import { createTenantUseCases } from '../../../src/tenancy/index.ts';
import {
  createCountingRandom,
  createHandClock,
  createMemoryKeys,
  createMemoryTenants,
  hashSecret,
  NOW_MS,
} from '../identity/fakes.ts';

export const ADMIN_SECRET = 'environment-admin-secret';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export interface AdminFixture {
  readonly app: AdminApp;
  readonly keys: KeyUseCases;
  readonly rows: LedgerEntry[];
  readonly log: LogLine[];
  readonly purged: string[];
  readonly resets: string[];
  readonly filters: LedgerFilter[];
  /** A secret per role; `admin` and `service` belong to the tenant `acme`. */
  readonly secrets: {
    readonly superadmin: string;
    readonly admin: string;
    readonly service: string;
  };
  readonly serviceKeyId: string;
  call(secret: string | null, options: InjectOptions | string): ReturnType<typeof inject>;
}

export async function createAdminFixture(
  changes: Partial<AdminServices> = {},
  extras: AdminExtras = {},
): Promise<AdminFixture> {
  const clock = createHandClock();
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
  });
  const tenants = createTenantUseCases({
    repository: createMemoryTenants(['acme', 'default', 'globex']),
    authorize: requirePermission,
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
  const admin = await keys.create(environmentAdmin, { name: 'a', role: 'admin', tenant: 'acme' });
  const service = await keys.create(environmentAdmin, {
    name: 's',
    role: 'service',
    tenant: 'acme',
    models: ['fast'],
    budget: { limitNanousd: 2_000_000_000, period: 'day' },
  });

  const rows: LedgerEntry[] = [];
  const purged: string[] = [];
  const resets: string[] = [];
  const filters: LedgerFilter[] = [];
  const app = await createAdminApp(
    {
      authenticator: snapshot,
      keys,
      tenants,
      ledger: memoryLedger(rows, filters),
      ...gatewayState(purged, resets),
      cursorKey: Buffer.alloc(32, 3),
      clock,
      ids,
      log: recordingLog(log),
      ...changes,
    },
    extras,
  );
  return {
    app,
    keys,
    rows,
    log,
    purged,
    resets,
    filters,
    secrets: { superadmin: ADMIN_SECRET, admin: admin.secret, service: service.secret },
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

function gatewayState(purged: string[], resets: string[]) {
  const breaker = {
    name: 'openai/gpt-4o-mini',
    state: 'open' as const,
    failures: 5,
    successes: 0,
    total_calls: 9,
    total_failures: 5,
    total_successes: 4,
    opened_at: '2026-11-20T08:59:00.000Z',
    retry_after_ms: 12_000,
  };
  const reload = {
    outcome: 'applied' as const,
    generation: 2,
    at: '2026-11-20T08:00:00.000Z',
    changes: [{ path: 'models.fast.strategy', before: 'fallback', after: 'weighted' }],
    need_restart: [],
    problems: [],
  };
  const figures = { hits: 3, misses: 1, hit_rate: 0.75, avg_latency_ms: 0.1 };
  return {
    routes: () => ({
      list: () =>
        ['fast', 'smart'].map((name) => ({
          name,
          createdSeconds: 1_763_600_000,
          ownedBy: 'esclusa',
          operations: ['chat' as const],
        })),
    }),
    providers: () => [{ name: 'openai', kind: 'openai', base_url: null, models: ['fast'] }],
    budgets: {
      figures: async () => ({
        spentNanousd: 500,
        reservedNanousd: 20,
        renewsAtMs: Date.UTC(2026, 10, 21),
      }),
    },
    breakers: {
      list: () => [breaker],
      reset: (name: string) => {
        resets.push(name);
        return name === breaker.name;
      },
    },
    config: {
      state: () => ({ generation: 2, file: null, config: { cache: {} }, last_reload: reload }),
      reload: async () => reload,
    },
    cache: {
      purge: async (tenant: string) => {
        purged.push(tenant);
        return 7;
      },
      stats: () => ({
        enabled: true,
        backend: 'memory',
        entries: 2,
        bytes: 400,
        errors: 0,
        circuit_breaker: null,
        ...figures,
        operations: { get: figures },
      }),
      health: () => ({
        status: 'healthy' as const,
        healthy: true,
        enabled: true,
        critical: false,
        backend: 'memory',
      }),
    },
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    health: {
      isStarted: () => true,
      ready: () => ({ status: 'ready' as const, degraded: [], unavailable: [] }),
      report: async () => ({
        status: 'healthy' as const,
        database: 'connected' as const,
        cache: 'memory',
        checks: {
          database: {
            healthy: true,
            enabled: true,
            critical: true,
            latency_ms: 1,
            message: 'file',
          },
        },
      }),
    },
  };
}

function memoryLedger(rows: readonly LedgerEntry[], filters: LedgerFilter[]): LedgerQueries {
  return {
    async get(id, tenant) {
      return rows.find((row) => row.id === id && (tenant ?? row.tenant) === row.tenant) ?? null;
    },
    async list(filter, { limit, beforeId }) {
      filters.push(filter);
      return rows
        .filter((row) => (filter.tenant ?? row.tenant) === row.tenant)
        .filter((row) => (filter.keyId ?? row.keyId) === row.keyId)
        .filter((row) => beforeId === null || row.id < beforeId)
        .toSorted((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    async usage(filter, by) {
      filters.push(filter);
      return [
        {
          group: by.map((dimension) => (dimension === 'provider' ? null : `a ${dimension}`)),
          requests: 3,
          failed: 1,
          cacheHits: 1,
          inputTokens: 30,
          cachedInputTokens: 10,
          outputTokens: 9,
          costNanousd: 1_500_000_001,
          unpriced: 0,
        },
      ];
    },
  };
}

function recordingLog(lines: LogLine[]): Log {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
